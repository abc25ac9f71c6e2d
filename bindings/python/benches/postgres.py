"""Ommi against asyncpg, which gives records: `OMMI_POSTGRES_URL=.. python benches/postgres.py`."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import asyncpg
from measure import compare
from users import Slots, User, collection, user

from ommi import Ommi

ROWS = 20_000
SCHEMA = "ommi_python_bench"

COLUMNS = "name, hair_color, age, created_at, id"


async def main(rounds: int) -> None:
    url = os.environ["OMMI_POSTGRES_URL"]
    admin = await asyncpg.connect(url)
    await admin.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")
    settings = {"search_path": SCHEMA}
    raw = await asyncpg.connect(url, server_settings=settings)
    separator = "&" if "?" in url else "?"
    pool = await asyncpg.create_pool(url, min_size=8, max_size=8, server_settings=settings)
    try:
        async with Ommi(f"{url}{separator}search_path={SCHEMA}&pool=8") as db:
            await db.use_models(collection)
            for model in (User, Slots):
                await db.add(*[model(*user(index)) for index in range(ROWS)]).or_raise()
            await admin.execute(f'ANALYZE {SCHEMA}."User", {SCHEMA}."Slots"')
            await measure(db, raw, pool, rounds)
    finally:
        await pool.close()
        await raw.close()
        await admin.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
        await admin.close()


async def measure(db: Ommi, raw: Any, pool: Any, rounds: int) -> None:
    keys = [(index * 7919) % ROWS + 1 for index in range(300)]
    one = f'SELECT {COLUMNS} FROM "User" WHERE id = $1'
    many = f'SELECT {COLUMNS} FROM "User" WHERE id <= $1'

    async def raw_lookups() -> None:
        for key in keys:
            await raw.fetchrow(one, key)

    async def gets() -> None:
        for key in keys:
            await db.get(User, key).or_raise()

    async def raw_rows() -> Any:
        return await raw.fetch(many, 1000)

    async def rows() -> Any:
        return await db.find(User.id <= 1000).or_raise()

    async def slots_rows() -> Any:
        return await db.find(Slots.id <= 1000).or_raise()

    async def raw_worker(of: list[int]) -> None:
        for key in of:
            async with pool.acquire() as connection:
                await connection.fetchrow(one, key)

    async def worker(of: list[int]) -> None:
        for key in of:
            await db.get(User, key).or_raise()

    lanes = [[(lane * 31 + index * 7919) % ROWS + 1 for index in range(10)] for lane in range(64)]

    async def raw_flight() -> None:
        await asyncio.gather(*(raw_worker(lane) for lane in lanes))

    async def flight() -> None:
        await asyncio.gather(*(worker(lane) for lane in lanes))

    await compare("one row by key", "asyncpg", len(keys), raw_lookups, [("get", gets)], rounds)
    await compare("1,000 rows", "asyncpg", 1, raw_rows, [("dataclass", rows), ("slots", slots_rows)], rounds * 2)
    await compare("64 in flight on 8", "asyncpg", 640, raw_flight, [("get", flight)], rounds)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 25))
