"""aiosqlite."""

from __future__ import annotations

from typing import Any

import aiosqlite

from models import FEW, Values

from .tuples import PRAGMAS, Tuples, together


class Aiosqlite(Tuples):
    name = package = "aiosqlite"

    async def open(self, url: str) -> None:
        self.connection = await aiosqlite.connect(url, isolation_level=None)
        for pragma in PRAGMAS:
            await self.connection.execute(pragma)

    async def close(self) -> None:
        await self.connection.close()

    async def execute(self, text: str) -> Any:
        await self.connection.execute(text)

    async def gets(self, keys: list[int]) -> Any:
        found = None
        for key in keys:
            async with self.connection.execute(self.one, (key,)) as cursor:
                found = await cursor.fetchone()
        return found

    async def rows(self) -> Any:
        return await self.connection.execute_fetchall(self.many, (FEW,))

    async def inserts(self, rows: list[Values]) -> Any:
        for values in rows:
            await self.connection.execute(self.new, values)

    async def insert_many(self, rows: list[Values]) -> Any:
        await self.connection.execute("BEGIN")
        await self.connection.executemany(self.new, rows)
        await self.connection.commit()

    async def tree(self) -> Any:
        return together([list(await self.connection.execute_fetchall(text, (100,))) for text in self.three])
