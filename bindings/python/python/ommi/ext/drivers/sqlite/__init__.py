"""The driver of SQLite."""

from ommi.ext.drivers.sqlite.driver import SQLiteDriver, SQLiteSettings, SQLiteTransaction

__all__ = ["SQLiteDriver", "SQLiteSettings", "SQLiteTransaction"]
