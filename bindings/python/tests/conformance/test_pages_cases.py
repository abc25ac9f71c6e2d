import pytest

from models import Number, Text, stored
from ommi import NotFound, NotUnique, QueryError


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


async def walk(query, size):
    """The pages of a query, one after the other, by cursors."""
    pages, cursor = [], None
    while True:
        page = await query.limit(size).after(cursor).fetch_page.or_raise()
        pages.append(list(page))
        cursor = page.next
        if cursor is None:
            return pages


async def test_cursors_walk_through_all_rows(ten):
    pages = await walk(ten.find(Number).sort(Number.n), 4)
    assert [[row.n for row in page] for page in pages] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


async def test_cursors_keep_rows_that_tie(db):
    await stored(db, Number, "n", [1, 1, 1, 2, 1])
    pages = await walk(db.find(Number).sort(Number.n), 2)
    assert [row.id for page in pages for row in page] == [1, 2, 3, 5, 4]


async def test_cursors_pass_nulls(db):
    await stored(db, Number, "n", [None, 2, None, 1])
    assert [row.n for page in await walk(db.find(Number).sort(Number.n), 1) for row in page] == [None, None, 1, 2]
    assert [row.n for page in await walk(db.find(Number).sort(Number.n.desc), 1) for row in page] == [2, 1, None, None]


async def test_cursors_walk_in_mixed_directions(db):
    await db.add(Number(1, 1), Number(1, 2), Number(2, 1), Number(2, 2)).or_raise()
    pages = await walk(db.find(Number).sort(Number.n.desc, Number.m.asc), 3)
    assert [(row.n, row.m) for page in pages for row in page] == [(2, 1), (2, 2), (1, 1), (1, 2)]


async def test_cursors_are_not_disturbed_by_new_rows(ten):
    query = ten.find(Number).sort(Number.n).limit(5)
    first = await query.fetch_page.or_raise()
    await ten.add(Number(-1)).or_raise()
    assert [row.n for row in await query.after(first.next).fetch_page.or_raise()] == [5, 6, 7, 8, 9]


async def test_a_cursor_is_a_text_and_comes_back(ten):
    page = await ten.find(Number).sort(Number.n).limit(3).fetch_page.or_raise()
    assert isinstance(page.next, str) and page.next.isalnum() and len(page) == 3
    with pytest.raises(QueryError):
        ten.find(Number).after("not a cursor")


async def test_a_cursor_of_another_order_is_refused(ten):
    page = await ten.find(Number).sort(Number.n).limit(3).fetch_page.or_raise()
    with pytest.raises(QueryError):
        await ten.find(Number).limit(3).after(page.next).fetch_page.or_raise()


async def test_a_page_needs_a_limit(ten):
    with pytest.raises(QueryError):
        await ten.find(Number).fetch_page.or_raise()


async def test_a_page_is_not_ordered_by_expressions(ten):
    with pytest.raises(QueryError):
        await ten.find(Number).sort((Number.n * 2).asc).limit(2).fetch_page.or_raise()


async def test_the_last_page_has_no_next(ten):
    assert (await ten.find(Number).limit(10).fetch_page.or_raise()).next is None


async def test_a_filter_holds_on_every_page(ten):
    pages = await walk(ten.find(Number.n > 3).sort(Number.n.desc), 2)
    assert [row.n for page in pages for row in page] == [9, 8, 7, 6, 5, 4]
