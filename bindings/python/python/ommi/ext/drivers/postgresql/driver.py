"""PostgreSQL."""

from __future__ import annotations

from typing import Any, TypedDict
from urllib.parse import quote

from ommi import _core
from ommi.drivers.native import NativeDriver, NativeTransaction

__all__ = ["PostgreSQLDriver", "PostgreSQLSettings", "PostgreSQLTransaction"]


class PostgreSQLSettings(TypedDict, total=False):
    """Where the server is, who asks, and options of the URL."""

    host: str
    port: int
    database: str
    user: str
    password: str
    options: dict[str, Any]


class PostgreSQLTransaction(NativeTransaction):
    """An open transaction."""


def _url(settings: Any) -> str:
    if isinstance(settings, str):
        return settings
    settings = settings or {}
    user = quote(str(settings.get("user", "postgres")), safe="")
    if settings.get("password"):
        user += ":" + quote(str(settings["password"]), safe="")
    host = settings.get("host", "localhost")
    database = settings.get("database", settings.get("database_name", "postgres"))
    url = f"postgres://{user}@{host}:{settings.get('port', 5432)}/{quote(str(database), safe='')}"
    for name, value in (settings.get("options") or {}).items():
        url += f"{'&' if '?' in url else '?'}{name}={quote(str(value), safe='')}"
    return url


class PostgreSQLDriver(NativeDriver):
    """A driver of a PostgreSQL database. It connects at its first use, or when it is awaited."""

    _transaction_class = PostgreSQLTransaction

    @classmethod
    def connect(cls, settings: Any = None) -> PostgreSQLDriver:
        """A driver for settings or a URL."""
        return cls(_core.Database(_url(settings), [], False))
