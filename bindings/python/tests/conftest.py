"""Databases and kinds of classes that the tests run on."""

from __future__ import annotations

import contextlib
import gc
import os
import uuid

import pytest
import pytest_asyncio

from ommi import ModelCollection, Ommi, OmmiError

# further databases by URL, separated by spaces: OMMI_TEST_URLS="postgres://.. mongodb://.."
SERVERS = os.environ.get("OMMI_TEST_URLS", "").split()
DATABASES = ["sqlite", "memory", "bare", *SERVERS]


def url_of(name: str, directory: object) -> str:
    if name == "sqlite":
        return f"sqlite://{directory}/{uuid.uuid4().hex}.db"
    return {"memory": "memory:", "bare": "memory:?capabilities=none"}.get(name, name)


@pytest_asyncio.fixture(params=DATABASES, ids=lambda name: name.partition(":")[0])
async def db(request: pytest.FixtureRequest, tmp_path: object):
    async with Ommi(url_of(request.param, tmp_path)) as db:
        yield db
        if request.param in SERVERS:
            # the next test finds no table of this one
            for collection in [found for found in gc.get_objects() if isinstance(found, ModelCollection)]:
                with contextlib.suppress(OmmiError):
                    await db.remove_models(collection)


@pytest_asyncio.fixture
async def sqlite(tmp_path: object):
    async with Ommi(url_of("sqlite", tmp_path)) as db:
        yield db


@pytest.fixture(params=["dataclass", "frozen", "slots", "kw_only", "attrs", "attrs_slots", "pydantic"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param
