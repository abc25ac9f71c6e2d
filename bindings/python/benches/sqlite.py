"""Ommi against Python's own `sqlite3`, called synchronously, which gives tuples: `python benches/sqlite.py`.

Prints medians of interleaved rounds until the answer is there, and the ratio of the two.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from measure import compare
from users import Slots, User, collection, user

from ommi import Auto, Index, Key, LazyList, Ommi, ReferenceTo, auto, ommi_model

ROWS = 100_000


@ommi_model(collection=collection)
@dataclass
class Member:
    name: str
    age: int
    posts: LazyList[Post] = LazyList()
    id: Annotated[int, Key | Auto] = auto()


@ommi_model(collection=collection)
@dataclass
class Post:
    member_id: Annotated[int, ReferenceTo("Member.id"), Index()]
    title: str
    body: str
    comments: LazyList[Comment] = LazyList()
    id: Annotated[int, Key | Auto] = auto()


@ommi_model(collection=collection)
@dataclass
class Comment:
    post_id: Annotated[int, ReferenceTo("Post.id"), Index()]
    text: str
    id: Annotated[int, Key | Auto] = auto()


SELECT = 'SELECT name, hair_color, age, created_at, id FROM "User" WHERE id = ?'
SELECT_MANY = 'SELECT name, hair_color, age, created_at, id FROM "User" WHERE id <= ?'
OF_POSTS = 'SELECT c.post_id, c.text, c.id FROM "Post" p JOIN "Comment" c ON c.post_id = p.id WHERE p.member_id <= ?'
INSERT = 'INSERT INTO "User" (name, hair_color, age, created_at) VALUES (?, ?, ?, ?)'


async def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        raw = sqlite3.connect(Path(directory) / "raw.db", isolation_level=None)
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = NORMAL")
        url = f"sqlite://{directory}/ommi.db?synchronous=normal"
        async with Ommi(url) as db:
            await db.use_models(collection)
            # the same tables and indexes
            schema = (
                "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY type DESC"
            )
            for (text,) in await db.raw(schema).tuples.or_raise():
                raw.execute(text)
            for model in (User, Slots):
                for start in range(0, ROWS, 10_000):
                    await db.add(*[model(*user(index)) for index in range(start, start + 10_000)]).or_raise()
            raw.execute("BEGIN")
            raw.executemany(INSERT, [user(index) for index in range(ROWS)])
            await members(db, raw)
            raw.execute("COMMIT")
            await measure(db, raw, rounds)
        raw.close()


MEMBERS = [(f"Member number {index}", index % 90) for index in range(100)]
POSTS = [
    (index // 10 + 1, f"Post number {index}", f"The body of post number {index}, which is longer than its title")
    for index in range(1_000)
]
COMMENTS = [(index // 10 + 1, f"Comment number {index}, which says a little more") for index in range(10_000)]


async def members(db: Ommi, raw: sqlite3.Connection) -> None:
    await db.add(*[Member(*values) for values in MEMBERS]).or_raise()
    await db.add(*[Post(*values) for values in POSTS]).or_raise()
    await db.add(*[Comment(*values) for values in COMMENTS]).or_raise()
    raw.executemany('INSERT INTO "Member" (name, age) VALUES (?, ?)', MEMBERS)
    raw.executemany('INSERT INTO "Post" (member_id, title, body) VALUES (?, ?, ?)', POSTS)
    raw.executemany('INSERT INTO "Comment" (post_id, text) VALUES (?, ?)', COMMENTS)


async def measure(db: Ommi, raw: sqlite3.Connection, rounds: int) -> None:
    keys = [(index * 7919) % ROWS + 1 for index in range(1_000)]
    new = [user(index) for index in range(1_000)]

    def raw_lookups() -> None:
        for key in keys:
            raw.execute(SELECT, (key,)).fetchone()

    async def gets() -> None:
        for key in keys:
            await db.get(User, key).or_raise()

    async def finds() -> None:
        for key in keys:
            await db.find(User.id == key).one.or_raise()

    def raw_rows() -> Any:
        return raw.execute(SELECT_MANY, (1000,)).fetchall()

    async def rows() -> Any:
        return await db.find(User.id <= 1000).or_raise()

    async def slots_rows() -> Any:
        return await db.find(Slots.id <= 1000).or_raise()

    def raw_insert() -> None:
        for values in new[:100]:
            raw.execute(INSERT, values)

    async def insert() -> None:
        for values in new[:100]:
            await db.add(User(*values)).or_raise()

    def raw_insert_many() -> None:
        raw.execute("BEGIN")
        raw.executemany(INSERT, new)
        raw.execute("COMMIT")

    async def insert_many() -> None:
        await db.add(*[User(*values) for values in new]).or_raise()

    instances = [User(*values) for values in new]

    async def insert_instances() -> None:
        for instance in instances:
            instance.id = None  # type: ignore[assignment]
        await db.add(*instances).or_raise()

    def raw_relations() -> Any:
        # what a program without a mapper does: three queries, put together by key
        posts: dict[int, list[Any]] = {}
        comments: dict[int, list[Any]] = {}
        found = raw.execute('SELECT name, age, id FROM "Member" WHERE id <= ?', (100,)).fetchall()
        for row in raw.execute('SELECT member_id, title, body, id FROM "Post" WHERE member_id <= ?', (100,)).fetchall():
            posts.setdefault(row[0], []).append(row)
        for row in raw.execute(OF_POSTS, (100,)).fetchall():
            comments.setdefault(row[0], []).append(row)
        assert sum(len(comments[post[3]]) for member in found for post in posts[member[2]]) == 10_000
        return found, posts, comments

    async def relations() -> Any:
        members = await db.find(Member.id <= 100).with_(Member.posts.with_(Post.comments)).or_raise()
        total = 0
        for member in members:
            for post in await member.posts:
                total += len(await post.comments)
        assert total == 10_000
        return members

    work: dict[str, tuple[int, Callable[[], Any], list[tuple[str, Callable[[], Awaitable[Any]]]]]] = {
        "one row by key": (1_000, raw_lookups, [("get", gets), ("find(..).one", finds)]),
        "1,000 rows": (1, raw_rows, [("dataclass", rows), ("slots", slots_rows)]),
        "insert 1": (100, raw_insert, [("add", insert)]),
        "insert 1,000": (1, raw_insert_many, [("make and add", insert_many), ("add", insert_instances)]),
        "100 x 10 x 10 relations": (1, raw_relations, [("with_", relations)]),
    }
    for name, (times, ours, theirs) in work.items():
        await compare(name, "sqlite3", times, ours, theirs, rounds)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 25))
