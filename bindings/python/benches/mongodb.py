"""Ommi against pymongo's asynchronous client, which gives dictionaries:
`OMMI_MONGODB_URL=.. python benches/mongodb.py`."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Optional
from urllib.parse import urlsplit, urlunsplit

from measure import compare
from pymongo import AsyncMongoClient

from ommi import Auto, Key, ModelCollection, Ommi, auto, ommi_model

ROWS = 10_000
DATABASE = "ommi_python_bench"
collection = ModelCollection()


@ommi_model(collection=collection)
@dataclass
class User:
    name: str
    hair_color: Optional[str]
    age: int
    created_at: int
    id: Annotated[int, Key | Auto] = auto()


@ommi_model(collection=collection)
@dataclass(slots=True)
class Slots:
    name: str
    hair_color: Optional[str]
    age: int
    created_at: int
    id: Annotated[int, Key | Auto] = auto()


def user(index: int) -> tuple[str, str | None, int, int]:
    return f"User {index}", None if index % 3 else "brown", index % 90, 1_700_000_000 + index


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
