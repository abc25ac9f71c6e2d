"""The driver of PostgreSQL."""

from ommi.ext.drivers.postgresql.driver import PostgreSQLDriver, PostgreSQLSettings, PostgreSQLTransaction

__all__ = ["PostgreSQLDriver", "PostgreSQLSettings", "PostgreSQLTransaction"]
