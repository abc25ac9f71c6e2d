"""Ommi."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Optional

from ommi import Auto, Index, Key, LazyList, ModelCollection, Ommi, ReferenceTo, auto, ommi_model

from .lane import FEW, Lane, Values

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
