"""psycopg."""

from __future__ import annotations

from typing import Any

import psycopg

from models import FEW, Values

from .tuples import Tuples, together


class Psycopg(Tuples):
    name = package = "psycopg"
    mark = "%s"

    def __init__(self) -> None:
        super().__init__()
        self.new += " RETURNING id"

    async def open(self, url: str) -> None:
        self.connection = await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=1)

    async def close(self) -> None:
        await self.connection.close()

    async def execute(self, text: str) -> Any:
        await self.connection.execute(text.encode())

    async def gets(self, keys: list[int]) -> Any:
        found = None
        for key in keys:
            found = await (await self.connection.execute(self.one.encode(), (key,))).fetchone()
        return found

    async def rows(self) -> Any:
        return await (await self.connection.execute(self.many.encode(), (FEW,))).fetchall()

    async def inserts(self, rows: list[Values]) -> Any:
        for values in rows:
            await (await self.connection.execute(self.new.encode(), values)).fetchone()

    async def insert_many(self, rows: list[Values]) -> Any:
        async with self.connection.transaction(), self.connection.cursor() as cursor:
            await cursor.executemany(self.new.encode(), rows, returning=True)

    async def tree(self) -> Any:
        found = [await (await self.connection.execute(text.encode(), (100,))).fetchall() for text in self.three]
        return together([list(rows) for rows in found])
