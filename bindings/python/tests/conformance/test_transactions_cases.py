import asyncio

import pytest

from models import Number, model, still, stored
from ommi import ConstraintError, OmmiError, OmmiUnsupportedError
from ommi.errors import OmmiTransactionError


class Stop(Exception):
    pass


@pytest.fixture
async def tx(transactional):
    """A database with transactions, and the table there."""
    await transactional.use_models(Number.__ommi__.collection)
    return transactional


@pytest.fixture
async def nested(nesting):
    await nesting.use_models(Number.__ommi__.collection)
    return nesting


async def keys(db):
    return await still(db, Number, "id", Number)


async def test_what_a_transaction_writes_is_committed(tx):
    async with tx.transaction() as open:
        await open.add(Number(1)).or_raise()
    assert await keys(tx) == [1]


async def test_an_error_rolls_back(tx):
    with pytest.raises(Stop):
        async with tx.transaction() as open:
            await open.add(Number(1)).or_raise()
            raise Stop
    assert await keys(tx) == []


async def test_a_dropped_future_rolls_back(tx):
    begun = asyncio.Event()

    async def work():
        async with tx.transaction() as open:
            await open.add(Number(1)).or_raise()
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await keys(tx) == []


async def test_a_transaction_reads_its_own_writes(tx):
    async with tx.transaction() as open:
        await open.add(Number(1)).or_raise()
        await open.find(Number).update(n=2).or_raise()
        assert await still(open, Number, "n", Number) == [2]


async def test_what_is_not_committed_is_not_seen_outside(tx):
    async with tx.transaction() as open:
        await open.add(Number(1)).or_raise()
        assert await tx.outside().find(Number).count.or_raise() == 0


async def test_after_a_failed_write_further_calls_are_refused(tx):
    await tx.add(Number(1, id=1)).or_raise()
    with pytest.raises(OmmiTransactionError):
        async with tx.transaction() as open:
            await open.add(Number(2, id=2)).or_raise()
            assert isinstance((await open.add(Number(1, id=1))).exception, ConstraintError)
            await open.find(Number).count.or_raise()
    assert await keys(tx) == [1]


async def test_a_failed_write_that_is_passed_over_rolls_back(tx):
    await tx.add(Number(1, id=1)).or_raise()
    with pytest.raises(OmmiError):
        async with tx.transaction() as open:
            await open.add(Number(2, id=2)).or_raise()
            await open.add(Number(1, id=1))
    assert await keys(tx) == [1]


async def test_a_row_that_is_not_found_does_not_end_a_transaction(tx):
    async with tx.transaction() as open:
        assert await open.find(Number.id == 9).one.or_use(None) is None
        await open.add(Number(1)).or_raise()
    assert await keys(tx) == [1]


async def test_a_nested_transaction_is_committed_with_the_outer_one(nested):
    async with nested.transaction() as outer:
        async with outer.transaction() as inner:
            await inner.add(Number(1)).or_raise()
        await outer.add(Number(2)).or_raise()
    assert len(await keys(nested)) == 2


async def test_a_nested_transaction_is_rolled_back_alone(nested):
    async with nested.transaction() as outer:
        await outer.add(Number(1, id=1)).or_raise()
        with pytest.raises(Stop):
            async with outer.transaction() as inner:
                await inner.add(Number(2, id=2)).or_raise()
                raise Stop
        await outer.add(Number(3, id=3)).or_raise()
    assert await keys(nested) == [1, 3]


async def test_an_outer_rollback_undoes_a_nested_commit(nested):
    with pytest.raises(Stop):
        async with nested.transaction() as outer:
            async with outer.transaction() as inner:
                await inner.add(Number(1)).or_raise()
            raise Stop
    assert await keys(nested) == []


async def test_a_failed_write_in_a_nested_transaction_leaves_the_outer_one_whole(nested):
    await nested.add(Number(1, id=1)).or_raise()
    async with nested.transaction() as outer:
        with pytest.raises(ConstraintError):
            async with outer.transaction() as inner:
                await inner.add(Number(1, id=1)).or_raise()
        await outer.add(Number(2, id=2)).or_raise()
    assert await keys(nested) == [1, 2]


async def test_transactions_nest_deeply(nested):
    async def deeper(open, depth):
        await open.add(Number(depth)).or_raise()
        if depth < 8:
            async with open.transaction() as inner:
                await deeper(inner, depth + 1)

    async with nested.transaction() as open:
        await deeper(open, 1)
    assert len(await keys(nested)) == 8


async def test_the_database_is_refused_inside_its_transaction(tx):
    async with tx.transaction():
        with pytest.raises(OmmiTransactionError, match="outside"):
            await tx.find(Number).count.or_raise()


async def test_work_that_is_meant_to_be_outside_is_not_part_of_the_transaction(tx):
    with pytest.raises(Stop):
        async with tx.transaction() as open:
            await open.find(Number).count.or_raise()
            assert await tx.outside().find(Number).count.or_raise() == 0
            raise Stop


async def test_a_batch_and_automatic_keys_roll_back(tx):
    with pytest.raises(Stop):
        async with tx.transaction() as open:
            await open.add(*[Number(n) for n in range(100)]).or_raise()
            raise Stop
    await tx.add(*[Number(n) for n in range(3)]).or_raise()
    assert len(await keys(tx)) == 3


async def test_updates_and_deletes_roll_back(tx):
    await stored(tx, Number, "n", [1, 2])
    with pytest.raises(Stop):
        async with tx.transaction() as open:
            await open.find(Number.n == 1).update(n=9).or_raise()
            await open.find(Number.n == 2).delete.or_raise()
            raise Stop
    assert await still(tx, Number, "n", Number) == [1, 2]


async def test_a_transaction_after_a_rolled_back_one_is_clean(tx):
    for _ in range(3):
        with pytest.raises(Stop):
            async with tx.transaction() as open:
                await open.add(Number(1)).or_raise()
                raise Stop
    async with tx.transaction() as open:
        await open.add(Number(2)).or_raise()
    assert await still(tx, Number, "n", Number) == [2]


async def test_a_transaction_is_refused_where_there_are_none(db):
    if db.capabilities["transaction.transactions"]:
        pytest.skip("the driver has transactions")
    with pytest.raises(OmmiUnsupportedError):
        async with db.transaction():
            pass


async def test_an_empty_transaction_changes_nothing(tx):
    async with tx.transaction():
        pass
    assert await keys(tx) == []


async def test_rows_are_streamed_in_a_transaction(tx):
    await stored(tx, Number, "n", list(range(20)))
    async with tx.transaction() as open:
        seen = [row.n async for row in open.find(Number).sort(Number.n).stream(batch=6)]
    assert seen == list(range(20))


async def test_what_was_written_before_a_rollback_is_undone(tx):
    open = tx.transaction()
    await open.open()
    await open.add(Number(1)).or_raise()
    await open.rollback()
    assert await keys(tx) == []


async def test_what_was_written_before_a_commit_stays(tx):
    open = tx.transaction()
    await open.open()
    await open.add(Number(1)).or_raise()
    await open.commit()
    assert await keys(tx) == [1]


async def test_handles_of_an_ended_transaction_are_refused(tx):
    async with tx.transaction() as open:
        query = open.find(Number)
    with pytest.raises(OmmiError):
        await query.or_raise()
    with pytest.raises(OmmiError):
        await open.add(Number(1)).or_raise()


async def test_a_conflict_that_is_passed_over_is_run_anew(tx):
    # what only the retrying form can: it counts to the end whoever else counts
    await stored(tx, Number, "n", [0])

    async def count_up(open):
        row = await open.find(Number).one.or_raise()
        await open.find(Number).update(n=row.n + 1).or_raise()

    async def work():
        for _ in range(5):
            await tx.retrying(count_up, times=50, isolation=serializable(tx))

    await asyncio.gather(*(work() for _ in range(3)))
    assert await still(tx, Number, "n", Number) == [15]


def serializable(db):
    return "serializable" if db.capabilities["transaction.serializable"] else None


async def test_a_repeatable_read_sees_one_moment(tx):
    if not tx.capabilities["transaction.repeatable_read"]:
        pytest.skip("the driver has no repeatable read")
    async with tx.transaction(isolation="repeatable read", read_only=read_only(tx)) as open:
        assert await open.find(Number).count.or_raise() == 0
        await tx.outside().add(Number(1)).or_raise()
        assert await open.find(Number).count.or_raise() == 0
    assert await keys(tx) == [1]


def read_only(db):
    return bool(db.capabilities["transaction.read_only"])


async def test_a_read_only_transaction_reads_and_refuses_writes(tx):
    if not tx.capabilities["transaction.read_only"]:
        pytest.skip("the driver has no read-only transactions")
    await stored(tx, Number, "n", [1])
    with pytest.raises(OmmiError):
        async with tx.transaction(read_only=True) as open:
            assert await open.find(Number).count.or_raise() == 1
            await open.add(Number(2)).or_raise()
    assert await keys(tx) == [1]


async def test_a_transaction_that_takes_too_long_is_rolled_back(tx):
    from ommi import OmmiTimeoutError

    with pytest.raises(OmmiTimeoutError):
        async with tx.transaction(timeout=0.05) as open:
            await open.add(Number(1)).or_raise()
            await asyncio.sleep(0.2)
            await open.find(Number).count.or_raise()
    assert await keys(tx) == []


async def test_a_transaction_in_time_is_not_ended(tx):
    async with tx.transaction(timeout=60) as open:
        await open.add(Number(1)).or_raise()
    assert await keys(tx) == [1]


async def test_tables_are_not_created_in_a_transaction(tx):
    @model
    class Unknown:
        id: int

    with pytest.raises(OmmiError):
        async with tx.transaction() as open:
            await open.find(Unknown).count.or_raise()
            await open.use_models(Unknown.__ommi__.collection)
