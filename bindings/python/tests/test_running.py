"""Loops, threads, processes, cancellation, memory."""

import asyncio
import contextlib
import contextvars
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest

from ommi import Auto, Key, ModelCollection, Ommi, OmmiError, auto, ommi_model

collection = ModelCollection()


@ommi_model(collection=collection)
@dataclass
class Row:
    text: str
    id: Annotated[int, Key | Auto] = auto()


async def test_operations_are_awaitables_of_every_kind(db):
    await db.add(Row("a")).or_raise()
    query = db.find(Row).count
    assert await query.or_raise() == 1
    assert await asyncio.gather(query.or_raise(), query.or_raise()) == [1, 1]
    assert await asyncio.create_task(query.or_raise()) == 1
    assert await asyncio.wait_for(query.or_raise(), 5) == 1
    assert (await query()).result == (await query).result == 1


def test_several_loops_share_a_database(tmp_path):
    db = Ommi(f"sqlite://{tmp_path}/a.db")

    async def once() -> int:
        await db.add(*[Row("x")] * 1, Row("y")).or_raise()
        return await db.find(Row).count.or_raise()

    assert [asyncio.run(once()) for _ in range(3)] == [2, 4, 6]


def test_uvloop_runs(tmp_path):
    uvloop = pytest.importorskip("uvloop")

    async def main() -> int:
        async with Ommi(f"sqlite://{tmp_path}/a.db") as db:
            await db.add(Row("x")).or_raise()
            assert await asyncio.gather(*(_run(db.raw(WAITS).tuples.or_raise()) for _ in range(3))) == [[(30_000,)]] * 3
            waiting = asyncio.create_task(_run(db.raw(SLOW).tuples))
            await asyncio.sleep(0.05)
            waiting.cancel()
            assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], asyncio.CancelledError)
            return await db.find(Row).count.or_raise()

    assert uvloop.run(main()) == 1


def test_threads_share_a_database(tmp_path):
    db = Ommi(f"sqlite://{tmp_path}/a.db")
    asyncio.run(db.use_models(collection))
    errors: list[BaseException] = []

    def work() -> None:
        async def main() -> None:
            for _ in range(20):
                await db.add(Row("x")).or_raise()
                assert await db.find(Row).count.or_raise() > 0

        try:
            asyncio.run(main())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert asyncio.run(_count(db)) == 80


async def _count(db: Ommi) -> int:
    return await db.find(Row).count.or_raise()


async def test_completed_awaits_give_the_loop_a_turn(sqlite):
    await sqlite.add(Row("a")).or_raise()
    with pytest.raises(asyncio.TimeoutError):
        async with _timeout(0.2):
            while True:
                await sqlite.get(Row, 1).or_raise()


def _timeout(seconds: float):
    if sys.version_info >= (3, 11):
        return asyncio.timeout(seconds)

    @contextlib.asynccontextmanager
    async def limit():
        task = asyncio.current_task()
        handle = asyncio.get_running_loop().call_later(seconds, task.cancel)
        try:
            yield
        except asyncio.CancelledError:
            raise asyncio.TimeoutError from None
        finally:
            handle.cancel()

    return limit()


SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000000) SELECT max(i) FROM n"


async def test_a_cancelled_query_ends_at_once_and_leaves_the_pool_clean(sqlite):
    await sqlite.use_models(collection)
    begun = time.monotonic()
    for _ in range(6):
        task = asyncio.create_task(_run(sqlite.raw(SLOW).tuples))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await sqlite.add(Row("a")).or_raise()
    assert await sqlite.find(Row).count.or_raise() == 1
    assert time.monotonic() - begun < 20


async def test_tasks_that_are_cancelled_at_any_await_leave_the_pool_clean(stored_url):
    async with Ommi(stored_url) as db:
        await db.use_models(collection)
        await db.add(*[Row(f"row {index}") for index in range(50)]).or_raise()
        has_transactions = db.capabilities["transaction.transactions"]

        async def work() -> None:
            rows = await db.find(Row).limit(5).or_raise()
            await db.find(Row.id == rows[0].id).update(text="x").or_raise()
            async for _ in db.find(Row).stream(batch=7):
                await asyncio.sleep(0)
            if has_transactions:
                async with db.transaction() as tx:
                    await tx.add(Row("never")).or_raise()
                    await tx.find(Row).count.or_raise()
                    raise _RolledBack
            raise _RolledBack

        begun = time.monotonic()
        try:
            await work()
        except _RolledBack:
            whole = time.monotonic() - begun
        for step in range(60):
            task = asyncio.create_task(work())
            await asyncio.sleep(whole * step / 50)
            task.cancel()
            with pytest.raises((asyncio.CancelledError, _RolledBack)):
                await task
        assert len(asyncio.all_tasks()) == 1
        # all connections are there and idle: this waits for none that is lost
        await asyncio.wait_for(asyncio.gather(*(_count(db) for _ in range(40))), 60)
        assert await db.find(Row.text == "never").count.or_raise() == 0
        await db.add(Row("after")).or_raise()
        assert await _count(db) == 51


class _RolledBack(Exception):
    pass


async def _run(operation):
    return await operation


# long enough that the task waits
WAITS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) SELECT max(i) FROM n"


async def test_a_task_that_waits_is_cancelled_with_the_message(sqlite):
    seen = []

    async def wait() -> None:
        try:
            await sqlite.raw(SLOW).tuples
        except asyncio.CancelledError as error:
            seen.append(error.args)
            raise

    task = asyncio.create_task(wait())
    await asyncio.sleep(0.05)
    assert task.cancel("not wanted any more")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == [("not wanted any more",)] and task.cancelled()


async def test_a_task_goes_on_in_its_own_context(stored_url):
    name: contextvars.ContextVar[int] = contextvars.ContextVar("name")
    async with Ommi(stored_url) as db:
        await db.use_models(collection)

        async def work(number: int) -> None:
            name.set(number)
            for _ in range(5):
                await _count(db)
                assert name.get() == number and asyncio.current_task() is tasks[number]

        tasks = [asyncio.create_task(work(number)) for number in range(8)]
        await asyncio.gather(*tasks)


def test_an_interrupted_task_takes_none_of_the_others_with_it(tmp_path):
    db = Ommi(f"sqlite://{tmp_path}/a.db")
    asyncio.run(_run(db.raw("SELECT 1").tuples))
    loop = asyncio.new_event_loop()

    async def wait(interrupts: bool) -> int:
        rows = await db.raw(WAITS).tuples.or_raise()
        if interrupts:
            raise SystemExit(3)
        return rows[0][0]

    async def main() -> None:
        await asyncio.sleep(0)
        # both are answered before the loop has its next turn
        time.sleep(1)
        await asyncio.sleep(60)

    try:
        tasks = [loop.create_task(wait(interrupts)) for interrupts in (True, False, False)]
        with pytest.raises(SystemExit):
            loop.run_until_complete(main())
        assert loop.run_until_complete(asyncio.wait_for(asyncio.gather(*tasks[1:]), 30)) == [30_000, 30_000]
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        assert isinstance(tasks[0].exception(), SystemExit)
    finally:
        loop.close()


@pytest.mark.parametrize("collects", [True, False])
async def test_answers_of_many_rows_come_whole(stored_url, collects):
    async with Ommi(stored_url) as db:
        await db.use_models(collection)
        rows = await db.add(*[Row(f"row {index}") for index in range(3_000)]).or_raise()
        (gc.enable if collects else gc.disable)()
        try:
            found = await asyncio.gather(*(db.find(Row).sort(Row.id).or_raise() for _ in range(4)))
            assert all(of == rows for of in found)
            assert gc.isenabled() == collects and all(gc.is_tracked(row) for of in found for row in of)
            assert await db.find(Row).sort(Row.id.desc).limit(1_000).or_raise() == rows[:-1_001:-1]
        finally:
            gc.enable()


async def test_values_of_many_rows_come_whole(stored_url):
    async with Ommi(stored_url) as db:
        await db.use_models(collection)
        rows = await db.add(*[Row(f"row {index}") for index in range(3_000)]).or_raise()
        found = await db.find(Row).sort(Row.id).select(Row.id, Row.text).or_raise()
        assert found == [(row.id, row.text) for row in rows]


async def test_the_loop_has_turns_while_a_large_answer_comes(stored_url):
    async with Ommi(stored_url) as db:
        await db.use_models(collection)
        rows = await db.add(*[Row(f"row {index}") for index in range(20_000)]).or_raise()
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        found = await db.find(Row).sort(Row.id).or_raise()
        seen = turns
        counting.cancel()
        assert found == rows
        assert seen > 0


async def test_an_answer_that_is_dropped_half_way_leaves_nothing(stored_url):
    async with Ommi(stored_url) as db:
        await db.use_models(collection)
        await db.add(*[Row(f"row {index}") for index in range(5_000)]).or_raise()
        begun = time.monotonic()
        await db.find(Row).or_raise()
        whole = time.monotonic() - begun
        for step in range(40):
            task = asyncio.create_task(_run(db.find(Row).or_raise()))
            await asyncio.sleep(whole * step / 40)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
        del task
        await asyncio.wait_for(asyncio.gather(*(_count(db) for _ in range(40))), 60)
        gc.collect()
        assert not any(isinstance(of, Row) for of in gc.get_objects())


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system says nothing of processors")
async def test_no_thread_stays_bound_to_a_processor(stored_url):
    async with Ommi(stored_url) as db:
        await db.use_models(collection)
        await db.add(*[Row(f"row {index}") for index in range(10)]).or_raise()
        for _ in range(40):
            await _count(db)
        # one at a time the runtime's thread keeps the loop's company, and several at once it does not
        await asyncio.gather(*(_count(db) for _ in range(8)))
        await asyncio.gather(*(_run(db.find(Row).or_raise()) for _ in range(8)))
        allowed = os.sched_getaffinity(0)
        for thread in os.listdir("/proc/self/task"):
            with contextlib.suppress(ProcessLookupError):
                assert os.sched_getaffinity(int(thread)) == allowed


async def test_code_of_the_class_runs_for_each_row_of_a_large_answer_in_its_task(stored_url):
    seen: list[tuple[int, object]] = []

    @ommi_model(collection=ModelCollection(), name="Row")
    @dataclass
    class Seen:
        text: str
        id: Annotated[int, Key | Auto] = auto()

        def __post_init__(self) -> None:
            seen.append((self.id, asyncio.current_task()))
            if self.text == "fails":
                raise KeyError("the class does not want it")

    async with Ommi(stored_url) as db:
        await db.use_models(collection)
        rows = await db.add(*[Row(f"row {index}") for index in range(3_000)]).or_raise()
        read = Ommi(db.driver, allow_implicit_model_setup=False)
        found = await read.find(Seen).sort(Seen.id).or_raise()
        assert [row.id for row in found] == [row.id for row in rows]
        assert seen == [(row.id, asyncio.current_task()) for row in rows]
        await db.find(Row.id == rows[500].id).update(text="fails").or_raise()
        with pytest.raises(KeyError):
            await read.find(Seen).sort(Seen.id).or_raise()
        assert await _count(db) == 3_000


async def test_a_row_that_cannot_be_read_fails_the_whole_answer(stored_url):
    @ommi_model(collection=ModelCollection(), name="Row")
    @dataclass
    class Chosen:
        text: Literal["yes", "no"]
        id: Annotated[int, Key | Auto] = auto()

    async with Ommi(stored_url) as db:
        await db.use_models(collection)
        await db.add(*[Row("yes") for _ in range(1_000)], Row("perhaps"), *[Row("no") for _ in range(1_000)]).or_raise()
        chosen = Ommi(db.driver, allow_implicit_model_setup=False)
        with pytest.raises(OmmiError, match="Chosen|Row|Literal"):
            await chosen.find(Chosen).sort(Chosen.id).or_raise()
        assert len(await chosen.find(Chosen).sort(Chosen.id).limit(900).or_raise()) == 900


async def test_the_loop_is_not_blocked_by_a_long_query(sqlite):
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    querying = asyncio.create_task(_run(sqlite.raw(SLOW).tuples))
    await asyncio.sleep(0.5)
    querying.cancel()
    ticking.cancel()
    await asyncio.gather(querying, ticking, return_exceptions=True)
    assert ticks > 10


def test_a_forked_child_gets_an_error_and_no_hang(tmp_path):
    program = f"""
import asyncio, os, sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
from test_running import Row, _count
from ommi import Ommi, OmmiError
db = Ommi("sqlite://{tmp_path}/a.db")
asyncio.run(db.add(Row("a")).or_raise())
child = os.fork()
if child == 0:
    try:
        asyncio.run(_count(db))
    except OmmiError as error:
        own = Ommi("sqlite://{tmp_path}/b.db")
        asyncio.run(own.add(Row("b")).or_raise())
        os._exit(7 if "forked" in str(error) and asyncio.run(_count(own)) == 1 else 8)
    os._exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), asyncio.run(_count(db)))
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert answer.stdout.split() == ["7", "1"], answer.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("form", ["asyncio", "sync"])
def test_ctrl_c_ends_at_once(form):
    program = f"""
import asyncio, signal, sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
from test_running import SLOW
# who runs the tests in the background may have it ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
if {form!r} == "sync":
    from ommi.sync import Ommi
    Ommi("sqlite::memory:").raw(SLOW).tuples.or_raise()
else:
    from ommi import Ommi
    async def main():
        await Ommi("sqlite::memory:").raw(SLOW).tuples.or_raise()
    asyncio.run(main())
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    _, shown = process.communicate(timeout=30)
    assert time.monotonic() - begun < 5
    assert "KeyboardInterrupt" in shown


async def test_memory_stays_flat(sqlite):
    await sqlite.use_models(collection)

    async def work(times: int) -> None:
        for _ in range(times):
            (row,) = await sqlite.add(Row("some text")).or_raise()
            assert await sqlite.get(Row, row.id).or_raise() == row
            await sqlite.find(Row.id == row.id).delete.or_raise()

    await work(2_000)
    gc.collect()
    before, objects = _resident(), len(gc.get_objects())
    await work(4_000)
    gc.collect()
    assert len(gc.get_objects()) <= objects + 50
    assert _resident() <= before * 1.02 + 1_000_000
    assert len(asyncio.all_tasks()) == 1


def _resident() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


async def test_a_closed_database_says_so(tmp_path):
    db = Ommi(f"sqlite://{tmp_path}/a.db")
    await db.add(Row("a")).or_raise()
    await db.disconnect()
    with pytest.raises(OmmiError, match="closed"):
        await db.find(Row).or_raise()
