"""Outcomes of queries. The same names are in `ommi.database.query_results`."""

from ommi._core import Query as DBQueryResultBuilder
from ommi.results import DBEmptyQueryException, DBQueryFailure, DBQueryResult, DBQuerySuccess

__all__ = [
    "DBEmptyQueryException",
    "DBQueryFailure",
    "DBQueryResult",
    "DBQueryResultBuilder",
    "DBQuerySuccess",
]
