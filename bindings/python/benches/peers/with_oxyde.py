"""Oxyde."""

from __future__ import annotations

from typing import Any, Optional

from oxyde import Field, Model, db, execute_raw
from oxyde.db import PoolSettings

from models import FEW, Values

from .lane import Lane, named


class User(Model):
    name: str
    hair_color: Optional[str] = None
    age: int
    created_at: int
    id: Optional[int] = Field(default=None, db_pk=True)

    class Meta:
        is_table = True
        table_name = "User"


class Member(Model):
    name: str
    age: int
    id: Optional[int] = Field(default=None, db_pk=True)
    posts: list[Post] = Field(db_reverse_fk="member")

    class Meta:
        is_table = True
        table_name = "Member"


class Post(Model):
    member: Optional[Member] = Field(default=None, db_on_delete="RESTRICT")
    title: str
    body: str
    id: Optional[int] = Field(default=None, db_pk=True)
    comments: list[Comment] = Field(db_reverse_fk="post")

    class Meta:
        is_table = True
        table_name = "Post"


class Comment(Model):
    post: Optional[Post] = Field(default=None, db_on_delete="RESTRICT")
    text: str
    id: Optional[int] = Field(default=None, db_pk=True)

    class Meta:
        is_table = True
        table_name = "Comment"


class WithOxyde(Lane):
    name = "Oxyde"
    package = "oxyde"

    async def open(self, url: str) -> None:
        await db.init(default=url, settings=PoolSettings(min_connections=8, max_connections=8))

    async def close(self) -> None:
        await db.close()

    async def execute(self, text: str) -> Any:
        await execute_raw(text)

    async def gets(self, keys: list[int]) -> Any:
        found = None
        for key in keys:
            found = await User.objects.get(id=key)
        return found

    async def some(self, keys: list[int]) -> None:
        for key in keys:
            await User.objects.get(id=key)

    async def rows(self) -> Any:
        return await User.objects.filter(id__lte=FEW).all()

    async def inserts(self, rows: list[Values]) -> Any:
        for values in rows:
            await User.objects.create(**named(values))

    async def insert_many(self, rows: list[Values]) -> Any:
        return await User.objects.bulk_create([User(**named(values)) for values in rows])

    async def tree(self) -> Any:
        return await Member.objects.filter(id__lte=100).prefetch("posts__comments").all()
