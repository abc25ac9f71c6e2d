"""`python -m peers sqlite|postgres|mongodb [--rounds 11] [--lanes NAME,NAME]`

The table goes into docs/performance.md where all lanes were measured.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import platform
import statistics
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

from measure import done, timed
from report import machine, put, spread

from models import COMMENTS, FEW, KEYS, NEW, user

from .lane import Lane
from .stores import clean, mongodb, postgres, sqlite

# the raw driver, Ommi, and the others
LANES = {
    "sqlite": [
        "tuples.Sqlite3",
        "with_ommi.WithOmmi",
        "with_aiosqlite.Aiosqlite",
        "with_sqlalchemy.WithSqlalchemy",
        "with_tortoise.WithTortoise",
        "with_oxyde.WithOxyde",
    ],
    "postgres": [
        "with_asyncpg.Asyncpg",
        "with_ommi.WithOmmi",
        "with_psycopg.Psycopg",
        "with_sqlalchemy.WithSqlalchemy",
        "with_tortoise.WithTortoise",
        "with_oxyde.WithOxyde",
    ],
    "mongodb": ["with_pymongo.Pymongo", "with_ommi.WithOmmi"],
}
STORES = {"sqlite": sqlite, "postgres": postgres, "mongodb": mongodb}

LOOKUPS, SINGLE = 200, 50
TASKS, EACH = 64, 10

Times = dict[tuple[str, str], list[float]]


def lanes_of(database: str) -> list[Lane]:
    made = []
    for name in LANES[database]:
        module, name = name.split(".")
        made.append(getattr(importlib.import_module(f".{module}", __package__), name)())
    return made


async def check(lane: Lane) -> None:
    """Whether a lane's answers are the right ones."""
    wanted = [(*user(index), index + 1) for index in range(FEW)]
    key = KEYS[7]
    assert lane.row(await done(lane.gets([1, key]))) == (*user(key - 1), key), lane.name
    assert sorted((lane.row(found) for found in await done(lane.rows())), key=lambda row: row[-1]) == wanted, lane.name
    assert await lane.counts(await done(lane.tree())) == [[10] * 10] * 100, lane.name


async def took(run: Callable[[], Any]) -> float:
    gc.collect()
    return (await timed(run))[0]


async def looked_up(lane: Lane) -> float:
    await done(lane.gets(KEYS[: LOOKUPS // 10]))
    return await took(lambda: lane.gets(KEYS[:LOOKUPS])) / LOOKUPS


async def inserted(lane: Lane) -> float:
    await done(lane.inserts(NEW[: SINGLE // 10]))
    return await took(lambda: lane.inserts(NEW[:SINGLE])) / SINGLE


async def walked(lane: Lane) -> float:
    # what is lazy is looked at too
    async def run() -> Any:
        tree = await done(lane.tree())
        assert sum(sum(of) for of in await lane.counts(tree)) == len(COMMENTS)
        return tree

    return await took(run)


async def in_flight(lane: Any) -> float:
    async def run() -> None:
        await asyncio.gather(*[lane.some(KEYS[task * EACH :][:EACH]) for task in range(TASKS)])

    return await took(run) / (TASKS * EACH)


WORKS: dict[str, Callable[[Lane], Awaitable[float]]] = {
    "one row by key": looked_up,
    "1,000 rows": lambda lane: took(lane.rows),
    "insert 1": inserted,
    "insert 1,000": lambda lane: took(lambda: lane.insert_many(NEW)),
    "100 x 10 x 10 relations": walked,
    "64 tasks, pool of 8, one row by key": in_flight,
}


async def measure(lanes: list[Lane], database: str, rounds: int) -> Times:
    times: Times = {}
    for name, work in WORKS.items():
        if work is in_flight and database != "postgres":
            continue
        of_work = [lane for lane in lanes if work is not in_flight or hasattr(lane, "some")]
        for round_ in range(rounds + 1):
            # in each round another one begins, and the first round is left out
            for lane in of_work[round_ % len(of_work) :] + of_work[: round_ % len(of_work)]:
                time = await work(lane)
                if name.startswith("insert"):
                    await clean(lane, database)
                if round_:
                    times.setdefault((name, lane.name), []).append(time)
    return times


def table(lanes: list[Lane], times: Times) -> str:
    """The raw driver's times, and the others' in relation to them: the median, and the middle half of the rounds."""
    raw, *others = (lane.name for lane in lanes)
    lines = [f"| work | {raw} µs | {' | '.join(others)} |", f"|---|---:|{'---:|' * len(others)}"]
    for work in dict.fromkeys(work for work, _ in times):
        base = times[work, raw]
        cells = [f"{statistics.median(base) * 1e6:.1f}"]
        for name in others:
            found = times.get((work, name))
            ratios = [time / of for time, of in zip(found, base, strict=True)] if found else []
            cells.append(spread(ratios) if ratios else "–")  # noqa: RUF001
        lines.append(f"| {work} | {' | '.join(cells)} |")
    return "\n".join(lines)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="peers")
    parser.add_argument("database", choices=LANES)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--lanes", help="the names of some lanes, with commas between them")
    said = parser.parse_args()
    lanes = lanes_of(said.database)
    if said.lanes:
        lanes = [lane for lane in lanes if lane.name in said.lanes.split(",")]
    async with STORES[said.database](lanes):
        for lane in lanes:
            await check(lane)
        times = await measure(lanes, said.database, said.rounds)
    versions = ", ".join(f"{lane.name} {version(lane.package)}" for lane in lanes if lane.package)
    text = (
        f"Python {platform.python_version()}; {versions}.\n{machine()}, {said.rounds} rounds.\n\n{table(lanes, times)}"
    )
    print(text)
    if not said.lanes:
        put(f"python {said.database}", text)


if __name__ == "__main__":
    asyncio.run(main())
