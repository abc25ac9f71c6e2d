"""Outcomes of queries. The same names are in `ommi.query_results`."""

from ommi.query_results import (
    DBEmptyQueryException,
    DBQueryFailure,
    DBQueryResult,
    DBQueryResultBuilder,
    DBQuerySuccess,
)

__all__ = [
    "DBEmptyQueryException",
    "DBQueryFailure",
    "DBQueryResult",
    "DBQueryResultBuilder",
    "DBQuerySuccess",
]
