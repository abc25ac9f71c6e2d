"""Databases, transactions and results."""

from ommi.database.handle import Ommi
from ommi.database.transaction import OmmiTransaction
from ommi.results import (
    DBEmptyQueryException,
    DBFailure,
    DBQueryFailure,
    DBQueryResult,
    DBQuerySuccess,
    DBResult,
    DBResultBuilder,
    DBStatusNoResultException,
    DBSuccess,
)

__all__ = [
    "DBEmptyQueryException",
    "DBFailure",
    "DBQueryFailure",
    "DBQueryResult",
    "DBQuerySuccess",
    "DBResult",
    "DBResultBuilder",
    "DBStatusNoResultException",
    "DBSuccess",
    "Ommi",
    "OmmiTransaction",
]
