"""pymongo's asynchronous client, which gives dictionaries."""

from __future__ import annotations

from typing import Any

from pymongo import AsyncMongoClient

from models import FEW, Values

from .lane import Lane, Row, count, named


class Pymongo(Lane):
    name = package = "pymongo"

    async def open(self, url: str) -> None:
        self.client: AsyncMongoClient[Any] = AsyncMongoClient(url)
        self.database = self.client.get_default_database()
        self.users = self.database["User"]

    async def close(self) -> None:
        await self.client.close()

    async def execute(self, text: str) -> Any:
        raise NotImplementedError(text)

    async def gets(self, keys: list[int]) -> Any:
        found = None
        for key in keys:
            found = await self.users.find_one({"_id": key})
        return found

    async def rows(self) -> Any:
        return await self.users.find({"_id": {"$lte": FEW}}).to_list()

    async def inserts(self, rows: list[Values]) -> Any:
        for values in rows:
            await self.users.insert_one(named(values))

    async def insert_many(self, rows: list[Values]) -> Any:
        await self.users.insert_many([named(values) for values in rows])

    async def tree(self) -> Any:
        members = await self.database["Member"].find({"_id": {"$lte": 100}}).to_list()
        posts: dict[int, list[Any]] = {}
        comments: dict[int, list[Any]] = {}
        for post in await self.database["Post"].find({"member_id": {"$in": [of["_id"] for of in members]}}).to_list():
            posts.setdefault(post["member_id"], []).append(post)
        keys = [post["_id"] for of in posts.values() for post in of]
        for comment in await self.database["Comment"].find({"post_id": {"$in": keys}}).to_list():
            comments.setdefault(comment["post_id"], []).append(comment)
        return members, posts, comments

    def row(self, found: Any) -> Row:
        return found["name"], found.get("hair_color"), found["age"], found["created_at"], found["_id"]

    async def counts(self, tree: Any) -> list[list[int]]:
        members, posts, comments = tree
        by_key = {key: [(post["_id"],) for post in of] for key, of in posts.items()}
        return count([(of["_id"],) for of in members], by_key, comments)
