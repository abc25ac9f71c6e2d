"""Transactions."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

import pytest

from ommi import Auto, Key, ModelCollection, Ommi, OmmiTransactionError, Unique, auto, ommi_model
from ommi.errors import ConstraintError

collection = ModelCollection()


@ommi_model(collection=collection)
@dataclass
class Account:
    owner: Annotated[str, Unique()]
    balance: int = 0
    id: Annotated[int, Key | Auto] = auto()


@pytest.fixture
async def bank(db):
    if "capabilities=none" in str(getattr(db.driver, "url", "")):
        pytest.skip("no transactions")
    await db.use_models(collection)
    try:
        async with db.transaction():
            pass
    except Exception as error:
        if getattr(error, "kind", "") == "Unsupported":
            pytest.skip("the database has no transactions")
        raise
    return db


async def test_a_transaction_commits_at_its_end(bank):
    async with bank.transaction() as tx:
        await tx.add(Account("a", 1)).or_raise()
        assert await tx.find(Account).count.or_raise() == 1
    assert await bank.find(Account).count.or_raise() == 1


async def test_an_exception_rolls_back_and_is_the_one_that_is_seen(bank):
    class Odd(Exception):
        pass

    with pytest.raises(Odd):
        async with bank.transaction() as tx:
            await tx.add(Account("a")).or_raise()
            raise Odd
    assert await bank.find(Account).count.or_raise() == 0


async def test_explicit_ends(bank):
    async with bank.transaction() as tx:
        await tx.add(Account("a")).or_raise()
        await tx.rollback()
    assert await bank.find(Account).count.or_raise() == 0
    async with bank.transaction() as tx:
        await tx.add(Account("b")).or_raise()
        await tx.commit()
        with pytest.raises(OmmiTransactionError):
            await tx.add(Account("c")).or_raise()
    assert await bank.find(Account).count.or_raise() == 1


async def test_nested_transactions_are_savepoints(bank):
    if not bank.capabilities["transaction.savepoints"]:
        pytest.skip("the driver has no `transaction.savepoints`")
    async with bank.transaction() as tx:
        await tx.add(Account("a")).or_raise()
        with pytest.raises(ConstraintError):
            async with tx.transaction() as inner:
                await inner.add(Account("b")).or_raise()
                await inner.add(Account("a")).or_raise()
        async with tx.transaction() as inner:
            await inner.add(Account("c")).or_raise()
    owners = await bank.find(Account).select(Account.owner).order_by(Account.owner).all.or_raise()
    assert owners == [("a",), ("c",)]


async def test_after_a_failed_write_the_transaction_cannot_go_on(bank):
    with pytest.raises(OmmiTransactionError):
        async with bank.transaction() as tx:
            await tx.add(Account("a")).or_raise()
            assert (await tx.add(Account("a"))).exception_or(None) is not None
            await tx.find(Account).count.or_raise()
    assert await bank.find(Account).count.or_raise() == 0


async def test_the_database_itself_is_refused_inside(bank):
    async with bank.transaction() as tx:
        with pytest.raises(OmmiTransactionError, match="outside"):
            await bank.find(Account).count.or_raise()
        assert await tx.find(Account).count.or_raise() == 0
    assert await bank.find(Account).count.or_raise() == 0


async def test_outside_is_not_part_of_the_transaction(tmp_path):
    async with Ommi(f"sqlite://{tmp_path}/a.db") as db:
        await db.use_models(collection)
        async with db.transaction() as tx:
            await tx.add(Account("a")).or_raise()
            assert await db.outside().find(Account).count.or_raise() == 0


async def test_models_use_the_open_transaction(bank):
    async with bank.transaction() as tx:
        account = await Account("a").save().or_raise()
        account.balance = 5
        await account.save().or_raise()
        assert (await Account.fetch(owner="a", driver=tx).one.or_raise()).balance == 5
        await tx.rollback()
    assert await bank.find(Account).count.or_raise() == 0


async def test_a_cancelled_transaction_is_rolled_back_and_leaves_the_pool_clean(bank):
    begun = asyncio.Event()

    async def work():
        async with bank.transaction() as tx:
            await tx.add(Account("a")).or_raise()
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await bank.add(Account("b")).or_raise()
    assert await bank.find(Account).count.or_raise() == 1


async def test_options_are_checked(bank):
    with pytest.raises(ValueError, match="isolation"):
        async with bank.transaction(isolation="chaos"):
            pass
    if not bank.capabilities["transaction.serializable"]:
        pytest.skip("the driver has no `transaction.serializable`")
    async with bank.transaction(isolation="serializable", timeout=5) as tx:
        await tx.add(Account("a")).or_raise()
    with pytest.raises(Exception):  # noqa: B017
        async with bank.transaction(read_only=True) as tx:
            await tx.add(Account("b")).or_raise()
    assert await bank.find(Account).count.or_raise() == 1


async def test_retrying_gives_the_works_answer(bank):
    async def work(tx):
        await tx.add(Account("a")).or_raise()
        return 3

    assert await bank.retrying(work) == 3
    assert await bank.find(Account).count.or_raise() == 1


async def test_adds_of_several_models_are_atomic(bank):
    @ommi_model(collection=collection)
    @dataclass
    class Entry:
        text: Annotated[str, Unique()]
        id: Annotated[int, Key | Auto] = auto()

    await bank.use_models(collection)
    with pytest.raises(ConstraintError):
        await bank.add(Account("a"), Entry("x"), Account("b"), Entry("x")).or_raise()
    assert await bank.find(Account).count.or_raise() == await bank.find(Entry).count.or_raise() == 0
