"""The models of the cases, each with a table of its own, and what most cases do with them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Optional
from uuid import UUID

from ommi import UTC, Auto, Digits, FieldType, Key, ModelCollection, auto, ommi_model

model = lambda cls: ommi_model(collection=ModelCollection())(dataclass(cls))  # noqa: E731


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"
    GREEN = "Green"


@model
class Number:
    n: Optional[int] = None
    m: Optional[int] = None
    id: Annotated[int, Key | Auto] = auto()


@model
class Narrow:
    i8: Annotated[Optional[int], FieldType("i8")] = None
    u8: Annotated[Optional[int], FieldType("u8")] = None
    u64: Annotated[Optional[int], FieldType("u64")] = None
    id: Annotated[int, Key | Auto] = auto()


@model
class Text:
    text: Optional[str] = None
    other: Optional[str] = None
    id: Annotated[int, Key | Auto] = auto()


@model
class Amount:
    amount: Optional[Decimal] = None
    sized: Annotated[Optional[Decimal], Digits(10, 2)] = None
    n: int = 0
    id: Annotated[int, Key | Auto] = auto()


@model
class Real:
    real: Optional[float] = None
    id: Annotated[int, Key | Auto] = auto()


@model
class Moment:
    day: Optional[date] = None
    clock: Optional[time] = None
    local: Optional[datetime] = None
    instant: Annotated[Optional[datetime], UTC] = None
    lasting: Optional[timedelta] = None
    id: Annotated[int, Key | Auto] = auto()


@model
class Document:
    data: Optional[dict] = None
    anything: Any = None
    id: Annotated[int, Key | Auto] = auto()


@model
class Bag:
    tags: Optional[list[str]] = None
    numbers: Optional[list[int]] = None
    amounts: Optional[list[Decimal]] = None
    id: Annotated[int, Key | Auto] = auto()


@model
class Odds:
    flag: Optional[bool] = None
    raw: Optional[bytes] = None
    uid: Optional[UUID] = None
    color: Optional[Color] = None
    id: Annotated[int, Key | Auto] = auto()


async def stored(db: Any, of: type, field: str, values: list[Any]) -> None:
    """Adds a row for each value of a field; their keys count from 1."""
    await db.add(*[of(**{field: value}) for value in values]).or_raise()


async def passing(db: Any, of: type, field: str, values: list[Any], predicate: Any) -> list[Any]:
    """Those of some values that pass a predicate, in their order."""
    await stored(db, of, field, values)
    return await still(db, of, field, predicate)


async def still(db: Any, of: type, field: str, predicate: Any) -> list[Any]:
    """The values of a field in the rows that pass a predicate, in the order in which they were added."""
    rows = await db.find(of, predicate).sort(of.id).or_raise()
    return [getattr(row, field) for row in rows]


async def ordered(db: Any, of: type, field: str, values: list[Any], *order: Any) -> list[Any]:
    """Some values in an order."""
    await stored(db, of, field, values)
    rows = await db.find(of).sort(*order).or_raise()
    return [getattr(row, field) for row in rows]
