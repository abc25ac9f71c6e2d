"""SQLite."""

from __future__ import annotations

import os
from typing import Any, TypedDict
from urllib.parse import quote

from ommi import _core
from ommi.drivers.native import NativeDriver, NativeTransaction
from ommi.ext.drivers.sqlite.other_library import check

__all__ = ["SQLiteDriver", "SQLiteSettings", "SQLiteTransaction"]


class SQLiteSettings(TypedDict, total=False):
    """Where the database is, how transactions begin, and options of the URL."""

    database: str
    isolation_level: str
    options: dict[str, Any]


class SQLiteTransaction(NativeTransaction):
    """An open transaction."""


_BEGINS = {"DEFERRED": "deferred", "IMMEDIATE": "immediate", "EXCLUSIVE": "exclusive"}


def _url(settings: Any) -> str:
    if settings is None:
        return "sqlite::memory:"
    if isinstance(settings, os.PathLike):
        settings = os.fspath(settings)
    if isinstance(settings, str):
        if settings.startswith("sqlite:"):
            return settings
        return "sqlite::memory:" if settings == ":memory:" else f"sqlite:{quote(settings, safe='/')}"
    database = str(settings.get("database", ":memory:"))
    url = _url(database)
    options = dict(settings.get("options") or {})
    begin = _BEGINS.get(str(settings.get("isolation_level", "")))
    if begin and "begin=" not in url:
        options.setdefault("begin", begin)
    for name, value in options.items():
        url += f"{'&' if '?' in url else '?'}{name}={quote(str(value), safe='')}"
    return url


class SQLiteDriver(NativeDriver):
    """A driver of an SQLite database: a file, or memory."""

    _transaction_class = SQLiteTransaction

    @classmethod
    def connect(cls, settings: Any = None) -> SQLiteDriver:
        """A driver for nothing or `":memory:"` (a database in memory), a path, a URL, or settings."""
        url = _url(settings)
        check(url)
        database = _core.Database(url, [], False)
        # a file that cannot be opened is an error here, as it always was
        database.connect().block()
        return cls(database)
