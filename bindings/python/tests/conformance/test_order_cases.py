from datetime import timedelta
from decimal import Decimal
from math import inf
from uuid import UUID

from models import Amount, Color, Moment, Narrow, Number, Odds, Real, Text, ordered, still, stored


async def test_null_sorts_lowest_upwards(db):
    assert await ordered(db, Number, "n", [2, None, 1], Number.n.asc) == [None, 1, 2]


async def test_null_sorts_lowest_downwards(db):
    assert await ordered(db, Number, "n", [2, None, 1], Number.n.desc) == [2, 1, None]


async def test_nulls_stand_first_where_asked(db):
    assert await ordered(db, Number, "n", [2, None, 1], Number.n.desc.nulls_first()) == [None, 2, 1]


async def test_nulls_stand_last_where_asked(db):
    assert await ordered(db, Number, "n", [2, None, 1], Number.n.asc.nulls_last()) == [1, 2, None]


async def test_text_sorts_by_code_point(db):
    values = ["b", "B", "a", "Z", "é", "z", "E", "_"]
    assert await ordered(db, Text, "text", values, Text.text) == sorted(values)


async def test_characters_beyond_the_basic_plane_sort_above_all_others(db):
    values = ["\U0001f600", "\uffff", "a", "\ue000"]
    assert await ordered(db, Text, "text", values, Text.text) == sorted(values)


async def test_trailing_spaces_count(db):
    assert await ordered(db, Text, "text", ["a ", "a", "a  "], Text.text) == ["a", "a ", "a  "]
    assert await still(db, Text, "text", Text.text == "a") == ["a"]


async def test_the_empty_text_sorts_before_all_others(db):
    assert await ordered(db, Text, "text", ["a", "", " "], Text.text) == ["", " ", "a"]


async def test_bytes_sort_unsigned(db):
    values = [b"\xff", b"\x00", b"\x7f", b"\x80", b"", b"\x00\x00"]
    assert await ordered(db, Odds, "raw", values, Odds.raw) == sorted(values)


async def test_uuids_sort_as_unsigned_bytes(db):
    values = [UUID(int=n) for n in (2**127, 1, 2**128 - 1, 0, 2**64)]
    assert await ordered(db, Odds, "uid", values, Odds.uid) == sorted(values)


async def test_booleans_sort_false_before_true(db):
    assert await ordered(db, Odds, "flag", [True, None, False], Odds.flag) == [None, False, True]


async def test_decimals_sort_by_number_not_by_text(db):
    values = [Decimal(text) for text in ("10", "9.5", "-2", "-10", "0.001", "9.50001")]
    assert await ordered(db, Amount, "amount", values, Amount.amount) == sorted(values)


async def test_floats_sort_with_infinities_at_the_ends(db):
    values = [0.0, inf, -inf, 1e300, -1e-300]
    assert await ordered(db, Real, "real", values, Real.real) == sorted(values)


async def test_unsigned_integers_sort_beyond_the_signed_range(db):
    values = [2**64 - 1, 0, 2**63, 2**63 - 1]
    assert await ordered(db, Narrow, "u64", values, Narrow.u64) == sorted(values)


async def test_durations_sort_below_zero_too(db):
    values = [timedelta(seconds=5), timedelta(0), timedelta(days=-1), timedelta(microseconds=1)]
    assert await ordered(db, Moment, "lasting", values, Moment.lasting) == sorted(values)


async def test_enums_sort_as_their_stored_text(db):
    values = [Color.RED, Color.GREEN, Color.BLUE]
    assert await ordered(db, Odds, "color", values, Odds.color) == [Color.GREEN, Color.BLUE, Color.RED]


async def test_several_orders_decide_one_after_the_other(db):
    await db.add(Number(1, 1), Number(2, 1), Number(1, 2)).or_raise()
    rows = await db.find(Number).sort(Number.n.desc, Number.m.desc).or_raise()
    assert [(row.n, row.m) for row in rows] == [(2, 1), (1, 2), (1, 1)]


async def test_a_later_order_by_has_less_weight(db):
    await db.add(Number(1, 1), Number(2, 1), Number(1, 2)).or_raise()
    rows = await db.find(Number).order_by(Number.n.desc).order_by(Number.m.desc).or_raise()
    assert [(row.n, row.m) for row in rows] == [(2, 1), (1, 2), (1, 1)]


async def test_an_expression_orders(db):
    assert await ordered(db, Number, "n", [3, -5, 1], (Number.n * Number.n).asc) == [1, 3, -5]


async def test_a_date_part_orders(db):
    from datetime import date

    values = [date(2020, 5, 3), date(2021, 1, 9), date(2019, 12, 1)]
    assert await ordered(db, Moment, "day", values, Moment.day.month.asc) == [values[1], values[0], values[2]]


async def test_the_same_field_twice_is_harmless(db):
    assert await ordered(db, Number, "n", [2, 1], Number.n.asc, Number.n.desc) == [1, 2]


async def test_an_order_applies_before_a_limit(db):
    await stored(db, Number, "n", [3, 1, 2])
    assert [row.n for row in await db.find(Number).limit(2).sort(Number.n).or_raise()] == [1, 2]


async def test_an_order_holds_for_thousands_of_rows(db):
    values = [(n * 7919) % 3001 for n in range(3000)]
    assert await ordered(db, Number, "n", values, Number.n) == sorted(values)


async def test_comparison_agrees_with_order(db):
    values = ["a", "B", "", "é", "a ", "Z"]
    await stored(db, Text, "text", values)
    for bound in values:
        assert await still(db, Text, "text", Text.text < bound) == [value for value in values if value < bound]
