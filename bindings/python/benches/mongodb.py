"""Ommi against pymongo's asynchronous client, which gives dictionaries:
`OMMI_MONGODB_URL=.. python benches/mongodb.py`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from measure import compare
from peers.stores import mongodb
from peers.with_ommi import WithOmmi
from peers.with_pymongo import Pymongo

from models import FEW, KEYS, Slots

LOOKUPS = 200


async def main(rounds: int) -> None:
    raw, ommi = Pymongo(), WithOmmi()
    async with mongodb([raw, ommi]):
        await measure(raw, ommi, rounds)


async def measure(raw: Pymongo, ommi: WithOmmi, rounds: int) -> None:
    keys = KEYS[:LOOKUPS]

    async def slots_rows() -> Any:
        return await ommi.db.find(Slots.id <= FEW).or_raise()

    get = [("get", lambda: ommi.gets(keys))]
    await compare("one document by key", "pymongo", LOOKUPS, lambda: raw.gets(keys), get, rounds)
    await compare(
        "1,000 documents", "pymongo", 1, raw.rows, [("dataclass", ommi.rows), ("slots", slots_rows)], rounds * 2
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 25))
