"""SQLite: the danger of two copies in one process."""

import sqlite3

import pytest

from ommi import ConfigError, Ommi
from ommi.ext.drivers.sqlite import SQLiteDriver


async def test_a_file_that_sqlite3_has_open_is_refused(tmp_path):
    path = str(tmp_path / "a.db")
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE t (a)")
    with pytest.raises(ConfigError, match="another copy of SQLite"):
        SQLiteDriver.connect(path)
    with pytest.raises(ConfigError, match="another copy of SQLite"):
        Ommi(f"sqlite://{path}")
    other.close()
    async with Ommi(f"sqlite://{path}") as db:
        assert await db.raw("SELECT count(*) FROM t").tuples.or_raise() == [(0,)]


async def test_sqlite3_is_refused_while_ommi_has_the_file_open(tmp_path):
    path = str(tmp_path / "a.db")
    async with Ommi(f"sqlite://{path}"):
        for name in (path, f"file:{path}?mode=ro"):
            with pytest.raises(ConfigError, match="db.raw"):
                sqlite3.connect(name, uri=name.startswith("file:"))
        sqlite3.connect(":memory:").close()
        sqlite3.connect(str(tmp_path / "b.db")).close()
    sqlite3.connect(path).close()


async def test_other_connections_of_ommi_are_welcome(tmp_path):
    async with Ommi(f"sqlite://{tmp_path}/a.db") as first, Ommi(f"sqlite://{tmp_path}/a.db") as second:
        await first.raw("CREATE TABLE t (a)").execute.or_raise()
        await second.raw("INSERT INTO t VALUES (?)", 3).execute.or_raise()
        assert await first.raw("SELECT a FROM t").dicts.or_raise() == [{"a": 3}]


async def test_it_can_be_allowed(tmp_path, monkeypatch):
    monkeypatch.setenv("OMMI_ALLOW_SECOND_SQLITE", "1")
    path = str(tmp_path / "a.db")
    other = sqlite3.connect(path)
    SQLiteDriver.connect(path)
    other.close()
