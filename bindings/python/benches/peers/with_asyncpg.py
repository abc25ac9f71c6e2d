"""asyncpg, which gives records."""

from __future__ import annotations

from typing import Any

import asyncpg

from models import FEW, Values

from .tuples import NEW, Tuples, together


class Asyncpg(Tuples):
    name = package = "asyncpg"
    mark = "$1"

    def __init__(self) -> None:
        super().__init__()
        self.new = f"{NEW} VALUES ($1, $2, $3, $4) RETURNING id"

    async def open(self, url: str) -> None:
        self.pool = await asyncpg.create_pool(url, min_size=8, max_size=8)
        self.connection = await asyncpg.connect(url)

    async def close(self) -> None:
        await self.connection.close()
        await self.pool.close()

    async def execute(self, text: str) -> Any:
        await self.connection.execute(text)

    async def gets(self, keys: list[int]) -> Any:
        found = None
        for key in keys:
            found = await self.connection.fetchrow(self.one, key)
        return found

    async def some(self, keys: list[int]) -> None:
        """Looks rows up by key, each with a connection of the pool."""
        for key in keys:
            async with self.pool.acquire() as connection:
                await connection.fetchrow(self.one, key)

    async def rows(self) -> Any:
        return await self.connection.fetch(self.many, FEW)

    async def inserts(self, rows: list[Values]) -> Any:
        for values in rows:
            await self.connection.fetchval(self.new, *values)

    async def insert_many(self, rows: list[Values]) -> Any:
        # one statement of arrays, which gives the keys
        names, hair, ages, created = (list(column) for column in zip(*rows, strict=True))
        text = f"{NEW} SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) RETURNING id"
        return await self.connection.fetch(text, names, hair, ages, created)

    async def tree(self) -> Any:
        return together([await self.connection.fetch(text, 100) for text in self.three])
