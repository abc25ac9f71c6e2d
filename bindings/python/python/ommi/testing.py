"""Help for tests: fixtures of pytest, and a count of statements.

pytest finds the fixtures by itself:

    async def test_users(ommi_db):
        await ommi_db.add(User("Ada")).or_raise()
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ommi import Ommi

__all__ = ["StatementCount", "count_statements", "ommi_db", "ommi_server_db", "pytest_generate_tests"]


class StatementCount:
    """How many statements were sent since it was made."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self._begun = database.statements
        self._ended: int | None = None

    @property
    def count(self) -> int:
        """The number of statements. The bounds of transactions do not count."""
        ended = self._database.statements if self._ended is None else self._ended
        return int(ended - self._begun)

    def _end(self) -> None:
        self._ended = self._database.statements


@contextmanager
def count_statements(db: Any) -> Iterator[StatementCount]:
    """Counts the statements that are sent: `with count_statements(db) as statements:`."""
    counted = StatementCount(db._database)
    try:
        yield counted
    finally:
        counted._end()


def _transaction_of(db: Any) -> Any:
    """A database that is one open transaction of another: all that is written is undone with it."""
    from ommi.database.handle import Ommi
    from ommi.models.collections import get_global_collection

    inside = Ommi(db.driver)
    inside._bind(db._database.begin([get_global_collection()]).block())
    return inside


def _memory() -> Iterator[Ommi]:
    from ommi.database.handle import Ommi

    db = Ommi("sqlite::memory:")
    try:
        yield db
    finally:
        db._database.close().block()  # type: ignore[union-attr]


def _server(url: str) -> Iterator[Ommi]:
    from ommi.database.handle import Ommi

    db = Ommi(url)
    inside = _transaction_of(db)
    try:
        yield inside
    finally:
        inside._database.rollback().block()
        db._database.close().block()  # type: ignore[union-attr]


def _urls() -> list[str]:
    """The databases of `ommi_server_db`: those of `OMMI_TEST_URLS`, by spaces, or SQLite in memory."""
    return os.environ.get("OMMI_TEST_URLS", "sqlite::memory:").split()


def pytest_generate_tests(metafunc: Any) -> None:
    """Runs tests that ask for `ommi_server_db` once for each database."""
    if "ommi_server_db" in metafunc.fixturenames:
        metafunc.parametrize("ommi_server_db", _urls(), indirect=True, ids=lambda url: url.partition(":")[0])


try:
    import pytest
except ImportError:  # pragma: no cover
    pass
else:

    @pytest.fixture
    def ommi_db() -> Iterator[Ommi]:
        """A database in memory, which nothing of another test is in."""
        yield from _memory()

    @pytest.fixture
    def ommi_server_db(request: Any) -> Iterator[Ommi]:
        """An open transaction of each database that `OMMI_TEST_URLS` names, rolled back after the test.

        Tables of models are created at their first use, and stay.
        """
        yield from _server(request.param)
