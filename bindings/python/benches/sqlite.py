"""Ommi against Python's own `sqlite3`, called synchronously, which gives tuples: `python benches/sqlite.py`.

Prints medians of interleaved rounds until the answer is there, and the ratio of the two.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from measure import compare
from peers.stores import sqlite
from peers.tuples import Sqlite3
from peers.with_ommi import WithOmmi

from models import COMMENTS, FEW, KEYS, NEW, Slots, User

LOOKUPS, SINGLE = 1_000, 100


async def main(rounds: int) -> None:
    raw, ommi = Sqlite3(), WithOmmi()
    async with sqlite([raw, ommi]):
        await measure(raw, ommi, rounds)


async def measure(raw: Sqlite3, ommi: WithOmmi, rounds: int) -> None:
    db = ommi.db

    async def finds() -> None:
        for key in KEYS[:LOOKUPS]:
            await db.find(User.id == key).one.or_raise()

    async def slots_rows() -> Any:
        return await db.find(Slots.id <= FEW).or_raise()

    instances = [User(*values) for values in NEW]

    async def insert_instances() -> None:
        for instance in instances:
            instance.id = None  # type: ignore[assignment]
        await db.add(*instances).or_raise()

    async def counted(lane: Sqlite3 | WithOmmi, tree: Any) -> Any:
        assert sum(sum(of) for of in await lane.counts(tree)) == len(COMMENTS)
        return tree

    async def raw_tree() -> Any:
        return await counted(raw, raw.tree())

    async def tree() -> Any:
        return await counted(ommi, await ommi.tree())

    work: dict[str, tuple[int, Callable[[], Any], list[tuple[str, Callable[[], Awaitable[Any]]]]]] = {
        "one row by key": (
            LOOKUPS,
            lambda: raw.gets(KEYS[:LOOKUPS]),
            [("get", lambda: ommi.gets(KEYS[:LOOKUPS])), ("find(..).one", finds)],
        ),
        "1,000 rows": (1, raw.rows, [("dataclass", ommi.rows), ("slots", slots_rows)]),
        "insert 1": (SINGLE, lambda: raw.inserts(NEW[:SINGLE]), [("add", lambda: ommi.inserts(NEW[:SINGLE]))]),
        "insert 1,000": (
            1,
            lambda: raw.insert_many(NEW),
            [("make and add", lambda: ommi.insert_many(NEW)), ("add", insert_instances)],
        ),
        "100 x 10 x 10 relations": (1, raw_tree, [("with_", tree)]),
    }
    for name, (times, ours, theirs) in work.items():
        await compare(name, "sqlite3", times, ours, theirs, rounds)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 25))
