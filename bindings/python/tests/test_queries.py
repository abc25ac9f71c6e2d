"""What queries mean, on every database: the portability contract as Python sees it."""

from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Annotated, Optional

import pytest

from ommi import UTC, Auto, Key, ModelCollection, Unique, auto, count, ommi_model, when, where
from ommi.errors import NotFound, NotUnique, OmmiError, QueryError
from ommi.results import DBStatusNoResultException

collection = ModelCollection()


@ommi_model(collection=collection)
@dataclass
class Item:
    name: str
    price: Decimal
    stock: Optional[int] = None
    note: Optional[str] = None
    made: Optional[date] = None
    seen: Annotated[Optional[datetime], UTC] = None
    tags: list[str] = None
    data: Optional[dict] = None
    sold: bool = False
    weight: Optional[float] = None
    id: Annotated[int, Key | Auto] = auto()


ROWS = [
    Item(
        "apple",
        Decimal("1.50"),
        3,
        "Red",
        date(2024, 1, 31),
        None,
        ["fruit", "red"],
        {"a": {"b": [1, 2]}},
        True,
        0.5,
    ),
    Item("Äpfel", Decimal("2"), None, "red 100%", date(2023, 12, 1), None, [], {"a": "x"}, False, 1.5),
    Item(
        "banana",
        Decimal("10.25"),
        0,
        None,
        None,
        datetime(2024, 5, 1, 12, tzinfo=timezone.utc),
        ["fruit"],
        None,
    ),
    Item(
        "cherry ",
        Decimal("-1"),
        -7,
        "a_b",
        date(2024, 1, 1),
        None,
        ["red"],
        {"a": {"b": [9]}, "n": 2.5},
        True,
        -2.0,
    ),
    Item(
        "date",
        Decimal("10.25"),
        3,
        "",
        date(2024, 6, 15),
        datetime(2024, 5, 2, tzinfo=timezone.utc),
        [],
        {"n": True},
    ),
]


@pytest.fixture
async def items(db):
    import copy

    await db.use_models(collection)
    await db.add(*copy.deepcopy(ROWS)).or_raise()
    return db


A, AE, B, C, D = range(5)

CASES = {
    "equal": (lambda: Item.name == "apple", [A]),
    "equal heeds case": (lambda: Item.name == "Apple", []),
    "not equal leaves out null": (lambda: Item.stock != 3, [B, C]),
    "less": (lambda: Item.stock < 3, [B, C]),
    "less or equal": (lambda: Item.stock <= 0, [B, C]),
    "greater": (lambda: Item.price > 2, [B, D]),
    "greater or equal": (lambda: Item.price >= Decimal("2.00"), [AE, B, D]),
    "equal to None is null": (lambda: Item.stock == None, [AE]),  # noqa: E711
    "not equal to None": (lambda: Item.stock != None, [A, B, C, D]),  # noqa: E711
    "is_null": (lambda: Item.note.is_null(), [B]),
    "is_not_null": (lambda: Item.note.is_not_null(), [A, AE, C, D]),
    "decimals compare as numbers": (lambda: Item.price == Decimal("1.5"), [A]),
    "in_ of a list": (lambda: Item.name.in_(["apple", "date", "nothing"]), [A, D]),
    "in_ of arguments": (lambda: Item.stock.in_(3, 0), [A, B, D]),
    "in_ with None": (lambda: Item.stock.in_([0, None]), [AE, B]),
    "in_ of nothing": (lambda: Item.stock.in_([]), []),
    "in_ of many": (lambda: Item.id.in_(range(1, 2000)), [A, AE, B, C, D]),
    "not_in": (lambda: Item.stock.not_in([3]), [B, C]),
    "not_in with None": (lambda: Item.stock.not_in([3, None]), [B, C]),
    "not_in of nothing": (lambda: Item.stock.not_in([]), [A, AE, B, C, D]),
    "between": (lambda: Item.stock.between(-7, 0), [B, C]),
    "contains": (lambda: Item.name.contains("an"), [B]),
    "contains takes % plainly": (lambda: Item.note.contains("0%"), [AE]),
    "contains takes _ plainly": (lambda: Item.note.contains("a_b"), [C]),
    "not_contains": (lambda: Item.note.not_contains("e"), [C, D]),
    "icontains": (lambda: Item.note.icontains("RED"), [A, AE]),
    "icontains folds beyond ASCII": (lambda: Item.name.icontains("äP"), [AE]),
    "startswith": (lambda: Item.name.startswith("ba"), [B]),
    "starts_with": (lambda: Item.name.starts_with("Ä"), [AE]),
    "istartswith": (lambda: Item.name.istartswith("APP"), [A]),
    "endswith": (lambda: Item.name.endswith("na"), [B]),
    "ends_with counts trailing spaces": (lambda: Item.name.ends_with(" "), [C]),
    "iendswith": (lambda: Item.name.iendswith("LE"), [A]),
    "ieq": (lambda: Item.note.ieq("RED"), [A]),
    "like": (lambda: Item.name.like("%a_e%"), [D]),
    "like escapes": (lambda: Item.note.like(r"%\%"), [AE]),
    "not_like": (lambda: Item.note.not_like("%e%"), [C, D]),
    "ilike": (lambda: Item.name.ilike("APP%"), [A]),
    "regex": (lambda: Item.name.regex("^[a-b]"), [A, B]),
    "empty text is no null": (lambda: Item.note == "", [D]),
    "and": (lambda: (Item.stock == 3) & (Item.price > 5), [D]),
    "or": (lambda: (Item.stock == 0) | (Item.name == "apple"), [A, B]),
    "not": (lambda: ~(Item.stock == 3), [B, C]),
    "not of or": (lambda: ~((Item.stock == 3) | (Item.stock == 0)), [C]),
    "parentheses are kept": (lambda: (Item.stock == 3).Or(Item.stock == 0).And(Item.price > 5), [B, D]),
    "And of several": (lambda: when(Item.stock == 3).And(Item.price > 1, Item.sold == True), [A]),  # noqa: E712
    "Or of several": (lambda: when(Item.stock == 0).Or(Item.price == 2, Item.sold == False), [AE, B]),  # noqa: E712
    "and_ and or_": (lambda: when(Item.stock == 0).or_(Item.stock == 3).and_(Item.sold), [A]),
    "where is when": (lambda: where(Item.stock == 3, Item.price > 5), [D]),
    "a model is all rows": (lambda: Item, [A, AE, B, C, D]),
    "a model with a predicate": (lambda: when(Item, Item.stock == 0), [B]),
    "a boolean field by itself": (lambda: Item.sold & (Item.stock == 3), [A]),
    "true and false": (lambda: when(Item.stock == 3, False), []),
    "arithmetic": (lambda: Item.price * 2 == Decimal("20.50"), [B, D]),
    "arithmetic with fields": (lambda: Item.stock + Item.id == 4, [A]),
    "reversed arithmetic": (lambda: 10 - Item.stock == 7, [A, D]),
    "integer division truncates": (lambda: Item.stock / 2 == -3, [C]),
    "division by zero is null": (lambda: (Item.id / Item.stock).is_null(), [AE, B]),
    "remainder": (lambda: Item.stock % 2 == 1, [A, D]),
    "fields compare with fields": (lambda: Item.price > Item.stock, [B, C, D]),
    "date": (lambda: Item.made >= date(2024, 1, 1), [A, C, D]),
    "year": (lambda: Item.made.year == 2023, [AE]),
    "month": (lambda: Item.made.month == 1, [A, C]),
    "day": (lambda: Item.made.day == 31, [A]),
    "weekday": (lambda: Item.made.weekday == 6, [D]),
    "hour of an instant": (lambda: Item.seen.hour == 12, [B]),
    "instant": (lambda: Item.seen > datetime(2024, 5, 1, 12, tzinfo=timezone.utc), [D]),
    "list contains": (lambda: Item.tags.contains("red"), [A, C]),
    "list does not contain": (lambda: Item.tags.not_contains("red"), [AE, B, D]),
    "list overlaps": (lambda: Item.tags.overlaps(["red", "x"]), [A, C]),
    "length of a list": (lambda: Item.tags.length() == 2, [A]),
    "json text": (lambda: Item.data["a"].as_text() == "x", [AE]),
    "json int": (lambda: Item.data["a"]["b"][0].as_int() > 5, [C]),
    "json float": (lambda: Item.data["n"].as_float() == 2.5, [C]),
    "json bool": (lambda: Item.data["n"].as_bool() == True, [D]),  # noqa: E712
    "json path that leads nowhere": (lambda: Item.data["zz"].as_text().is_null(), [A, AE, B, C, D]),
    "json equality": (lambda: Item.data == {"a": "x"}, [AE]),
    "floats": (lambda: Item.weight > 0, [A, AE]),
    "an int for a float": (lambda: Item.weight == -2, [C]),
    "bits": (lambda: Item.stock.bit_and(1) == 1, [A, C, D]),
}


@pytest.mark.parametrize("name", CASES)
async def test_predicates(items, name):
    predicate, expected = CASES[name]
    found = await items.find(predicate()).or_raise()
    assert sorted(row.id - 1 for row in found) == expected
    assert await items.find(predicate()).count.or_raise() == len(expected)
    assert await items.find(predicate()).exists.or_raise() is bool(expected)


ORDERS = {
    "asc": (lambda: [Item.name.asc], [A, B, C, D, AE]),
    "asc called": (lambda: [Item.name.asc()], [A, B, C, D, AE]),
    "a bare field": (lambda: [Item.name], [A, B, C, D, AE]),
    "desc": (lambda: [Item.name.desc], [AE, D, C, B, A]),
    "desc called": (lambda: [Item.name.desc()], [AE, D, C, B, A]),
    "several": (lambda: [Item.stock.desc, Item.price.desc], [D, A, B, C, AE]),
    "null sorts lowest": (lambda: [Item.stock, Item.id], [AE, C, B, A, D]),
    "nulls last": (lambda: [Item.stock.asc.nulls_last(), Item.id], [C, B, A, D, AE]),
    "nulls first": (lambda: [Item.stock.desc.nulls_first(), Item.id], [AE, A, D, B, C]),
    "decimals as numbers": (lambda: [Item.price, Item.id], [C, A, AE, B, D]),
    "by an expression": (lambda: [(Item.price * -1).asc, Item.id], [B, D, AE, A, C]),
}


@pytest.mark.parametrize("name", ORDERS)
async def test_orders(items, name):
    order, expected = ORDERS[name]
    assert [row.id - 1 for row in await items.find(Item).sort(*order()).or_raise()] == expected
    assert [row.id - 1 for row in await items.find(when(Item).order_by(*order())).or_raise()] == expected


async def test_limit_page_and_offset(items):
    ids = lambda rows: [row.id for row in rows]  # noqa: E731
    query = items.find(Item).sort(Item.id)
    assert ids(await query.limit(2).or_raise()) == [1, 2]
    assert ids(await query.limit(2, 1).or_raise()) == [3, 4]
    assert ids(await query.limit(2, page=2).or_raise()) == [5]
    assert ids(await query.page(1, 2).or_raise()) == [3, 4]
    assert ids(await query.limit(2).offset(1).or_raise()) == [2, 3]
    assert ids(await query.limit(0).or_raise()) == []
    assert ids(await items.find(when(Item).sort(Item.id).limit(2, 1)).or_raise()) == [3, 4]
    assert ids(await items.find(when(Item.id > 1).sort(Item.id).limit(1).offset(1)).or_raise()) == [3]
    assert await query.limit(2).count.or_raise() == 2


async def test_queries_and_predicates_are_immutable(items):
    base = items.find(Item).sort(Item.id)
    base.limit(1)
    base.filter(Item.id == 1)
    assert len(await base.or_raise()) == 5
    predicate = when(Item.id == 1)
    predicate.Or(Item.id == 2)
    predicate.limit(0)
    assert len(await items.find(predicate).or_raise()) == 1


async def test_one_first_optional(items):
    assert (await items.find(Item.id == 1).one.or_raise()).name == "apple"
    with pytest.raises(NotFound) as none:
        await items.find(Item.id == 99).one.or_raise()
    assert isinstance(none.value, DBStatusNoResultException)
    with pytest.raises(NotUnique):
        await items.find(Item).one.or_raise()
    assert (await items.find(Item).sort(Item.id.desc).first.or_raise()).id == 5
    assert await items.find(Item.id == 99).first.or_raise() is None
    assert await items.find(Item.id == 99).optional.or_raise() is None
    with pytest.raises(NotUnique):
        await items.find(Item).optional.or_raise()


async def test_get(items):
    assert (await items.get(Item, 2).or_raise()).name == "Äpfel"
    with pytest.raises(NotFound, match="Item"):
        await items.get(Item, 99).or_raise()
    with pytest.raises(TypeError, match="1 values, and 2"):
        items.get(Item, 1, 2)


async def test_update(items):
    assert await items.find(Item.stock == 3).update(note="new").or_raise() == 2
    assert await items.find(Item.stock == 3).update({"stock": Item.stock + 1, "note": None}).or_raise() == 2
    assert await items.find(Item.stock == 4, Item.note.is_null()).count.or_raise() == 2
    assert await items.find(Item.id == 1).update({Item.price: Decimal("9.99")}).or_raise() == 1
    assert (await items.get(Item, 1).or_raise()).price == Decimal("9.99")
    assert await items.find(Item.id == 99).update(note="x").or_raise() == 0
    with pytest.raises(ValueError, match="no field `nothing`"):
        items.find(Item).update(nothing=1)
    with pytest.raises(ValueError, match="at least one field"):
        items.find(Item).update()
    with pytest.raises(TypeError, match="Item.stock"):
        items.find(Item).update(stock="x")


async def test_update_and_delete_refuse_limits(items):
    with pytest.raises(QueryError, match="limit"):
        await items.find(Item).limit(1).delete.or_raise()
    with pytest.raises(QueryError, match="limit"):
        await items.find(when(Item).sort(Item.id)).update(note="x").or_raise()
    assert await items.find(Item).count.or_raise() == 5


async def test_delete(items):
    assert await items.find(Item.stock == 3).delete().or_raise() == 2
    assert await items.find(Item).count.or_raise() == 3
    assert await items.find(Item.id == 99).delete.or_raise() == 0


async def test_aggregates(items):
    assert await items.find(Item).aggregate(count(), Item.stock.sum(), Item.stock.avg()).or_raise() == (
        5,
        -1,
        Decimal("-0.25"),
    )
    assert await items.find(Item.id == 99).aggregate(count(), Item.stock.sum(), Item.price.max()).or_raise() == (
        0,
        None,
        None,
    )
    low_high = await items.find(Item).aggregate(Item.price.min(), Item.price.max(), Item.name.min()).or_raise()
    assert low_high == (Decimal("-1"), Decimal("10.25"), "apple")
    assert await items.find(Item).aggregate(Item.stock.count(), Item.stock.count_distinct()).or_raise() == (
        4,
        3,
    )


async def test_groups(items):
    groups = items.find(Item).group_by(Item.sold).select(Item.sold, count(), Item.price.sum())
    assert await groups.order_by(Item.sold).all.or_raise() == [
        (False, 3, Decimal("22.5")),
        (True, 2, Decimal("0.5")),
    ]
    assert await groups.having(count() > 2).all.or_raise() == [(False, 3, Decimal("22.5"))]

    @dataclass
    class Group:
        sold: bool
        items: int

    typed = items.find(Item).group_by(Item.sold).select(Item.sold, count(), into=Group).sort(count().desc)
    assert await typed.first.or_raise() == Group(False, 3)


async def test_selected_fields_and_distinct(items):
    rows = await items.find(Item).select(Item.stock).distinct().order_by(Item.stock).all.or_raise()
    assert rows == [(None,), (-7,), (0,), (3,)]


async def test_streams(items):
    seen = []
    async with items.find(Item).sort(Item.id).stream(batch=2) as rows:
        async for row in rows:
            seen.append(row.id)
    assert seen == [1, 2, 3, 4, 5]
    async for row in items.find(Item).stream():
        assert row.id
        break


async def test_results_match(items):
    from ommi import DBQueryResult, DBResult

    match await items.find(Item.id == 1).one():
        case DBQueryResult.DBQuerySuccess(row):
            assert row.id == 1
        case _:
            pytest.fail("no success")
    match await items.find(Item.id == 1).one:
        case DBResult.DBSuccess(row):
            assert row.id == 1
        case _:
            pytest.fail("no success")
    match await items.find(Item.id == 99).one():
        case DBQueryResult.DBQueryFailure(DBStatusNoResultException() as error):
            assert isinstance(error, OmmiError)
        case _:
            pytest.fail("no failure")
    failed = await items.find(Item.id == 99).one()
    assert failed.result_or(3) == 3 and isinstance(failed.exception_or(None), NotFound)
    with pytest.raises(DBStatusNoResultException):
        _ = failed.result
    found = await items.find(Item).count()
    assert found.result == found.result_or(0) == 5 and found.exception_or(None) is None
    with pytest.raises(DBStatusNoResultException):
        _ = found.exception


async def test_all_gives_a_list_that_iterates_asynchronously(items):
    rows = await items.find(Item).sort(Item.id).or_raise()
    assert isinstance(rows, list) and [row.id async for row in rows] == [1, 2, 3, 4, 5]
    assert (await rows.one()).id == 1 and await rows.get() == rows
    assert (await items.find(Item.id == 1)).result[0].id == 1


async def test_or_use_hides_no_row_alone(items):
    assert await items.find(Item.id == 99).one.or_use(None) is None
    assert await items.find(Item.id == 1).count.or_use(0) == 1
    with pytest.raises(NotUnique):
        await items.find(Item).one.or_use(None)
    assert await items.find(Item).one.or_use("x", any_error=True) == "x"


async def test_explain_says_what_is_run(items):
    explanation = await items.find(Item.stock > 1).sort(Item.id).explain.or_raise()
    assert explanation.model == "Item" and explanation.driver in str(explanation)
    assert explanation.is_native == (not explanation.completed)


def test_wrong_queries_are_refused_where_they_are_written():
    with pytest.raises(TypeError, match="an int is wanted"):
        _ = Item.stock == "three"
    with pytest.raises(TypeError, match="no truth value"):
        bool(Item.stock == 3)
    with pytest.raises(TypeError, match="no truth value"):
        _ = Item.stock == 3 and Item.sold
    with pytest.raises(TypeError, match="is not text"):
        Item.stock.contains("a")
    with pytest.raises(TypeError, match="has no arithmetic"):
        _ = Item.name + 1
    with pytest.raises(TypeError, match="not iterable"):
        list(Item.data)
    with pytest.raises(TypeError, match="predicate"):
        when(Item.name)
    with pytest.raises(AttributeError):
        _ = Item.nothing


async def test_upsert(db):
    @ommi_model(collection=ModelCollection())
    @dataclass
    class Page:
        url: Annotated[str, Unique()]
        hits: int = 0
        id: Annotated[int, Key | Auto] = auto()

    (first,) = await db.add(Page("/a", 1)).or_raise()
    await db.upsert(Page("/a", 5, id=first.id)).or_raise()
    assert (await db.get(Page, first.id).or_raise()).hits == 5
    await db.upsert(Page("/a", 7), Page("/b", 1), on=["url"]).or_raise()
    await db.upsert(Page("/a", 9), on=[Page.url], ignore=True).or_raise()
    rows = await db.find(Page).select(Page.url, Page.hits).order_by(Page.url).all.or_raise()
    assert rows == [("/a", 7), ("/b", 1)]
