"""Transactions of `Ommi`."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ommi import _core
from ommi.driver_context import active_driver
from ommi.drivers.native import NativeTransaction
from ommi.query_ast import when
from ommi.results import DBResult

if TYPE_CHECKING:
    from ommi._core import Operation, Query
    from ommi.models.collections import ModelCollection

__all__ = ["OmmiTransaction"]

M = TypeVar("M")

_inside: ContextVar[tuple[int, ...]] = ContextVar("ommi_inside", default=())
"""The databases whose transactions are open in this context."""


class OmmiTransaction:
    """A transaction, which can do what `Ommi` can. It is committed at the end of `async with`, and rolled
    back on an exception, which the caller sees."""

    def __init__(self, transaction: Any, database: _core.Database | None = None) -> None:
        self._transaction = transaction
        self._of = database
        self._token: Token[Any] | None = None
        self._inside_token: Token[Any] | None = None

    @property
    def transaction(self) -> Any:
        """The driver's transaction. Called, it begins a nested one: a savepoint."""
        return _Transaction(self)

    @property
    def driver(self) -> Any:
        """The driver's transaction."""
        return self._transaction

    @property
    def _native(self) -> _core.Database:
        if not isinstance(self._transaction, NativeTransaction):
            raise NotImplementedError("a driver that is written in Python has `find` and `add` alone")
        return self._transaction._database

    def add(self, *models: M) -> Operation[list[M]]:
        """Adds instances, all or none, and sets their automatic keys."""
        if isinstance(self._transaction, NativeTransaction):
            return self._native.add(*models)
        return DBResult.build(self._transaction.add, models)  # type: ignore[return-value]

    @overload
    def find(self, model: type[M], /, *predicates: Any) -> Query[M]: ...
    @overload
    def find(self, *predicates: Any) -> Query[Any]: ...
    def find(self, *predicates: Any) -> Query[Any]:
        """Begins a query of the rows that pass all predicates."""
        if isinstance(self._transaction, NativeTransaction):
            return self._native.find(*predicates)
        from ommi.database.handle import PythonQuery

        return PythonQuery(self._transaction, when(*predicates))  # type: ignore[return-value]

    def get(self, model: type[M], *key: Any) -> Operation[M]:
        """The row of a key."""
        return self._native.get(model, *key)

    def upsert(self, *models: M, on: Any = None, update: Any = None, ignore: bool = False) -> Operation[list[M]]:
        """Inserts instances, or updates the rows that are there already."""
        return self._native.upsert(*models, on=on, update=update, ignore=ignore)

    def save(self, model: M) -> Operation[M]:
        """Writes all fields of an instance."""
        return self._native.save(model)

    def delete(self, model: Any) -> Operation[None]:
        """Deletes the row of an instance."""
        return self._native.delete(model)

    def reload(self, model: M) -> Operation[M]:
        """Reads all fields of an instance anew."""
        return self._native.reload(model)

    def raw(self, text: str, *parameters: Any) -> _core.RawQuery:
        """A statement in the database's own language."""
        return self._native.raw(text, *parameters)

    async def use_models(self, model_collection: ModelCollection) -> None:
        """Creates what is missing of the tables of a collection's models, outside of the transaction."""
        await self._transaction.apply_schema(model_collection)

    async def remove_models(self, model_collection: ModelCollection) -> None:
        """Drops the tables of a collection's models, outside of the transaction."""
        await self._transaction.delete_schema(model_collection)

    async def open(self) -> None:
        """Begins."""
        await self._transaction.open()

    async def commit(self) -> None:
        """Commits before the end of `async with`."""
        await self._transaction.commit()

    async def rollback(self) -> None:
        """Rolls back before the end of `async with`."""
        await self._transaction.rollback()

    async def close(self) -> None:
        """Rolls back, if the transaction is still open."""
        await self._transaction.close()

    async def __aenter__(self) -> OmmiTransaction:
        await self._transaction.__aenter__()
        self._token = active_driver.set(self)
        if self._of is not None:
            self._of.entered()
            self._inside_token = _inside.set((*_inside.get(), self._of.identity))
        return self

    async def __aexit__(self, kind: Any, value: Any, traceback: Any) -> None:
        for variable, token in ((active_driver, self._token), (_inside, self._inside_token)):
            if token is not None:
                try:
                    variable.reset(token)
                except ValueError:
                    # left in another context, which has variables of its own
                    pass
        if self._of is not None:
            self._of.left()
        await self._transaction.__aexit__(kind, value, traceback)


class _Transaction:
    """The driver's transaction, and what begins a nested one."""

    def __init__(self, outer: OmmiTransaction) -> None:
        self._outer = outer

    def __call__(self) -> OmmiTransaction:
        return OmmiTransaction(self._outer._transaction.transaction(), None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outer._transaction, name)
