"""Ommi."""

from __future__ import annotations

from typing import Any

from models import FEW, Member, Post, User, Values, collection
from ommi import Ommi

from .lane import Lane


class WithOmmi(Lane):
    name = "Ommi"
    package = "ommi"

    async def open(self, url: str) -> None:
        self.db = Ommi(url)
        await self.db.use_models(collection)

    async def close(self) -> None:
        await self.db.close()

    async def execute(self, text: str) -> Any:
        await self.db.raw(text).execute.or_raise()

    async def gets(self, keys: list[int]) -> Any:
        found = None
        for key in keys:
            found = await self.db.get(User, key).or_raise()
        return found

    async def some(self, keys: list[int]) -> None:
        """Looks rows up by key, with the connections of the pool."""
        for key in keys:
            await self.db.get(User, key).or_raise()

    async def rows(self) -> Any:
        return await self.db.find(User.id <= FEW).or_raise()

    async def inserts(self, rows: list[Values]) -> Any:
        for values in rows:
            await self.db.add(User(*values)).or_raise()

    async def insert_many(self, rows: list[Values]) -> Any:
        return await self.db.add(*[User(*values) for values in rows]).or_raise()

    async def tree(self) -> Any:
        return await self.db.find(Member.id <= 100).with_(Member.posts.with_(Post.comments)).or_raise()

    async def counts(self, tree: Any) -> list[list[int]]:
        return [[len(await post.comments) for post in await member.posts] for member in tree]
