"""Exceptions: one class per kind, under `OmmiError`.

Each also derives from the exceptions of the same meaning in `ommi.drivers.exceptions`.
"""

from __future__ import annotations

import builtins
from typing import Any, ClassVar

from ommi.drivers import exceptions as drivers
from ommi.results import DBStatusNoResultException

__all__ = [
    "ConfigError",
    "ConflictError",
    "ConstraintError",
    "DecodeError",
    "DetachedError",
    "NotFound",
    "NotUnique",
    "OmmiConnectionError",
    "OmmiError",
    "OmmiSchemaError",
    "OmmiTimeoutError",
    "OmmiTransactionError",
    "OmmiUnsupportedError",
    "QueryError",
    "SchemaMismatch",
    "UnknownOutcomeError",
]


class OmmiError(drivers.BaseDriverException):
    """An error of Ommi. Its class says what went wrong, its attributes the rest."""

    kind: ClassVar[str] = ""
    """The kind's name."""

    reason: str = ""
    """What happened and what to do, without the context that `str()` adds."""
    driver: Any = None
    """The driver that the error comes from."""
    model: str | None = None
    """The model that the error is about."""
    operation: str | None = None
    """The operation that failed."""
    constraint: str | None = None
    """The rule that a write broke: `unique`, `reference`, `not null` or `check`."""
    fields: list[str]
    """The fields that the error is about."""
    code: str | None = None
    """The database's own code."""
    is_retryable: bool = False
    """Whether the same work, done anew, may succeed without a change."""
    is_stale: bool = False
    """Whether the row was changed or deleted since it was read."""

    def __init__(self, *args: object, **parts: Any) -> None:
        super().__init__(*args)
        self.fields = []
        vars(self).update(parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, vars(self)


class NotFound(OmmiError, drivers.DriverModelNotFound, DBStatusNoResultException):
    """No row where one was asked for."""

    kind = "NotFound"


class NotUnique(OmmiError, drivers.DriverQueryFailed):
    """More than one row where one was asked for."""

    kind = "NotUnique"


class ConstraintError(OmmiError, drivers.ModelInsertError, drivers.ModelUpdateError):
    """A unique, reference, not-null or check rule refused a write."""

    kind = "Constraint"


class ConflictError(OmmiError, drivers.LockError):
    """A serialization failure, a deadlock or a stale version."""

    kind = "Conflict"


class OmmiTimeoutError(OmmiError, drivers.LockError, builtins.TimeoutError):
    """The operation took longer than it was given."""

    kind = "Timeout"


class OmmiConnectionError(OmmiError, drivers.DriverConnectFailed, builtins.ConnectionError):
    """The database can't be reached, or the connection broke."""

    kind = "Connection"


class UnknownOutcomeError(OmmiError, drivers.DriverOperationError):
    """A write was sent and not answered: it may or may not have been applied."""

    kind = "Unknown"


class OmmiTransactionError(OmmiError, drivers.TransactionError):
    """The transaction is over, or was used in a way that it forbids."""

    kind = "Transaction"


class OmmiSchemaError(OmmiError, drivers.SchemaError):
    """A model, a table, or their fit is wrong."""

    kind = "Schema"


class SchemaMismatch(OmmiSchemaError, drivers.IncompatibleSchemaEvolutionError):
    """A table that exists does not fit its model."""


class QueryError(OmmiError, drivers.DriverQueryFailed):
    """The query or one of its values is wrong."""

    kind = "Query"


class DecodeError(OmmiError, drivers.DriverQueryFailed):
    """A stored value does not fit the field that it is read into."""

    kind = "Decode"


class OmmiUnsupportedError(OmmiError, drivers.UnsupportedError):
    """The driver lacks a capability that is needed here."""

    kind = "Unsupported"


class ConfigError(OmmiError, drivers.DriverConnectFailed, ValueError):
    """A URL or an option is wrong."""

    kind = "Config"


class DetachedError(OmmiError):
    """A value that was loaded with a database has none now."""

    kind = "Detached"


_KINDS: dict[str, type[OmmiError]] = {
    kind.kind: kind
    for kind in (
        NotFound,
        NotUnique,
        ConstraintError,
        ConflictError,
        OmmiTimeoutError,
        OmmiConnectionError,
        UnknownOutcomeError,
        OmmiTransactionError,
        OmmiSchemaError,
        QueryError,
        DecodeError,
        OmmiUnsupportedError,
        ConfigError,
        DetachedError,
    )
}

_MISMATCH_OPERATIONS = ("create", "use_models")

_sqlite_classes: dict[type[OmmiError], type[OmmiError]] = {}


def _class_of(kind: str, parts: dict[str, Any]) -> type[OmmiError]:
    cls = _KINDS.get(kind, OmmiError)
    if cls is OmmiSchemaError and parts["operation"] in _MISMATCH_OPERATIONS:
        return SchemaMismatch
    if cls is OmmiSchemaError and parts["driver"] == "sqlite":
        return _also_of_sqlite(cls)
    return cls


def _also_of_sqlite(cls: type[OmmiError]) -> type[OmmiError]:
    """The class that is caught as `sqlite3.OperationalError` too."""
    made = _sqlite_classes.get(cls)
    if made is None:
        try:
            import sqlite3
        except ImportError:
            return cls
        made = type(cls.__name__, (cls, sqlite3.OperationalError), {"__module__": __name__, "__doc__": cls.__doc__})
        _sqlite_classes[cls] = made
    return made


def _build(kind: str, parts: dict[str, Any]) -> OmmiError:
    """The exception of an error of the core."""
    message = parts.pop("message")
    causes = parts.pop("causes")
    error = _class_of(kind, parts)(message)
    vars(error).update(parts)
    cause: BaseException | None = None
    for text in reversed(causes):
        inner = drivers.DriverOperationError(text)
        inner.__cause__ = cause
        cause = inner
    error.__cause__ = cause
    return error


for _kind, _class in _KINDS.items():
    # `OmmiError.NotUnique` and its like, by the kinds' names
    setattr(OmmiError, _kind, _class)
