import pytest

from models import Number, Text, passing, still, stored
from ommi import ConstraintError

VALUES = [1, None, 2, None, 3]


async def test_eq_none_means_is_null(db):
    assert await passing(db, Number, "n", VALUES, Number.n == None) == [None, None]  # noqa: E711


async def test_ne_none_means_is_not_null(db):
    assert await passing(db, Number, "n", VALUES, Number.n != None) == [1, 2, 3]  # noqa: E711


async def test_comparing_with_null_is_unknown_and_such_rows_are_not_returned(db):
    await stored(db, Number, "n", VALUES)
    for predicate in (Number.n < 9, Number.n > 0, Number.n <= 3, Number.n >= 1, Number.n != 7):
        assert await still(db, Number, "n", predicate) == [1, 2, 3]


async def test_not_of_unknown_is_unknown(db):
    assert await passing(db, Number, "n", VALUES, ~(Number.n == 2)) == [1, 3]


async def test_not_twice_leaves_unknown_unknown(db):
    assert await passing(db, Number, "n", VALUES, ~~(Number.n == 2)) == [2]


async def test_true_or_unknown_is_true(db):
    assert await passing(db, Number, "n", VALUES, (Number.n == 1) | (Number.id > 0)) == VALUES


async def test_false_and_unknown_is_false(db):
    assert await passing(db, Number, "n", VALUES, ~((Number.n == 1) & (Number.id < 0))) == VALUES


async def test_null_is_not_equal_to_null_between_fields(db):
    await db.add(Number(None, None), Number(1, 1), Number(1, None)).or_raise()
    assert await still(db, Number, "id", Number.n == Number.m) == [2]


async def test_null_does_not_differ_from_a_value_between_fields(db):
    await db.add(Number(None, None), Number(1, 2), Number(1, None)).or_raise()
    assert await still(db, Number, "id", Number.n != Number.m) == [2]


async def test_in_with_none_means_null_or_one_of_the_others(db):
    assert await passing(db, Number, "n", VALUES, Number.n.in_([1, None])) == [1, None, None]


async def test_in_with_none_alone_means_is_null(db):
    assert await passing(db, Number, "n", VALUES, Number.n.in_([None])) == [None, None]


async def test_not_in_with_none_means_not_null_and_none_of_the_others(db):
    assert await passing(db, Number, "n", VALUES, Number.n.not_in([1, None])) == [2, 3]


async def test_not_in_without_none_leaves_nulls_out(db):
    assert await passing(db, Number, "n", VALUES, Number.n.not_in([1])) == [2, 3]


async def test_in_of_nothing_matches_nothing_not_even_null(db):
    assert await passing(db, Number, "n", VALUES, Number.n.in_([])) == []


async def test_not_in_of_nothing_matches_everything_even_null(db):
    assert await passing(db, Number, "n", VALUES, Number.n.not_in([])) == VALUES


async def test_negated_in_leaves_nulls_out(db):
    assert await passing(db, Number, "n", VALUES, ~Number.n.in_([1])) == [2, 3]


async def test_between_leaves_nulls_out(db):
    await stored(db, Number, "n", VALUES)
    assert await still(db, Number, "n", Number.n.between(1, 2)) == [1, 2]
    assert await still(db, Number, "n", ~Number.n.between(1, 2)) == [3]


async def test_text_tests_of_null_are_unknown_negated_or_not(db):
    await stored(db, Text, "text", ["ab", None, "cd"])
    assert await still(db, Text, "text", Text.text.contains("a")) == ["ab"]
    assert await still(db, Text, "text", ~Text.text.contains("a")) == ["cd"]
    assert await still(db, Text, "text", ~Text.text.like("a%")) == ["cd"]
    assert await still(db, Text, "text", ~Text.text.regex("a")) == ["cd"]


async def test_arithmetic_with_null_is_null(db):
    assert await passing(db, Number, "n", VALUES, (Number.n + 1).is_null()) == [None, None]


async def test_none_is_stored_as_null_and_empty_text_is_not(db):
    await stored(db, Text, "text", ["", None, " "])
    assert await still(db, Text, "text", Text.text.is_null()) == [None]
    assert await still(db, Text, "text", Text.text == "") == [""]


async def test_an_update_sets_null_and_takes_it_away(db):
    await stored(db, Number, "n", [1, None])
    await db.find(Number.n == 1).update(n=None).or_raise()
    assert await still(db, Number, "n", Number.n.is_null()) == [None, None]
    await db.find(Number.n.is_null()).update(n=5).or_raise()
    assert await still(db, Number, "n", Number.n == 5) == [5, 5]


async def test_a_filter_of_constants_alone_decides_for_all_rows(db):
    await stored(db, Number, "n", VALUES)
    assert await still(db, Number, "n", True) == VALUES
    assert await still(db, Number, "n", False) == []


async def test_a_required_field_is_never_null(db):
    from models import Amount

    with pytest.raises(ConstraintError):
        await db.add(Amount(n=None)).or_raise()
