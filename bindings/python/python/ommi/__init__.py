"""Ommi: keep the classes you have, and read and write them in whatever database you like.

@ommi_model
@dataclass
class User:
    name: str
    age: int
    id: Annotated[int, Key | Auto] = auto()

async with Ommi("sqlite://users.db") as db:
    await db.add(User("Ada", 36)).or_raise()
    adults = await db.find(User.age >= 18).sort(User.name).all.or_raise()
"""

from __future__ import annotations

import os
from datetime import timezone
from typing import Any

from ommi import _core
from ommi.database.handle import Ommi
from ommi.database.transaction import OmmiTransaction
from ommi.driver_context import active_driver, use_driver
from ommi.drivers import BaseDriver, BaseDriverTransaction
from ommi.errors import (
    ConfigError,
    ConflictError,
    ConstraintError,
    DecodeError,
    DetachedError,
    NotFound,
    NotUnique,
    OmmiConnectionError,
    OmmiError,
    OmmiSchemaError,
    OmmiTimeoutError,
    OmmiTransactionError,
    OmmiUnsupportedError,
    QueryError,
    SchemaMismatch,
    UnknownOutcomeError,
)
from ommi.models.collections import ModelCollection
from ommi.models.field_metadata import (
    Auto,
    Created,
    Digits,
    Embedded,
    FieldType,
    Index,
    Key,
    MaxLength,
    ReferenceTo,
    StoreAs,
    Unique,
    Updated,
    Version,
)
from ommi.models.models import OmmiModel, ommi_model
from ommi.models.query_fields import AssociateUsing, Lazy, LazyList
from ommi.query_ast import count, fields, when, where
from ommi.results import DBQueryResult, DBResult

__all__ = [
    "AssociateUsing",
    "Auto",
    "BaseDriver",
    "BaseDriverTransaction",
    "ConfigError",
    "ConflictError",
    "ConstraintError",
    "Created",
    "DBQueryResult",
    "DBResult",
    "DecodeError",
    "DetachedError",
    "Digits",
    "Embedded",
    "FieldType",
    "Index",
    "Key",
    "Lazy",
    "LazyList",
    "MaxLength",
    "ModelCollection",
    "NotFound",
    "NotUnique",
    "Ommi",
    "OmmiConnectionError",
    "OmmiError",
    "OmmiModel",
    "OmmiSchemaError",
    "OmmiTimeoutError",
    "OmmiTransaction",
    "OmmiTransactionError",
    "OmmiUnsupportedError",
    "QueryError",
    "ReferenceTo",
    "SchemaMismatch",
    "StoreAs",
    "UTC",
    "Unique",
    "UnknownOutcomeError",
    "Updated",
    "Version",
    "active_driver",
    "auto",
    "count",
    "fields",
    "ommi_model",
    "use_driver",
    "when",
    "where",
]

UTC = timezone.utc
"""In `Annotated[datetime, UTC]`: the field keeps instants, which are read back in UTC."""


def auto() -> Any:
    """The default of an automatic key: `id: Annotated[int, Key | Auto] = auto()`."""
    return None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_core.after_fork_in_child)
