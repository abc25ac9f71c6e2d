"""Databases and kinds of classes that the tests run on.

PostgreSQL and MongoDB are those of `OMMI_POSTGRES_URL` and `OMMI_MONGODB_URL`: see `dev/services`. Where
one is missing its tests are skipped, and the last lines say so; with `CI=true` they fail.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio

from ommi import Ommi
from ommi.models.collections import get_global_collection

DATABASES = ["sqlite", "memory", "bare", "postgres", "mongodb"]
KINDS = ["dataclass", "frozen", "slots", "kw_only", "attrs", "attrs_slots", "pydantic"]
SERVERS = {"postgres": "OMMI_POSTGRES_URL", "mongodb": "OMMI_MONGODB_URL"}
SESSION = f"ommi_python_{uuid.uuid4().hex[:12]}"

missing: set[str] = set()


def server(name: str) -> str:
    """The address of a server, or the test is skipped."""
    variable = SERVERS[name]
    if url := os.environ.get(variable):
        return url
    missing.add(variable)
    if os.environ.get("CI") == "true":
        pytest.fail(f"{variable} is not set")
    pytest.skip(f"{variable} is not set")


def with_database(url: str, database: str, **options: str) -> str:
    """A URL with another database, and further options."""
    parts = urlsplit(url)
    query = "&".join([part for part in [parts.query, *(f"{name}={value}" for name, value in options.items())] if part])
    return urlunsplit(parts._replace(path=f"/{database}", query=query))


def run(url: str, *statements: str) -> None:
    """Runs statements of the database's own language, on this thread."""
    admin = Ommi(url)
    try:
        for statement in statements:
            admin.raw(statement).execute.or_raise().block()
    finally:
        admin._database.close().block()


@pytest.fixture(scope="session")
def session_name() -> str:
    """What the names of these tests' databases begin with."""
    return SESSION


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[str]:
    """A database of these tests alone."""
    url = server("postgres")
    run(url, f'CREATE DATABASE "{SESSION}"')
    yield with_database(url, SESSION)
    run(url, f'DROP DATABASE "{SESSION}" WITH (FORCE)')


@contextlib.contextmanager
def empty(name: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    place = uuid.uuid4().hex[:12]
    if name == "sqlite":
        yield f"sqlite://{request.getfixturevalue('tmp_path')}/{place}.db"
    elif name == "postgres":
        database = request.getfixturevalue("postgres_database")
        run(database, f'CREATE SCHEMA "{place}"')
        yield f"{database}?search_path={place}"
        run(database, f'DROP SCHEMA "{place}" CASCADE')
    elif name == "mongodb":
        url = with_database(server("mongodb"), f"{SESSION}_{place}")
        yield url
        run(url, '{"dropDatabase": 1}')
    else:
        yield {"memory": "memory:", "bare": "memory:?capabilities=none"}[name]


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with empty(request.param, request) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres", "mongodb"])
def stored_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Databases that several connections and processes can share."""
    with empty(request.param, request) as url:
        yield url


@pytest.fixture(autouse=True)
def global_models() -> Iterator[None]:
    """Models that a test leaves in the global collection are not those of the next."""
    collection = get_global_collection()
    before = dict(collection._by_name)
    yield
    collection._by_name.clear()
    collection._by_name.update(before)


@pytest_asyncio.fixture
async def db(url: str):
    async with Ommi(url) as db:
        yield db


@pytest_asyncio.fixture
async def sqlite(tmp_path: Path):
    async with Ommi(f"sqlite://{tmp_path}/{uuid.uuid4().hex}.db") as db:
        yield db


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def transactional(db):
    """A database with transactions."""
    if not db.capabilities["transaction.transactions"]:
        pytest.skip("the driver has no transactions")
    return db


@pytest.fixture
def nesting(transactional):
    """A database with savepoints."""
    if not transactional.capabilities["transaction.savepoints"]:
        pytest.skip("the driver has no savepoints")
    return transactional


@pytest.fixture
def speaking(db):
    """A database with a language of its own."""
    if not db.capabilities["operation.raw"]:
        pytest.skip("the driver has no language of its own")
    return db


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--databases", help="run the tests of these databases alone: sqlite,memory")


def database_of(item: pytest.Item) -> str | None:
    params = getattr(getattr(item, "callspec", None), "params", {})
    return params.get("url") or params.get("stored_url")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if chosen := config.getoption("databases"):
        left_out = [item for item in items if database_of(item) not in (None, *chosen.split(","))]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


results: dict[tuple[str, str], Counter[str]] = {}
cases: dict[str, Counter[str]] = {}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = (yield).get_result()
    if not (report.when == "call" or report.outcome != "passed"):
        return
    database = database_of(item)
    if database is None:
        return
    if kind := item.callspec.params.get("kind"):  # type: ignore[attr-defined]
        results.setdefault((kind, database), Counter())[report.outcome] += 1
    if "conformance" in item.path.parts:
        cases.setdefault(database, Counter())[report.outcome] += 1


def shown(count: Counter[str]) -> str:
    parts = [f"{count[outcome]} {outcome}" for outcome in ("failed", "skipped") if count[outcome]]
    return ", ".join([str(count["passed"]), *parts])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The matrix of the kinds of classes and the databases: how many tests passed on each."""
    write = terminalreporter.write_line
    if results:
        terminalreporter.section("tests that passed, by kind of class and database")
        write(f"{'':12}" + "".join(f"{name:>24}" for name in DATABASES))
        for kind in KINDS:
            row = [shown(results.get((kind, name), Counter())) for name in DATABASES]
            write(f"{kind:12}" + "".join(f"{cell:>24}" for cell in row))
    if cases:
        terminalreporter.section("conformance cases that passed, by database")
        write(", ".join(f"{name} {shown(cases[name])}" for name in DATABASES if name in cases))
    for variable in sorted(missing):
        write(f"{variable} is not set, so the tests of that server were skipped: see `dev/services`")
