"""Drivers that give tuples: relations are three queries, put together by key. `sqlite3` is one of them."""

from __future__ import annotations

import sqlite3
from typing import Any

from models import FEW, Values

from .lane import COLUMNS, Lane, Row, count

USERS = f'SELECT {", ".join(COLUMNS)} FROM "User" WHERE id'
NEW = f'INSERT INTO "User" ({", ".join(COLUMNS[:-1])})'
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
        self.one = f"{USERS} = {self.mark}"
        self.many = f"{USERS} <= {self.mark}"
        self.new = f"{NEW} VALUES ({', '.join([self.mark] * 4)})"
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
