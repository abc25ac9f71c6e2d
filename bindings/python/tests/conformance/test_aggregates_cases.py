from decimal import Decimal
from math import inf, isclose

import pytest

from models import Amount, Document, Moment, Narrow, Number, Real, Text, stored
from ommi import OmmiError, QueryError, count


async def aggregate(db, of, *what):
    return await db.find(of).aggregate(*what).or_raise()


async def test_count_counts_rows_and_values(db):
    await stored(db, Number, "n", [1, None, 1])
    assert await aggregate(db, Number, count(), Number.n.count()) == (3, 2)


async def test_count_distinct_counts_each_value_once(db):
    await stored(db, Number, "n", [1, None, 1, 2])
    assert await aggregate(db, Number, Number.n.count_distinct()) == (2,)


async def test_the_sum_of_integers_is_exact(db):
    await stored(db, Number, "n", [2**53, 1, 1])
    assert await aggregate(db, Number, Number.n.sum()) == (2**53 + 2,)


async def test_a_sum_of_integers_beyond_64_bits_is_a_query_error(db):
    await stored(db, Number, "n", [2**63 - 1, 1])
    with pytest.raises(QueryError):
        await aggregate(db, Number, Number.n.sum())


async def test_the_mean_of_integers_is_exact_with_twelve_digits_half_even(db):
    await stored(db, Number, "n", [1, 1, 0])
    assert await aggregate(db, Number, Number.n.avg()) == (Decimal("0.666666666667"),)


async def test_the_sum_of_decimals_is_exact(db):
    await stored(db, Amount, "amount", [Decimal("0.1")] * 3)
    assert await aggregate(db, Amount, Amount.amount.sum()) == (Decimal("0.3"),)


async def test_the_mean_of_decimals_is_exact_with_twelve_digits_half_even(db):
    await stored(db, Amount, "amount", [Decimal("1"), Decimal("0"), Decimal("0")])
    assert await aggregate(db, Amount, Amount.amount.avg()) == (Decimal("0.333333333333"),)


async def test_the_sum_of_floats_is_close(db):
    await stored(db, Real, "real", [0.1] * 10)
    assert isclose((await aggregate(db, Real, Real.real.sum()))[0], 1.0, rel_tol=1e-12)


async def test_infinities_in_sums_stay_infinite(db):
    await stored(db, Real, "real", [inf, 1.0])
    assert await aggregate(db, Real, Real.real.sum()) == (inf,)


async def test_the_mean_of_unsigned_integers_is_exact(db):
    await stored(db, Narrow, "u64", [2**64 - 1, 2**64 - 1])
    assert await aggregate(db, Narrow, Narrow.u64.avg()) == (Decimal(2**64 - 1),)


async def test_least_and_greatest_of_every_ordered_type(db):
    from datetime import date, timedelta

    cases = [
        (Number, "n", [3, -1, 2]),
        (Text, "text", ["b", "B", "a"]),
        (Amount, "amount", [Decimal("10"), Decimal("9.5")]),
        (Real, "real", [1.5, -2.5]),
        (Moment, "day", [date(2024, 1, 1), date(1999, 1, 1)]),
        (Moment, "lasting", [timedelta(1), timedelta(-1)]),
    ]
    for of, name, values in cases:
        await db.find(of).delete.or_raise()
        await stored(db, of, name, values)
        field = getattr(of, name)
        assert await aggregate(db, of, field.min(), field.max()) == (min(values), max(values))


async def test_aggregates_of_no_rows_are_null_and_counts_are_zero(db):
    what = (count(), Number.n.count(), Number.n.sum(), Number.n.avg(), Number.n.min(), Number.n.max())
    assert await aggregate(db, Number, *what) == (0, 0, None, None, None, None)


async def test_aggregates_leave_nulls_out(db):
    await stored(db, Number, "n", [2, None, 4])
    assert await aggregate(db, Number, Number.n.avg(), Number.n.min()) == (Decimal(3), 2)


async def test_aggregates_of_nothing_but_nulls_are_null(db):
    await stored(db, Number, "n", [None, None])
    assert await aggregate(db, Number, count(), Number.n.sum()) == (2, None)


async def test_aggregates_of_expressions(db):
    await db.add(Number(1, 10), Number(2, 20)).or_raise()
    assert await aggregate(db, Number, (Number.n * Number.m).sum()) == (50,)


async def test_aggregates_of_filtered_rows(db):
    await stored(db, Number, "n", [1, 2, 3])
    assert await db.find(Number.n > 1).aggregate(Number.n.sum()).or_raise() == (5,)


async def test_an_aggregate_takes_no_order_or_limit(db):
    with pytest.raises(TypeError):
        db.find(Number).limit(1).aggregate(count())


async def test_groups_hold_the_rows_of_a_value(db):
    await stored(db, Number, "n", [1, 2, 1])
    groups = db.find(Number).group_by(Number.n).select(Number.n, count()).order_by(Number.n)
    assert await groups.all.or_raise() == [(1, 2), (2, 1)]


async def test_null_is_a_group_of_its_own(db):
    await stored(db, Number, "n", [None, 2, None])
    groups = db.find(Number).group_by(Number.n).select(Number.n, count()).order_by(Number.n)
    assert await groups.all.or_raise() == [(None, 2), (2, 1)]


async def test_groups_of_several_fields(db):
    await db.add(Number(1, 1), Number(1, 2), Number(1, 1)).or_raise()
    groups = db.find(Number).group_by(Number.n, Number.m).select(Number.n, Number.m, count()).order_by(Number.m)
    assert await groups.all.or_raise() == [(1, 1, 2), (1, 2, 1)]


async def test_groups_of_equal_decimals_are_one(db):
    await stored(db, Amount, "amount", [Decimal("1.5"), Decimal("1.50"), Decimal("1.500")])
    assert await db.find(Amount).group_by(Amount.amount).select(Amount.amount, count()).all.or_raise() == [
        (Decimal("1.5"), 3)
    ]


async def test_groups_of_text_are_exact(db):
    await stored(db, Text, "text", ["a", "A", "a ", "a"])
    groups = db.find(Text).group_by(Text.text).select(Text.text, count()).order_by(Text.text)
    assert await groups.all.or_raise() == [("A", 1), ("a", 2), ("a ", 1)]


async def test_groups_of_an_expression(db):
    await stored(db, Number, "n", [1, 2, 3])
    even = Number.n % 2
    assert await db.find(Number).group_by(even).select(even, count()).order_by(even).all.or_raise() == [(0, 1), (1, 2)]


async def test_groups_of_no_rows_are_none(db):
    assert await db.find(Number).group_by(Number.n).select(Number.n, count()).all.or_raise() == []


async def test_having_chooses_groups(db):
    await stored(db, Number, "n", [1, 2, 1])
    groups = db.find(Number).group_by(Number.n).select(Number.n).having(count() > 1)
    assert await groups.all.or_raise() == [(1,)]


async def test_having_combines_conditions(db):
    await db.add(Number(1, 5), Number(1, 5), Number(2, 1), Number(3, 50)).or_raise()
    groups = db.find(Number).group_by(Number.n).select(Number.n).having((count() > 1) | (Number.m.sum() > 20))
    assert sorted(await groups.all.or_raise()) == [(1,), (3,)]


async def test_groups_are_ordered_by_aggregates(db):
    await stored(db, Number, "n", [1, 2, 2, 3, 3, 3])
    groups = db.find(Number).group_by(Number.n).select(Number.n).order_by(count().desc)
    assert await groups.all.or_raise() == [(3,), (2,), (1,)]


async def test_groups_are_limited_after_they_are_ordered(db):
    await stored(db, Number, "n", [1, 2, 2, 3, 3, 3])
    groups = db.find(Number).group_by(Number.n).select(Number.n).order_by(count().desc).limit(1)
    assert await groups.all.or_raise() == [(3,)]


async def test_a_field_that_is_not_grouped_by_is_refused(db):
    with pytest.raises(OmmiError):
        await db.find(Number).group_by(Number.n).select(Number.m, count()).all.or_raise()


async def test_thousands_of_groups(db):
    await stored(db, Number, "n", [n % 1_000 for n in range(2_000)])
    groups = await db.find(Number).group_by(Number.n).select(Number.n, count()).all.or_raise()
    assert len(groups) == 1_000 and {of for _, of in groups} == {2}


async def test_one_of_a_group_query(db):
    await stored(db, Number, "n", [4, 4])
    assert await db.find(Number).group_by(Number.n).select(Number.n, count()).one.or_raise() == (4, 2)


async def test_grouping_and_ordering_by_json_is_refused(db):
    with pytest.raises((OmmiError, TypeError)):
        await db.find(Document).sort(Document.data).or_raise()
    with pytest.raises((OmmiError, TypeError)):
        await db.find(Document).group_by(Document.data).select(count()).all.or_raise()


async def test_a_sum_may_leave_its_range_on_the_way(db):
    await stored(db, Number, "n", [2**63 - 1, 2**63 - 1, -(2**63 - 1), -5])
    assert await aggregate(db, Number, Number.n.sum()) == (2**63 - 6,)
