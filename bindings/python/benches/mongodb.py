"""Ommi against pymongo's asynchronous client, which gives dictionaries:
`OMMI_MONGODB_URL=.. python benches/mongodb.py`."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from measure import compare
from pymongo import AsyncMongoClient
from users import Slots, User, collection, user

from ommi import Ommi

ROWS = 10_000
DATABASE = "ommi_python_bench"


async def main(rounds: int) -> None:
    url = os.environ["OMMI_MONGODB_URL"]
    client: AsyncMongoClient[Any] = AsyncMongoClient(url)
    await client.drop_database(DATABASE)
    try:
        async with Ommi(urlunsplit(urlsplit(url)._replace(path=f"/{DATABASE}"))) as db:
            await db.use_models(collection)
            for model in (User, Slots):
                await db.add(*[model(*user(index)) for index in range(ROWS)]).or_raise()
            await measure(db, client[DATABASE]["User"], rounds)
    finally:
        await client.drop_database(DATABASE)
        await client.close()


async def measure(db: Ommi, raw: Any, rounds: int) -> None:
    keys = [(index * 7919) % ROWS + 1 for index in range(200)]

    async def raw_lookups() -> None:
        for key in keys:
            assert await raw.find_one({"_id": key})

    async def gets() -> None:
        for key in keys:
            await db.get(User, key).or_raise()

    async def raw_rows() -> Any:
        found = await raw.find({"_id": {"$lte": 1000}}).to_list()
        assert len(found) == 1_000
        return found

    async def rows() -> Any:
        return await db.find(User.id <= 1000).or_raise()

    async def slots_rows() -> Any:
        return await db.find(Slots.id <= 1000).or_raise()

    await compare("one document by key", "pymongo", len(keys), raw_lookups, [("get", gets)], rounds)
    await compare("1,000 documents", "pymongo", 1, raw_rows, [("dataclass", rows), ("slots", slots_rows)], rounds * 2)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 25))
