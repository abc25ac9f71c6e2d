"""The exceptions that drivers raise. Those of `ommi.errors` derive from them."""

from __future__ import annotations

from typing import Any

__all__ = [
    "BaseDriverException",
    "DriverAddFailed",
    "DriverConnectFailed",
    "DriverModelNotFound",
    "DriverOperationError",
    "DriverQueryFailed",
    "IncompatibleSchemaEvolutionError",
    "LockError",
    "ModelInsertError",
    "ModelUpdateError",
    "SchemaError",
    "TransactionError",
    "UnsupportedError",
]


class BaseDriverException(Exception):
    """What all exceptions of drivers derive from."""

    driver: Any

    def __init__(self, *args: object, driver: Any = None) -> None:
        super().__init__(*args)
        self.driver = driver


class DriverConnectFailed(BaseDriverException):
    """The database can't be reached."""


class DriverAddFailed(BaseDriverException):
    """Rows were not added."""


class DriverQueryFailed(BaseDriverException):
    """A query failed."""


class DriverModelNotFound(BaseDriverException):
    """No row where one was asked for."""


class DriverOperationError(BaseDriverException):
    """An operation failed in another way."""


class ModelInsertError(DriverAddFailed):
    """A row was refused."""


class ModelUpdateError(DriverOperationError):
    """A change of rows was refused."""


class SchemaError(BaseDriverException):
    """A table or a model is wrong."""


class IncompatibleSchemaEvolutionError(SchemaError):
    """A table that exists does not fit its model."""


class LockError(BaseDriverException):
    """Another transaction was in the way."""


class UnsupportedError(BaseDriverException):
    """The driver cannot do this."""


class TransactionError(Exception):
    """The transaction is over, or was misused."""
