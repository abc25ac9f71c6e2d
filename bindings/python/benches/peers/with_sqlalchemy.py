"""SQLAlchemy's ORM, with its asynchronous engine."""

from __future__ import annotations

from typing import Any, Optional

from sqlalchemy import BigInteger, ForeignKey, Integer, event, select, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

from models import FEW, Values

from .lane import Lane, named
from .tuples import PRAGMAS


class Base(DeclarativeBase):
    # SQLite has one type of integers, and others are no keys that it assigns
    type_annotation_map = {int: BigInteger().with_variant(Integer, "sqlite")}


class User(Base):
    __tablename__ = "User"
    name: Mapped[str]
    hair_color: Mapped[Optional[str]]
    age: Mapped[int]
    created_at: Mapped[int]
    id: Mapped[int] = mapped_column(primary_key=True)


class Member(Base):
    __tablename__ = "Member"
    name: Mapped[str]
    age: Mapped[int]
    id: Mapped[int] = mapped_column(primary_key=True)
    posts: Mapped[list[Post]] = relationship()


class Post(Base):
    __tablename__ = "Post"
    member_id: Mapped[int] = mapped_column(ForeignKey("Member.id"))
    title: Mapped[str]
    body: Mapped[str]
    id: Mapped[int] = mapped_column(primary_key=True)
    comments: Mapped[list[Comment]] = relationship()


class Comment(Base):
    __tablename__ = "Comment"
    post_id: Mapped[int] = mapped_column(ForeignKey("Post.id"))
    text: Mapped[str]
    id: Mapped[int] = mapped_column(primary_key=True)


class WithSqlalchemy(Lane):
    name = package = "SQLAlchemy"

    async def open(self, url: str) -> None:
        scheme, rest = url.split("://", 1)
        driver = "sqlite+aiosqlite" if scheme == "sqlite" else "postgresql+asyncpg"
        self.engine = create_async_engine(f"{driver}://{rest}", pool_size=8)
        if scheme == "sqlite":

            @event.listens_for(self.engine.sync_engine, "connect")
            def _pragmas(connection: Any, _record: Any) -> None:
                for pragma in PRAGMAS:
                    connection.execute(pragma)

    async def close(self) -> None:
        await self.engine.dispose()

    def session(self) -> AsyncSession:
        return AsyncSession(self.engine, expire_on_commit=False)

    async def execute(self, statement: str) -> Any:
        async with self.engine.begin() as connection:
            await connection.execute(text(statement))

    async def gets(self, keys: list[int]) -> Any:
        found = None
        # one session, and so one transaction, for all of them, but what it remembers is not taken
        async with self.session() as session:
            for key in keys:
                found = await session.get(User, key, populate_existing=True)
        return found

    async def some(self, keys: list[int]) -> None:
        for key in keys:
            async with self.session() as session:
                await session.get(User, key)

    async def rows(self) -> Any:
        async with self.session() as session:
            return (await session.scalars(select(User).where(User.id <= FEW))).all()

    async def inserts(self, rows: list[Values]) -> Any:
        for values in rows:
            async with self.session() as session:
                session.add(User(**named(values)))
                await session.commit()

    async def insert_many(self, rows: list[Values]) -> Any:
        async with self.session() as session:
            session.add_all([User(**named(values)) for values in rows])
            await session.commit()

    async def tree(self) -> Any:
        async with self.session() as session:
            related = selectinload(Member.posts).selectinload(Post.comments)
            return (await session.scalars(select(Member).where(Member.id <= 100).options(related))).all()
