from decimal import Decimal

import pytest

from models import Bag, passing, still, stored
from ommi import QueryError


async def test_order_and_repetition_are_kept(db):
    values = [["b", "a", "b"], ["a", "b"]]
    assert await passing(db, Bag, "tags", values, Bag) == values


async def test_an_empty_list_is_not_null(db):
    values = [[], None, ["a"]]
    await stored(db, Bag, "tags", values)
    assert await still(db, Bag, "tags", Bag.tags.is_null()) == [None]
    assert await still(db, Bag, "tags", Bag.tags.length() == 0) == [[]]


async def test_contains_looks_for_an_element(db):
    assert await passing(db, Bag, "tags", [["a", "b"], ["ab"], []], Bag.tags.contains("a")) == [["a", "b"]]


async def test_not_contains_is_the_opposite_and_leaves_nulls_out(db):
    assert await passing(db, Bag, "tags", [["a"], ["b"], [], None], Bag.tags.not_contains("a")) == [["b"], []]


async def test_contains_compares_elements_exactly(db):
    assert await passing(db, Bag, "tags", [["A"], ["a "], ["a"]], Bag.tags.contains("a")) == [["a"]]


async def test_overlaps_shares_an_element(db):
    values = [["a", "b"], ["c"], ["b"]]
    assert await passing(db, Bag, "tags", values, Bag.tags.overlaps(["b", "x"])) == [values[0], values[2]]


async def test_overlaps_of_nothing_is_false(db):
    assert await passing(db, Bag, "tags", [["a"], []], Bag.tags.overlaps([])) == []


async def test_the_length_counts_elements(db):
    assert await passing(db, Bag, "tags", [["a", "a"], ["b"], []], Bag.tags.length() == 2) == [["a", "a"]]


async def test_lists_are_equal_element_by_element(db):
    values = [["a", "b"], ["b", "a"], ["a"]]
    assert await passing(db, Bag, "tags", values, Bag.tags == ["a", "b"]) == values[:1]


async def test_numbers_in_lists_compare_by_value(db):
    values = [[Decimal("1.50")], [Decimal("2")]]
    assert await passing(db, Bag, "amounts", values, Bag.amounts.contains(Decimal("1.5"))) == values[:1]


async def test_elements_may_hold_any_text(db):
    values = [["a,b", '"', "\\", "{}", "", "null", "é\n"]]
    await stored(db, Bag, "tags", values)
    assert await still(db, Bag, "tags", Bag) == values
    for text in values[0]:
        assert await still(db, Bag, "tags", Bag.tags.contains(text)) == values


async def test_nul_and_nan_are_refused_in_elements(db):
    with pytest.raises(QueryError):
        await db.add(Bag(["a\0"])).or_raise()


async def test_a_list_is_replaced_by_an_update(db):
    await stored(db, Bag, "numbers", [[1, 2]])
    await db.find(Bag).update(numbers=[3]).or_raise()
    assert await still(db, Bag, "numbers", Bag) == [[3]]


async def test_a_list_of_thousands_comes_back(db):
    values = [list(range(5_000))]
    assert await passing(db, Bag, "numbers", values, Bag) == values


async def test_rows_are_ordered_by_the_length_of_a_list(db):
    await stored(db, Bag, "tags", [["a", "b"], [], ["c"]])
    rows = await db.find(Bag).sort(Bag.tags.length().asc).or_raise()
    assert [len(row.tags) for row in rows] == [0, 1, 2]
