"""Tortoise."""

from __future__ import annotations

from typing import Any

from tortoise import Tortoise, fields
from tortoise.models import Model
from tortoise.transactions import in_transaction

from models import FEW, Values

from .lane import Lane, named


class User(Model):
    name = fields.TextField()
    hair_color = fields.TextField(null=True)
    age = fields.BigIntField()
    created_at = fields.BigIntField()
    id = fields.BigIntField(primary_key=True)

    class Meta:
        table = "User"


class Member(Model):
    name = fields.TextField()
    age = fields.BigIntField()
    id = fields.BigIntField(primary_key=True)
    posts: fields.ReverseRelation[Post]

    class Meta:
        table = "Member"


class Post(Model):
    member: Any = fields.ForeignKeyField("models.Member", related_name="posts")
    title = fields.TextField()
    body = fields.TextField()
    id = fields.BigIntField(primary_key=True)
    comments: fields.ReverseRelation[Comment]

    class Meta:
        table = "Post"


class Comment(Model):
    post: Any = fields.ForeignKeyField("models.Post", related_name="comments")
    text = fields.TextField()
    id = fields.BigIntField(primary_key=True)

    class Meta:
        table = "Comment"


class WithTortoise(Lane):
    name = "Tortoise"
    package = "tortoise-orm"

    async def open(self, url: str) -> None:
        scheme, rest = url.split("://", 1)
        url = f"sqlite://{rest}?synchronous=NORMAL" if scheme == "sqlite" else f"asyncpg://{rest}?minsize=8&maxsize=8"
        await Tortoise.init(db_url=url, modules={"models": [__name__]}, _enable_global_fallback=True)

    async def close(self) -> None:
        await Tortoise.close_connections()

    async def execute(self, text: str) -> Any:
        async with in_transaction() as connection:
            await connection.execute_query(text)

    async def gets(self, keys: list[int]) -> Any:
        found = None
        for key in keys:
            found = await User.get(id=key)
        return found

    async def some(self, keys: list[int]) -> None:
        for key in keys:
            await User.get(id=key)

    async def rows(self) -> Any:
        return await User.filter(id__lte=FEW)

    async def inserts(self, rows: list[Values]) -> Any:
        for values in rows:
            await User.create(**named(values))

    async def insert_many(self, rows: list[Values]) -> Any:
        async with in_transaction():
            await User.bulk_create([User(**named(values)) for values in rows])

    async def tree(self) -> Any:
        return await Member.filter(id__lte=100).prefetch_related("posts__comments")
