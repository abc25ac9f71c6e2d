"""MongoDB."""

from __future__ import annotations

from typing import Any, TypedDict
from urllib.parse import quote, urlsplit, urlunsplit

from ommi import _core
from ommi.drivers.native import NativeDriver, NativeTransaction

__all__ = ["MongoDBDriver", "MongoDBSettings", "MongoDBTransaction"]


class MongoDBSettings(TypedDict, total=False):
    """Where the server is, who asks, and options of the URL."""

    connection_string: str
    host: str
    port: int
    database: str
    database_name: str
    username: str
    password: str
    authSource: str
    timeout: int
    connection_options: dict[str, Any]
    options: dict[str, Any]


class MongoDBTransaction(NativeTransaction):
    """An open transaction."""


def _url(settings: Any) -> str:
    if isinstance(settings, str):
        return settings
    settings = settings or {}
    database = settings.get("database") or settings.get("database_name")
    url: str | None = settings.get("connection_string")
    if url is None:
        who = ""
        if settings.get("username"):
            who = quote(str(settings["username"]), safe="")
            if settings.get("password"):
                who += ":" + quote(str(settings["password"]), safe="")
            who += "@"
        url = f"mongodb://{who}{settings.get('host', 'localhost')}:{settings.get('port', 27017)}"
    parts = urlsplit(url)
    if database or parts.path in ("", "/"):
        parts = parts._replace(path="/" + quote(str(database or "ommi"), safe=""))
    url = urlunsplit(parts)
    options: dict[str, Any] = {**(settings.get("connection_options") or {}), **(settings.get("options") or {})}
    if settings.get("authSource"):
        options.setdefault("authSource", settings["authSource"])
    if settings.get("timeout") is not None:
        options.setdefault("serverSelectionTimeoutMS", settings["timeout"])
    for name, value in options.items():
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        url += f"{'&' if '?' in url else '?'}{name}={quote(shown, safe='')}"
    return url


class MongoDBDriver(NativeDriver):
    """A driver of a MongoDB database. It connects at its first use, or when it is awaited."""

    _transaction_class = MongoDBTransaction

    @classmethod
    def connect(cls, settings: Any = None) -> MongoDBDriver:
        """A driver for settings or a URL."""
        return cls(_core.Database(_url(settings), [], False))
