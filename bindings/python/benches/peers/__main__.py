"""`python -m peers sqlite|postgres|mongodb [--rounds 11] [--report docs/performance.md]`"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import gc
import importlib
import inspect
import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ommi import Ommi

from .lane import COMMENTS, FEW, KEYS, MEMBERS, POSTS, ROWS, USERS, Lane, user
from .with_ommi import Comment, Member, Post, User, WithOmmi, collection

# the raw driver, Ommi, and the others
LANES = {
    "sqlite": [
        "raw.Sqlite3",
        "with_ommi.WithOmmi",
        "raw.Aiosqlite",
        "with_sqlalchemy.WithSqlalchemy",
        "with_tortoise.WithTortoise",
        "with_oxyde.WithOxyde",
    ],
    "postgres": [
        "raw.Asyncpg",
        "with_ommi.WithOmmi",
        "raw.Psycopg",
        "with_sqlalchemy.WithSqlalchemy",
        "with_tortoise.WithTortoise",
        "with_oxyde.WithOxyde",
    ],
    "mongodb": ["mongodb.Pymongo", "with_ommi.WithOmmi"],
}
NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "mongodb": "MongoDB"}
SCHEMES = {"Ommi": "sqlite://", "SQLAlchemy": "sqlite:///", "Tortoise": "sqlite://", "Oxyde": "sqlite://"}
DATABASE = "ommi_python_peers"

LOOKUPS, SINGLE = 200, 50

Times = dict[tuple[str, str], list[float]]


def lanes_of(database: str) -> list[Lane]:
    made = []
    for name in LANES[database]:
        module, name = name.split(".")
        made.append(getattr(importlib.import_module(f".{module}", __package__), name)())
    return made


async def fill(url: str) -> None:
    """Tables and rows, by Ommi; those of the other lanes are copies."""
    async with Ommi(url) as db:
        await db.use_models(collection)
        await db.add(*[User(*values) for values in USERS]).or_raise()
        await db.add(*[Member(*values) for values in MEMBERS]).or_raise()
        await db.add(*[Post(*values) for values in POSTS]).or_raise()
        await db.add(*[Comment(*values) for values in COMMENTS]).or_raise()


@asynccontextmanager
async def sqlite(lanes: list[Lane]) -> Any:
    # two copies of SQLite do not work on one file: each lane has its own
    with tempfile.TemporaryDirectory() as directory:
        first = f"{directory}/{WithOmmi.name}.db"
        await fill(f"sqlite://{first}?synchronous=normal")
        try:
            for lane in lanes:
                path = f"{directory}/{lane.name}.db"
                if path != first:
                    shutil.copy(first, path)
                options = "?synchronous=normal" if isinstance(lane, WithOmmi) else ""
                await lane.open(f"{SCHEMES.get(lane.name, '')}{path}{options}")
            yield
        finally:
            await close(lanes)


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@asynccontextmanager
async def postgres(lanes: list[Lane]) -> Any:
    import asyncpg

    url = os.environ["OMMI_POSTGRES_URL"]
    admin = await asyncpg.connect(url)
    names = [f"{DATABASE}_{lane.name.lower()}" for lane in lanes]
    first = f"{DATABASE}_{WithOmmi.name.lower()}"
    try:
        for name in names:
            await admin.execute(f"DROP DATABASE IF EXISTS {name}")
        await admin.execute(f"CREATE DATABASE {first}")
        await fill(with_database(url, first))
        for name in names:
            if name != first:
                await admin.execute(f"CREATE DATABASE {name} TEMPLATE {first}")
        for lane, name in zip(lanes, names, strict=True):
            of_lane = with_database(url, name).replace("postgres://", "postgresql://", 1)
            await lane.open(f"{of_lane}?pool=8" if isinstance(lane, WithOmmi) else of_lane)
            await lane.execute("ANALYZE")
        yield
    finally:
        await close(lanes)
        for name in names:
            await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()


@asynccontextmanager
async def mongodb(lanes: list[Lane]) -> Any:
    from pymongo import AsyncMongoClient

    url = os.environ["OMMI_MONGODB_URL"]
    client: AsyncMongoClient[Any] = AsyncMongoClient(url)
    names = [f"{DATABASE}_{lane.name.lower()}" for lane in lanes]
    first = f"{DATABASE}_{WithOmmi.name.lower()}"
    try:
        for name in names:
            await client.drop_database(name)
        await fill(with_database(url, first))
        for name in names:
            for table in ("User", "Member", "Post", "Comment") if name != first else ():
                await client[name][table].insert_many(await client[first][table].find().to_list())
            if name != first:
                await client[name]["Post"].create_index("member_id")
                await client[name]["Comment"].create_index("post_id")
        for lane, name in zip(lanes, names, strict=True):
            await lane.open(with_database(url, name))
        yield
    finally:
        await close(lanes)
        for name in names:
            await client.drop_database(name)
        await client.close()


async def close(lanes: list[Lane]) -> None:
    for lane in lanes:
        # those that were not opened, where an earlier one could not be, have nothing to close
        with suppress(AttributeError):
            await lane.close()


async def done(work: Any) -> Any:
    return await work if inspect.isawaitable(work) else work


async def check(lane: Lane) -> None:
    """Whether a lane's answers are the right ones."""
    wanted = [(*user(index), index + 1) for index in range(FEW)]
    key = KEYS[7]
    assert lane.row(await done(lane.gets([1, key]))) == (*user(key - 1), key), lane.name
    assert sorted((lane.row(found) for found in await done(lane.rows())), key=lambda row: row[-1]) == wanted, lane.name
    assert await lane.counts(await done(lane.tree())) == [[10] * 10] * 100, lane.name


async def timed(run: Callable[[], Any]) -> float:
    """How long it takes until the answer is there; letting go of it is not measured."""
    gc.collect()
    begun = time.perf_counter()
    answer = await done(run())
    took = time.perf_counter() - begun
    del answer
    return took


async def together(lane: Any) -> None:
    tasks = [lane.some([(task * 31 + step * 7919) % ROWS + 1 for step in range(10)]) for task in range(64)]
    await asyncio.gather(*tasks)


async def clean(lane: Lane, database: str) -> None:
    if database != "mongodb":
        await done(lane.execute(f'DELETE FROM "User" WHERE id > {ROWS}'))
    elif isinstance(lane, WithOmmi):
        await lane.db.find(User.id > ROWS).delete.or_raise()
    else:
        found: Any = lane
        await found.users.delete_many({"_id": {"$type": "objectId"}})


async def measure(lanes: list[Lane], database: str, rounds: int) -> Times:
    new = [user(ROWS + index) for index in range(FEW)]

    async def looked(lane: Lane) -> float:
        await done(lane.gets(KEYS[: LOOKUPS // 10]))
        return await timed(lambda: lane.gets(KEYS[:LOOKUPS])) / LOOKUPS

    async def inserted(lane: Lane) -> float:
        await done(lane.inserts(new[: SINGLE // 10]))
        return await timed(lambda: lane.inserts(new[:SINGLE])) / SINGLE

    async def walked(lane: Lane) -> float:
        # what is lazy is looked at too
        async def run() -> Any:
            tree = await done(lane.tree())
            assert sum(sum(of) for of in await lane.counts(tree)) == len(COMMENTS)
            return tree

        return await timed(run)

    works: dict[str, Callable[[Lane], Awaitable[float]]] = {
        "one row by key": looked,
        "1,000 rows": lambda lane: timed(lane.rows),
        "insert 1": inserted,
        "insert 1,000": lambda lane: timed(lambda: lane.insert_many(new)),
        "100 x 10 x 10 relations": walked,
    }
    if database == "postgres":
        works["64 tasks, pool of 8, one row by key"] = in_flight
    times: Times = {}
    for name, work in works.items():
        of_work = [lane for lane in lanes if work is not in_flight or hasattr(lane, "some")]
        for round_ in range(rounds + 1):
            # in each round another one begins, and the first round is left out
            for lane in of_work[round_ % len(of_work) :] + of_work[: round_ % len(of_work)]:
                took = await work(lane)
                if name.startswith("insert"):
                    await clean(lane, database)
                if round_:
                    times.setdefault((name, lane.name), []).append(took)
        print(
            name, {lane.name: f"{statistics.median(times[name, lane.name]) * 1e6:.1f}" for lane in of_work}, flush=True
        )
    return times


async def in_flight(lane: Lane) -> float:
    return await timed(lambda: together(lane)) / 640


def table(lanes: list[Lane], times: Times) -> str:
    """The raw driver's times, and the others' in relation to them: the median, and the middle half of the rounds."""
    raw, *others = (lane.name for lane in lanes)
    lines = [f"| work | {raw} µs | {' | '.join(others)} |", f"|---|---:|{'---:|' * len(others)}"]
    for work in dict.fromkeys(work for work, _ in times):
        base = times[work, raw]
        cells = [f"{statistics.median(base) * 1e6:.1f}"]
        for name in others:
            if (work, name) not in times:
                cells.append("–")  # noqa: RUF001
                continue
            ratios = [took / of for took, of in zip(times[work, name], base, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
            cells.append(f"{middle:.2f} ({low:.2f}–{high:.2f})")  # noqa: RUF001
        lines.append(f"| {work} | {' | '.join(cells)} |")
    return "\n".join(lines)


def circumstances(lanes: list[Lane], rounds: int) -> str:
    """With what, on what and when it was measured."""
    versions = ", ".join(f"{lane.name} {version(lane.package)}" for lane in lanes if lane.package)
    processor = "?"
    if (cpuinfo := Path("/proc/cpuinfo")).exists():
        models = [line.split(": ", 1)[1] for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        processor = models[0] if models else processor
    kernel = platform.release().split("-")[0].split("+")[0]
    day = datetime.datetime.now(datetime.timezone.utc).date()
    return (
        f"Python {platform.python_version()}; {versions}.\n{day}, {os.cpu_count()} cores ({processor}), "
        f"{platform.system()} {kernel}, load {os.getloadavg()[0]:.2f}, {rounds} rounds."
    )


def put(report: Path, part: str, text: str) -> None:
    """Puts a part into the report, in place of the same part before."""
    begin, end = f"<!-- {part} -->\n", f"\n<!-- end of {part} -->"
    head, rest = report.read_text().split(begin, 1)
    tail = rest.split(end, 1)[1]
    report.write_text(f"{head}{begin}\n{text}\n{end}{tail}")


async def main() -> None:
    parser = argparse.ArgumentParser(prog="peers")
    parser.add_argument("database", choices=LANES)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--lanes", help="the names of some lanes, with commas between them")
    said = parser.parse_args()
    lanes = lanes_of(said.database)
    if said.lanes:
        lanes = [lane for lane in lanes if lane.name in said.lanes.split(",")]
    prepared = {"sqlite": sqlite, "postgres": postgres, "mongodb": mongodb}[said.database]
    async with prepared(lanes):
        for lane in lanes:
            await check(lane)
        times = await measure(lanes, said.database, said.rounds)
    text = f"{circumstances(lanes, said.rounds)}\n\n{table(lanes, times)}"
    print(f"\n{NAMES[said.database]}\n\n{text}")
    if said.report:
        put(said.report, f"python {said.database}", text)


if __name__ == "__main__":
    asyncio.run(main())
