"""Outcomes as values. The same names are in `ommi.results`."""

from ommi.results import DBFailure, DBResult, DBResultBuilder, DBStatusNoResultException, DBSuccess

__all__ = ["DBFailure", "DBResult", "DBResultBuilder", "DBStatusNoResultException", "DBSuccess"]
