import asyncio
import operator
from functools import reduce

import pytest

from models import Number, Odds, Text, passing, still, stored
from ommi import ConstraintError, Ommi, OmmiError, OmmiUnsupportedError, QueryError


async def test_in_takes_a_hundred_thousand_values(db):
    await stored(db, Number, "n", [5, 99_999, 100_000])
    assert await still(db, Number, "n", Number.n.in_(range(100_000))) == [5, 99_999]


async def test_not_in_takes_a_hundred_thousand_values(db):
    await stored(db, Number, "n", [5, 100_000])
    assert await still(db, Number, "n", Number.n.not_in(range(100_000))) == [100_000]


async def test_in_is_right_at_every_short_length(db):
    await stored(db, Number, "n", list(range(40)))
    for length in (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33):
        assert await still(db, Number, "n", Number.n.in_(range(length))) == list(range(length))


async def test_forty_thousand_rows_are_added_at_once(db):
    await db.add(*[Number(n) for n in range(40_000)]).or_raise()
    assert await db.find(Number).aggregate(Number.n.sum()).or_raise() == (sum(range(40_000)),)


async def test_a_text_of_several_megabytes_comes_back(db):
    values = ["é" * 1_500_000]
    assert await passing(db, Text, "text", values, Text) == values


async def test_bytes_of_several_megabytes_come_back(db):
    values = [bytes(range(256)) * 12_000]
    assert await passing(db, Odds, "raw", values, Odds) == values


async def test_a_filter_of_hundreds_of_parts_works(db):
    await stored(db, Number, "n", list(range(10)))
    predicate = reduce(operator.or_, [(Number.n == n) & (Number.id > 0) for n in range(5, 250)])
    assert await still(db, Number, "n", predicate) == [5, 6, 7, 8, 9]


async def test_a_filter_nests_deeply(db):
    await stored(db, Number, "n", [1, 2])
    predicate = Number.n == 1
    for _ in range(40):
        predicate = ~(predicate & (Number.id > 0))
    assert await still(db, Number, "n", predicate) == [1]


async def test_a_select_of_many_expressions_works(db):
    await stored(db, Number, "n", [2])
    row = await db.find(Number).select(*[Number.n * n for n in range(100)]).one.or_raise()
    assert row == tuple(2 * n for n in range(100))


async def test_an_update_sets_many_rows(db):
    await stored(db, Number, "n", list(range(3_000)))
    assert await db.find(Number).update(m=1).or_raise() == 3_000


async def test_errors_name_driver_model_and_operation(db):
    await db.add(Number(1, id=1)).or_raise()
    with pytest.raises(ConstraintError) as error:
        await db.add(Number(1, id=1)).or_raise()
    assert error.value.model == "Number" and error.value.operation == "add" and error.value.driver


async def test_an_error_is_one_line(db):
    await db.add(Number(1, id=1)).or_raise()
    for outcome in (await db.add(Number(1, id=1)), await db.get(Number, 9), await db.find(Number).limit(1).delete):
        assert "\n" not in str(outcome.exception) and str(outcome.exception)


async def test_only_conflicts_are_retryable(db):
    await db.add(Number(1, id=1)).or_raise()
    assert (await db.add(Number(1, id=1))).exception.is_retryable is False
    assert (await db.get(Number, 9)).exception.is_retryable is False


async def test_a_closed_database_is_a_connection_error(url):
    from ommi import OmmiConnectionError

    db = Ommi(url)
    await db.find(Number).count.or_raise()
    await db.disconnect()
    with pytest.raises(OmmiConnectionError):
        await db.find(Number).count.or_raise()


async def test_closing_twice_does_no_harm(url):
    db = Ommi(url)
    await db.find(Number).count.or_raise()
    await db.disconnect()
    await db.disconnect()


async def test_a_strict_query_is_native_or_unsupported(db):
    await stored(db, Text, "text", ["aB", "ab"])
    query = db.find(Text.text.icontains("AB"))
    if (await query.explain.or_raise()).is_native:
        assert len(await query.strict().or_raise()) == 2
    else:
        with pytest.raises(OmmiUnsupportedError):
            await query.strict().or_raise()


async def test_explain_says_who_does_what(db):
    explanation = await db.find(Text.text.icontains("a")).explain.or_raise()
    assert explanation.model == "Text" and explanation.driver
    assert explanation.is_native == (not explanation.completed)


async def test_explain_does_not_run_the_statement(db):
    await stored(db, Number, "n", [1])
    await db.find(Number).explain.or_raise()
    assert await db.find(Number).count.or_raise() == 1


async def test_explain_shows_no_values(db):
    assert "secret" not in str(await db.find(Text.text == "secret").explain.or_raise())


async def test_an_error_of_a_read_leaves_the_handle_usable(db):
    await stored(db, Number, "n", [2**63 - 1])
    for _ in range(5):
        with pytest.raises(QueryError):
            await db.find(Number.n + 1 > 5).or_raise()
    assert await db.find(Number).count.or_raise() == 1


async def test_raw_is_refused_where_there_is_no_language(db):
    if db.capabilities["operation.raw"]:
        pytest.skip("the driver has a language of its own")
    with pytest.raises(OmmiUnsupportedError):
        await db.raw("SELECT 1").tuples.or_raise()


async def test_a_raw_statement_that_is_wrong_is_a_query_error(speaking):
    with pytest.raises(OmmiError):
        await speaking.raw("this is nothing").tuples.or_raise()


TRICKS = ["' OR '1'='1", '"; DROP TABLE "Text"; --', "$1 ? :a @b %s {}", "\\", "${jndi}", '{"$gt": ""}', "$text"]


async def test_texts_are_stored_and_found_as_they_are(db):
    await stored(db, Text, "text", TRICKS)
    for trick in TRICKS:
        assert await still(db, Text, "text", Text.text == trick) == [trick]


async def test_texts_in_text_tests_are_data(db):
    await stored(db, Text, "text", TRICKS)
    for trick in TRICKS:
        assert await still(db, Text, "text", Text.text.contains(trick)) == [trick]


async def test_texts_in_lists_are_data(db):
    await stored(db, Text, "text", TRICKS)
    assert await still(db, Text, "text", Text.text.in_(TRICKS)) == TRICKS


async def test_texts_in_updates_are_data(db):
    await stored(db, Text, "text", ["a"])
    for trick in TRICKS:
        await db.find(Text).update(text=trick).or_raise()
        assert await still(db, Text, "text", Text) == [trick]


async def test_texts_in_upserts_are_data(db):
    for n, trick in enumerate(TRICKS, 1):
        await db.upsert(Text(trick, id=n)).or_raise()
        await db.upsert(Text(trick, trick, id=n)).or_raise()
    assert await still(db, Text, "other", Text) == TRICKS


async def test_placeholders_in_texts_are_data(db):
    await stored(db, Text, "text", ["?", "?1", "$1", ":a", "@a", "%s", "{0}"])
    assert await still(db, Text, "text", Text.text == "$1") == ["$1"]
    assert await still(db, Text, "text", Text.text.starts_with("?")) == ["?", "?1"]


async def test_many_tasks_add_rows(db):
    await db.use_models(Number.__ommi__.collection)
    await asyncio.gather(*(db.add(Number(n)).or_raise() for n in range(60)))
    assert sorted(await still(db, Number, "n", Number)) == list(range(60))


async def test_many_tasks_read_while_one_writes(db):
    await stored(db, Number, "n", [0])

    async def write():
        for n in range(20):
            await db.find(Number).update(n=n).or_raise()

    async def read():
        seen = [(await db.find(Number).one.or_raise()).n for _ in range(20)]
        assert seen == sorted(seen)

    await asyncio.gather(write(), *(read() for _ in range(5)))


async def test_updates_from_many_tasks_are_all_counted(db):
    if not (db.capabilities["transaction.transactions"] or db.capabilities["write.update_expressions"]):
        pytest.skip("the driver counts up in no way that others wait for")
    await stored(db, Number, "n", [0])

    async def count_up():
        from ommi import ConflictError

        for _ in range(5):
            while True:
                try:
                    await db.find(Number).update(n=Number.n + 1).or_raise()
                    break
                except ConflictError:
                    await asyncio.sleep(0.001)

    await asyncio.gather(*(count_up() for _ in range(8)))
    assert await still(db, Number, "n", Number) == [40]


async def test_one_of_many_tasks_wins_a_unique_value(db):
    await db.use_models(Number.__ommi__.collection)
    outcomes = await asyncio.gather(*(db.add(Number(n, id=7)) for n in range(10)))
    assert sum(outcome.result_or(None) is not None for outcome in outcomes) == 1
    assert await db.find(Number).count.or_raise() == 1


async def test_upserts_from_many_tasks_leave_one_row(db):
    from ommi import ConflictError

    async def upsert(n):
        while isinstance((await db.upsert(Number(n, id=7))).exception_or(None), ConflictError):
            await asyncio.sleep(0.001)

    await db.use_models(Number.__ommi__.collection)
    await asyncio.gather(*(upsert(n) for n in range(10)))
    assert await db.find(Number).count.or_raise() == 1


async def test_dropped_reads_leave_the_handle_usable(db):
    await stored(db, Number, "n", list(range(200)))
    for step in range(20):
        task = asyncio.create_task(wrapped(db.find(Number).or_raise()))
        for _ in range(step % 4):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await db.find(Number).count.or_raise() == 200


async def test_dropped_writes_leave_the_handle_usable(db):
    await stored(db, Number, "n", [0])
    for step in range(20):
        task = asyncio.create_task(wrapped(db.find(Number).update(n=step).or_raise()))
        for _ in range(step % 4):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await db.find(Number).update(n=77).or_raise()
    assert await still(db, Number, "n", Number) == [77]


async def wrapped(awaitable):
    return await awaitable


async def test_a_dropped_batch_is_written_whole_or_not_at_all(transactional):
    await transactional.use_models(Number.__ommi__.collection)
    for step in range(10):
        task = asyncio.create_task(wrapped(transactional.add(*[Number(step) for _ in range(300)]).or_raise()))  # noqa: RUF006
        await asyncio.sleep(0.0005 * step)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    counts = await transactional.find(Number).group_by(Number.n).select(Number.n.count()).all.or_raise()
    assert all(found == (300,) for found in counts)
