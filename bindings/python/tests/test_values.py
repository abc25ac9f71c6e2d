"""Values come back as they went in."""

import enum
import math
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union

import pydantic
import pytest

from ommi import UTC, Auto, Digits, FieldType, Key, MaxLength, ModelCollection, auto, ommi_model


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Odd(enum.Enum):
    TUPLE = (1, 2)
    TEXT = "x"


@dataclass
class Address:
    street: str
    since: Optional[date] = None
    tags: list[str] = field(default_factory=list)


class Point(pydantic.BaseModel):
    x: Decimal
    y: float = 0.0


UTC_NOW = datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=timezone.utc)

CASES: dict[str, tuple[Any, list[Any]]] = {
    "bool": (bool, [True, False]),
    "int": (int, [0, 1, -1, 2**63 - 1, -(2**63)]),
    "i16": (Annotated[int, FieldType("i16")], [32767, -32768]),
    "u64": (Annotated[int, FieldType("u64")], [0, 2**64 - 1]),
    "float": (float, [0.0, 1.5, -1e300, 5e-324, math.inf, -math.inf]),
    "str": (str, ["", "a", "ü€𝄞", "quote ' \" ` \\ %_", " trailing ", "x" * 70_000]),
    "bytes": (bytes, [b"", b"\x00\xff", bytes(range(256))]),
    "Decimal": (
        Decimal,
        [Decimal("0"), Decimal("1.50"), Decimal("-9999999999999999999999999999"), Decimal("1E+3")],
    ),
    "Digits": (Annotated[Decimal, Digits(10, 2)], [Decimal("1.50"), Decimal("-12345678.90")]),
    "UUID": (
        uuid.UUID,
        [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")],
    ),
    "date": (date, [date(1, 1, 1), date(2024, 2, 29), date(9999, 12, 31)]),
    "time": (time, [time(0), time(23, 59, 59, 999999)]),
    "datetime": (
        datetime,
        [datetime(1, 1, 1), datetime(2024, 2, 29, 1, 2, 3, 4), datetime(9999, 12, 30, 1, 59, 59)],
    ),
    "instant": (
        Annotated[datetime, UTC],
        [UTC_NOW, UTC_NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))],
    ),
    "timedelta": (
        timedelta,
        [timedelta(0), timedelta(days=-3, microseconds=1), timedelta(days=100_000, seconds=1)],
    ),
    "Enum": (Color, list(Color)),
    "IntEnum": (Size, list(Size)),
    "Enum by name": (Odd, list(Odd)),
    "Literal": (Literal["a", "b"], ["a", "b"]),
    "Literal int": (Literal[1, 2], [1, 2]),
    "Optional": (Optional[int], [None, 3]),
    "union": (str | None, [None, "x"]),
    "list of int": (list[int], [[], [1, 2, 3]]),
    "list of str": (list[str], [["a", "ü", ""]]),
    "list of Decimal": (list[Decimal], [[Decimal("1.5")]]),
    "list of Enum": (list[Color], [[Color.RED, Color.BLUE]]),
    "dict": (dict, [{}, {"a": [1, 2.5, None, True, {"b": "ü"}]}]),
    "dict of Decimal": (dict[str, Decimal], [{"a": Decimal("1.10")}]),
    "Any": (Any, [1, "a", None, [1], {"a": 1}]),
    "dataclass": (Address, [Address("x", date(2020, 1, 2), ["a"]), Address("y")]),
    "Optional dataclass": (Optional[Address], [None, Address("x")]),
    "list of dataclass": (list[Address], [[], [Address("x", date(2020, 1, 2))]]),
    "pydantic": (Point, [Point(x=Decimal("1.25"), y=2.5)]),
    "tuple": (tuple[int, str], [(1, "a")]),
    "tuple of any length": (tuple[date, ...], [(), (date(2020, 1, 1), date(2021, 1, 1))]),
    "set": (set[int], [set(), {1, 2}]),
    "union of types": (Union[int, str], [1, "a"]),
}


@pytest.mark.parametrize("name", CASES)
async def test_values_come_back_equal(db, name):
    annotation, values = CASES[name]
    model = _model(annotation)
    for value in values:
        await db.add(model(value)).or_raise()
    found = await db.find(model).sort(model.id).or_raise()
    assert [row.value for row in found] == values
    for row, value in zip(found, values, strict=True):
        assert type(row.value) is type(value) or isinstance(value, datetime)


def _model(annotation: Any) -> Any:
    @ommi_model(collection=ModelCollection())
    @dataclass
    class Holder:
        value: annotation  # type: ignore[valid-type]
        id: Annotated[int, Key | Auto] = auto()

    return Holder


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (int, "1", "an int is wanted"),
        (int, True, "an int is wanted"),
        (int, 2**63, "outside the field's range"),
        (int, 1.5, "an int is wanted"),
        (bool, 1, "a bool is wanted"),
        (str, 1, "a str is wanted"),
        (str, None, "cannot be null"),
        (str, "a\0b", "NUL character"),
        (float, math.nan, "use None"),
        (Decimal, 1.5, "write Decimal"),
        (Decimal, Decimal("NaN"), "use None"),
        (Decimal, Decimal("1." + "1" * 40), "significant digits"),
        (datetime, UTC_NOW, "Annotated"),
        (Annotated[datetime, UTC], datetime(2020, 1, 1), "no time zone"),
        (date, datetime(2020, 1, 1), "a datetime.date is wanted"),
        (time, time(1, tzinfo=timezone.utc), "tzinfo"),
        (Color, "red", "a member of Color is wanted"),
        (Literal["a"], "b", "a member of Literal is wanted"),
        (list[int], "123", "a list is wanted"),
        (list[int], [1, None], "cannot hold None"),
        (dict, {1: 2}, "keys of a JSON object are text"),
        (dict, {"a": object()}, "cannot be stored as JSON"),
        (uuid.UUID, "x", "a uuid.UUID is wanted"),
        (Annotated[str, MaxLength(2)], "abc", "longer than 2"),
    ],
)
async def test_wrong_values_are_refused_with_the_mend(db, annotation, value, message):
    model = _model(annotation)
    with pytest.raises(Exception, match=message) as refused:
        await db.add(model(value)).or_raise()
    assert "value" in str(refused.value)


async def test_instants_come_back_in_utc(db):
    model = _model(Annotated[datetime, UTC])
    await db.add(model(UTC_NOW.astimezone(timezone(timedelta(hours=-8))))).or_raise()
    found = await db.find(model).one.or_raise()
    assert found.value == UTC_NOW and found.value.tzinfo is timezone.utc


async def test_a_named_tuple_can_take_selected_values(db):
    class Pair(NamedTuple):
        value: int
        id: int

    model = _model(int)
    await db.add(model(3), model(4)).or_raise()
    rows = await db.find(model).select(model.value, model.id, into=Pair).order_by(model.value.desc).all.or_raise()
    assert [row.value for row in rows] == [4, 3]
