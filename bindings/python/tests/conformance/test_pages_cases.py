import pytest

from models import Number, Text, stored
from ommi import NotFound, NotUnique


@pytest.fixture
async def ten(db):
    await stored(db, Number, "n", list(range(10)))
    return db


async def ns(query):
    return [row.n for row in await query.or_raise()]


async def test_a_limit_keeps_the_first_rows(ten):
    assert await ns(ten.find(Number).sort(Number.n).limit(3)) == [0, 1, 2]


async def test_a_limit_of_zero_gives_nothing(ten):
    assert await ns(ten.find(Number).limit(0)) == []


async def test_a_limit_beyond_the_end_gives_all(ten):
    assert len(await ns(ten.find(Number).limit(100))) == 10


async def test_an_offset_leaves_the_first_rows_out(ten):
    assert await ns(ten.find(Number).sort(Number.n).offset(7)) == [7, 8, 9]


async def test_an_offset_beyond_the_end_gives_nothing(ten):
    assert await ns(ten.find(Number).sort(Number.n).offset(10)) == []


async def test_pages_are_counted_from_zero(ten):
    assert await ns(ten.find(Number).sort(Number.n).page(0, 4)) == [0, 1, 2, 3]
    assert await ns(ten.find(Number).sort(Number.n).page(2, 4)) == [8, 9]


async def test_a_later_limit_replaces_an_earlier_one(ten):
    assert await ns(ten.find(Number).sort(Number.n).limit(9).limit(2)) == [0, 1]


async def test_limits_beyond_any_number_of_rows_are_no_limits(ten):
    assert len(await ns(ten.find(Number).limit(2**62))) == 10


async def test_count_takes_limit_and_offset_into_account(ten):
    assert await ten.find(Number).limit(3).count.or_raise() == 3
    assert await ten.find(Number).offset(8).count.or_raise() == 2
    assert await ten.find(Number).limit(5).offset(8).count.or_raise() == 2


async def test_exists_says_whether_there_is_a_row(ten):
    assert await ten.find(Number.n == 3).exists.or_raise() is True
    assert await ten.find(Number.n == 30).exists.or_raise() is False


async def test_exists_takes_an_offset_into_account(ten):
    assert await ten.find(Number).offset(9).exists.or_raise() is True
    assert await ten.find(Number).offset(10).exists.or_raise() is False


async def test_first_takes_the_first_row_of_the_order(ten):
    assert (await ten.find(Number).sort(Number.n.desc).first.or_raise()).n == 9


async def test_one_wants_exactly_one_row(ten):
    assert (await ten.find(Number.n == 3).one.or_raise()).n == 3
    with pytest.raises(NotUnique):
        await ten.find(Number.n > 3).one.or_raise()
    with pytest.raises(NotFound):
        await ten.find(Number.n == 30).one.or_raise()


async def test_one_by_key_and_more(ten):
    assert (await ten.find(Number.id == 4, Number.n == 3).one.or_raise()).id == 4
    with pytest.raises(NotFound):
        await ten.find(Number.id == 4, Number.n == 9).one.or_raise()


async def test_optional_wants_at_most_one_row(ten):
    assert await ten.find(Number.n == 30).optional.or_raise() is None
    with pytest.raises(NotUnique):
        await ten.find(Number).optional.or_raise()


async def test_filters_are_added_to_a_query(ten):
    assert await ns(ten.find(Number.n > 2).filter(Number.n < 5).where(Number.n != 3)) == [4]


async def test_distinct_gives_each_row_once(db):
    await stored(db, Text, "text", ["a", "b", "a"])
    assert sorted(await db.find(Text).select(Text.text).distinct().all.or_raise()) == [("a",), ("b",)]


async def test_distinct_values_of_a_nullable_field_hold_null_once(db):
    await stored(db, Text, "text", ["a", None, None])
    rows = await db.find(Text).select(Text.text).distinct().order_by(Text.text).all.or_raise()
    assert rows == [(None,), ("a",)]


async def test_distinct_is_ordered_and_limited_after(db):
    await stored(db, Number, "n", [3, 1, 1, 2])
    rows = await db.find(Number).select(Number.n).distinct().order_by(Number.n.desc).limit(2).all.or_raise()
    assert rows == [(3,), (2,)]


async def test_a_projection_gives_tuples_in_the_order_asked(ten):
    rows = await ten.find(Number.n == 3).select(Number.n, Number.id).all.or_raise()
    assert rows == [(3, 4)]


async def test_a_stream_gives_all_rows_in_order(ten):
    assert [row.n async for row in ten.find(Number).sort(Number.n).stream(batch=3)] == list(range(10))


async def test_a_stream_of_no_rows_ends_at_once(ten):
    assert [row async for row in ten.find(Number.n > 99).stream()] == []


async def test_a_stream_of_exactly_one_batch_ends(ten):
    assert len([row async for row in ten.find(Number).stream(batch=10)]) == 10


async def test_a_stream_is_filtered(ten):
    assert [row.n async for row in ten.find(Number.n > 6).sort(Number.n).stream(batch=2)] == [7, 8, 9]


async def test_a_stream_is_limited(ten):
    assert [row.n async for row in ten.find(Number).sort(Number.n).limit(4).stream(batch=3)] == [0, 1, 2, 3]


async def test_a_stream_may_be_left_half_read(ten):
    for _ in range(20):
        async for row in ten.find(Number).stream(batch=2):
            assert row
            break
    assert await ten.find(Number).count.or_raise() == 10


async def test_several_streams_are_read_at_once(ten):
    streams = [ten.find(Number).sort(Number.n).stream(batch=2) for _ in range(3)]
    for n in range(10):
        assert [(await stream.__anext__()).n for stream in streams] == [n] * 3
    for stream in streams:
        await stream.aclose()


async def test_rows_are_written_while_a_stream_is_read(ten):
    seen = 0
    async for row in ten.find(Number).stream(batch=2):
        await ten.find(Number.id == row.id).update(m=1).or_raise()
        seen += 1
    assert seen == 10 and await ten.find(Number.m == 1).count.or_raise() == 10
