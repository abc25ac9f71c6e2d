from decimal import Decimal
from typing import Annotated, Optional
from uuid import UUID, uuid4

import pytest

from models import Number, model, stored
from ommi import Auto, ConstraintError, FieldType, Key, NotFound, auto


@model
class Only:
    id: Annotated[int, Key | Auto] = auto()


@model
class Tiny:
    id: Annotated[Optional[int], Key | Auto, FieldType("i16")] = None


@model
class Named:
    name: Annotated[str, Key]
    n: int = 0


@model
class Identified:
    n: int
    id: Annotated[UUID, Key | Auto] = auto()


@model
class Cell:
    row: Annotated[int, Key]
    column: Annotated[str, Key]
    value: str = ""


async def test_automatic_keys_are_assigned_from_one(db):
    rows = await db.add(Number(5), Number(6)).or_raise()
    assert [row.id for row in rows] == [1, 2]


async def test_automatic_keys_of_a_batch_belong_to_their_rows(db):
    rows = await db.add(*[Number(n) for n in range(500)]).or_raise()
    found = {row.id: row.n for row in await db.find(Number).or_raise()}
    assert {row.id: row.n for row in rows} == found


async def test_given_keys_are_kept_and_later_ones_do_not_collide(db):
    await db.add(Number(1, id=70)).or_raise()
    (row,) = await db.add(Number(2)).or_raise()
    assert row.id > 70


async def test_a_batch_may_mix_given_and_automatic_keys(db):
    rows = await db.add(Number(1), Number(2, id=50), Number(3)).or_raise()
    assert rows[1].id == 50 and len({row.id for row in rows}) == 3
    assert {row.id: row.n for row in await db.find(Number).or_raise()} == {row.id: row.n for row in rows}


async def test_the_key_of_a_deleted_row_is_not_assigned_again(db):
    (row,) = await db.add(Number(1)).or_raise()
    await db.delete(row).or_raise()
    (other,) = await db.add(Number(1)).or_raise()
    assert other.id != row.id


async def test_automatic_keys_may_be_of_narrow_types(db):
    rows = await db.add(Tiny(), Tiny()).or_raise()
    assert [row.id for row in rows] == [1, 2]


async def test_a_model_of_nothing_but_its_automatic_key_is_added(db):
    rows = await db.add(Only(), Only(), Only()).or_raise()
    assert [row.id for row in rows] == [1, 2, 3]


async def test_uuid_keys_are_assigned_in_order_of_time(db):
    rows = await db.add(*[Identified(n) for n in range(50)]).or_raise()
    keys = [row.id for row in rows]
    assert all(isinstance(key, UUID) and key.version == 7 for key in keys) and keys == sorted(keys)
    assert (await db.get(Identified, keys[7]).or_raise()).n == 7


async def test_a_given_uuid_is_kept(db):
    given = uuid4()
    await db.add(Identified(1, given)).or_raise()
    assert (await db.get(Identified, given).or_raise()).n == 1


async def test_text_keys_are_exact(db):
    await db.add(Named("a", 1), Named("A", 2), Named("a ", 3)).or_raise()
    assert (await db.get(Named, "A").or_raise()).n == 2
    assert (await db.get(Named, "a ").or_raise()).n == 3


async def test_composite_keys_find_one_row(db):
    await db.add(Cell(1, "a", "x"), Cell(1, "b", "y"), Cell(2, "a", "z")).or_raise()
    assert (await db.get(Cell, 1, "b").or_raise()).value == "y"
    assert (await db.get(Cell, (2, "a")).or_raise()).value == "z"
    with pytest.raises(NotFound):
        await db.get(Cell, 2, "b").or_raise()


async def test_composite_keys_are_unique_as_a_whole(db):
    await db.add(Cell(1, "a"), Cell(1, "b"), Cell(2, "a")).or_raise()
    with pytest.raises(ConstraintError):
        await db.add(Cell(1, "b")).or_raise()


async def test_get_of_an_absent_key_is_not_found(db):
    await db.use_models(Number.__ommi__.collection)
    with pytest.raises(NotFound) as error:
        await db.get(Number, 1).or_raise()
    assert error.value.model == "Number" and error.value.operation == "get"


async def test_a_key_is_not_given_twice(db):
    await db.add(Number(1, id=5)).or_raise()
    with pytest.raises(ConstraintError) as error:
        await db.add(Number(2, id=5)).or_raise()
    assert list(error.value.fields) == ["id"]


async def test_a_batch_with_a_key_twice_is_refused(db):
    with pytest.raises(ConstraintError):
        await db.add(Number(1, id=5), Number(2, id=5)).or_raise()


async def test_a_key_is_changed_by_an_update(db):
    await db.add(Named("a", 1)).or_raise()
    assert await db.find(Named.name == "a").update(name="b").or_raise() == 1
    assert (await db.get(Named, "b").or_raise()).n == 1


async def test_zero_and_negative_keys_are_keys(db):
    await stored(db, Number, "id", [0, -7])
    assert (await db.get(Number, -7).or_raise()).id == -7
    assert (await db.get(Number, 0).or_raise()).id == 0


@pytest.mark.parametrize(
    ("of", "values"),
    [
        (Decimal, [Decimal("1.5"), Decimal("2")]),
        (bytes, [b"\x00", b"\xff"]),
        (UUID, [UUID(int=1), UUID(int=2)]),
    ],
    ids=["Decimal", "bytes", "UUID"],
)
async def test_keys_of_every_ordered_type_find_their_row(db, of, values):
    namespace = {"__annotations__": {"key": Annotated[of, Key], "n": int}, "__module__": __name__}
    keyed = model(type("Keyed", (), namespace))
    await db.add(*[keyed(value, n) for n, value in enumerate(values)]).or_raise()
    for n, value in enumerate(values):
        assert (await db.get(keyed, value).or_raise()).n == n
