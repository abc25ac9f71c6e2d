"""The drivers by themselves: they give tuples, and relations are three queries put together by key."""

from __future__ import annotations

import sqlite3
from typing import Any

import aiosqlite
import asyncpg
import psycopg

from .lane import FEW, Lane, Row, Values, count, insert

COLUMNS = "name, hair_color, age, created_at, id"
MEMBERS = 'SELECT name, age, id FROM "Member" WHERE id <= {}'
POSTS = 'SELECT member_id, title, body, id FROM "Post" WHERE member_id <= {}'
COMMENTS = 'SELECT c.post_id, c.text, c.id FROM "Post" p JOIN "Comment" c ON c.post_id = p.id WHERE p.member_id <= {}'
PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA foreign_keys = ON")


def together(found: list[list[Any]]) -> tuple[Any, Any, Any]:
    posts: dict[int, list[Any]] = {}
    comments: dict[int, list[Any]] = {}
    for row in found[1]:
        posts.setdefault(row[0], []).append(row)
    for row in found[2]:
        comments.setdefault(row[0], []).append(row)
    return found[0], posts, comments


class Tuples(Lane):
    """Rows are tuples, or as good as those."""

    mark = "?"

    def __init__(self) -> None:
        self.one = f'SELECT {COLUMNS} FROM "User" WHERE id = {self.mark}'
        self.many = f'SELECT {COLUMNS} FROM "User" WHERE id <= {self.mark}'
        self.new = insert("User", [self.mark] * 4)
        self.three = [text.format(self.mark) for text in (MEMBERS, POSTS, COMMENTS)]

    def row(self, found: Any) -> Row:
        name, hair_color, age, created_at, key = found
        return name, hair_color, age, created_at, key

    async def counts(self, tree: Any) -> list[list[int]]:
        return count(*tree)


class Sqlite3(Tuples):
    """Called synchronously: the least that there is."""

    name = "sqlite3"
    package = ""

    async def open(self, url: str) -> None:
        self.connection = sqlite3.connect(url, isolation_level=None)
        for pragma in PRAGMAS:
            self.connection.execute(pragma)

    async def close(self) -> None:
        self.connection.close()

    def execute(self, text: str) -> Any:
        self.connection.execute(text)

    def gets(self, keys: list[int]) -> Any:
        found = None
        for key in keys:
            found = self.connection.execute(self.one, (key,)).fetchone()
        return found

    def rows(self) -> Any:
        return self.connection.execute(self.many, (FEW,)).fetchall()

    def inserts(self, rows: list[Values]) -> Any:
        for values in rows:
            self.connection.execute(self.new, values)

    def insert_many(self, rows: list[Values]) -> Any:
        self.connection.execute("BEGIN")
        self.connection.executemany(self.new, rows)
        self.connection.execute("COMMIT")

    def tree(self) -> Any:
        return together([self.connection.execute(text, (100,)).fetchall() for text in self.three])


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


class Asyncpg(Tuples):
    name = package = "asyncpg"
    mark = "$1"

    def __init__(self) -> None:
        super().__init__()
        self.new = insert("User", ["$1", "$2", "$3", "$4"]) + " RETURNING id"

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
        text = (
            'INSERT INTO "User" (name, hair_color, age, created_at) '
            "SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) RETURNING id"
        )
        return await self.connection.fetch(text, names, hair, ages, created)

    async def tree(self) -> Any:
        return together([await self.connection.fetch(text, 100) for text in self.three])


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
