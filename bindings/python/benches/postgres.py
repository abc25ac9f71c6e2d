"""Ommi against asyncpg, which gives records: `OMMI_POSTGRES_URL=.. python benches/postgres.py`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from measure import compare
from peers.stores import postgres
from peers.with_asyncpg import Asyncpg
from peers.with_ommi import WithOmmi

from models import FEW, KEYS, Slots

LOOKUPS = 300


async def main(rounds: int) -> None:
    raw, ommi = Asyncpg(), WithOmmi()
    async with postgres([raw, ommi]):
        await measure(raw, ommi, rounds)


async def measure(raw: Asyncpg, ommi: WithOmmi, rounds: int) -> None:
    keys = KEYS[:LOOKUPS]

    async def slots_rows() -> Any:
        return await ommi.db.find(Slots.id <= FEW).or_raise()

    async def flight(lane: Asyncpg | WithOmmi) -> None:
        await asyncio.gather(*[lane.some(KEYS[task * 10 :][:10]) for task in range(64)])

    await compare(
        "one row by key", "asyncpg", LOOKUPS, lambda: raw.gets(keys), [("get", lambda: ommi.gets(keys))], rounds
    )
    await compare("1,000 rows", "asyncpg", 1, raw.rows, [("dataclass", ommi.rows), ("slots", slots_rows)], rounds * 2)
    await compare("64 in flight on 8", "asyncpg", 640, lambda: flight(raw), [("get", lambda: flight(ommi))], rounds)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 25))
