"""The databases of all lanes, each with one of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from measure import done

from models import COMMENTS, MEMBERS, POSTS, ROWS, Comment, Member, Post, Slots, User, collection, user
from ommi import Ommi

from .lane import Lane
from .with_ommi import WithOmmi

SCHEMES = {"Ommi": "sqlite://", "SQLAlchemy": "sqlite:///", "Tortoise": "sqlite://", "Oxyde": "sqlite://"}
DATABASE = "ommi_python_bench"


async def fill(url: str) -> None:
    """Tables and rows, by Ommi; those of the other lanes are copies."""
    async with Ommi(url) as db:
        await db.use_models(collection)
        for model in (User, Slots):
            await db.add(*[model(*user(index)) for index in range(ROWS)]).or_raise()
        await db.add(*[Member(*values) for values in MEMBERS]).or_raise()
        await db.add(*[Post(*values) for values in POSTS]).or_raise()
        await db.add(*[Comment(*values) for values in COMMENTS]).or_raise()


@asynccontextmanager
async def sqlite(lanes: list[Lane]) -> Any:
    # two copies of SQLite do not work on one file: each lane has its own
    with tempfile.TemporaryDirectory() as directory:
        first = f"{directory}/{WithOmmi.name}.db"
        await fill(f"sqlite://{first}?synchronous=normal")
        try:
            for lane in lanes:
                path = f"{directory}/{lane.name}.db"
                if path != first:
                    shutil.copy(first, path)
                options = "?synchronous=normal" if isinstance(lane, WithOmmi) else ""
                await lane.open(f"{SCHEMES.get(lane.name, '')}{path}{options}")
            yield
        finally:
            await close(lanes)


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@asynccontextmanager
async def postgres(lanes: list[Lane]) -> Any:
    import asyncpg

    url = os.environ["OMMI_POSTGRES_URL"]
    admin = await asyncpg.connect(url)
    names = [f"{DATABASE}_{lane.name.lower()}" for lane in lanes]
    first = f"{DATABASE}_{WithOmmi.name.lower()}"
    try:
        for name in names:
            await admin.execute(f"DROP DATABASE IF EXISTS {name}")
        await admin.execute(f"CREATE DATABASE {first}")
        await fill(with_database(url, first))
        for name in names:
            if name != first:
                await admin.execute(f"CREATE DATABASE {name} TEMPLATE {first}")
        for lane, name in zip(lanes, names, strict=True):
            of_lane = with_database(url, name).replace("postgres://", "postgresql://", 1)
            await lane.open(f"{of_lane}?pool=8" if isinstance(lane, WithOmmi) else of_lane)
            await lane.execute("ANALYZE")
        yield
    finally:
        await close(lanes)
        for name in names:
            await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()


@asynccontextmanager
async def mongodb(lanes: list[Lane]) -> Any:
    from pymongo import AsyncMongoClient

    url = os.environ["OMMI_MONGODB_URL"]
    client: AsyncMongoClient[Any] = AsyncMongoClient(url)
    names = [f"{DATABASE}_{lane.name.lower()}" for lane in lanes]
    first = f"{DATABASE}_{WithOmmi.name.lower()}"
    try:
        for name in names:
            await client.drop_database(name)
        await fill(with_database(url, first))
        for name in names:
            if name != first:
                for table in ("User", "Member", "Post", "Comment"):
                    await client[name][table].insert_many(await client[first][table].find().to_list())
                await client[name]["Post"].create_index("member_id")
                await client[name]["Comment"].create_index("post_id")
        for lane, name in zip(lanes, names, strict=True):
            await lane.open(with_database(url, name))
        yield
    finally:
        await close(lanes)
        for name in names:
            await client.drop_database(name)
        await client.close()


async def close(lanes: list[Lane]) -> None:
    for lane in lanes:
        # those that were not opened, where an earlier one could not be, have nothing to close
        with suppress(AttributeError):
            await lane.close()


async def clean(lane: Lane, database: str) -> None:
    """Removes the users that were added."""
    if database != "mongodb":
        await done(lane.execute(f'DELETE FROM "User" WHERE id > {ROWS}'))
    elif isinstance(lane, WithOmmi):
        await lane.db.find(User.id > ROWS).delete.or_raise()
    else:
        found: Any = lane
        await found.users.delete_many({"_id": {"$type": "objectId"}})
