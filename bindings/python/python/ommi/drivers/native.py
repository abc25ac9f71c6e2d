"""Drivers that run in Rust."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ommi import _core
from ommi.driver_context import active_driver
from ommi.drivers.drivers import BaseDriver
from ommi.drivers.transactions import BaseDriverTransaction
from ommi.results import DBStatusNoResultException

if TYPE_CHECKING:
    from ommi.models.collections import ModelCollection

__all__ = ["FetchResult", "NativeDriver", "NativeTransaction"]

Self = TypeVar("Self", bound="NativeDriver")


class FetchResult:
    """The rows of a query, read when they are asked for."""

    def __init__(self, query: Any) -> None:
        self._query = query

    def __await__(self) -> Generator[Any, Any, list[Any]]:
        return self.get().__await__()

    async def get(self) -> list[Any]:
        """All rows."""
        rows: list[Any] = await self._query.or_raise()
        return rows

    async def one(self) -> Any:
        """The first row; `DBStatusNoResultException` if there is none."""
        row = await self._query.first.or_raise()
        if row is None:
            raise DBStatusNoResultException("the query gave no rows")
        return row

    async def __aiter__(self) -> AsyncIterator[Any]:
        async with self._query.stream() as rows:
            async for row in rows:
                yield row

    def __getitem__(self, index: int | slice) -> Any:
        """An awaitable of a row, or of the rows of a slice."""
        return self._part(index)

    async def _part(self, index: int | slice) -> Any:
        if isinstance(index, int):
            if index < 0:
                return (await self.get())[index]
            row = await self._query.offset(index).first.or_raise()
            if row is None:
                raise IndexError(f"the query has no row {index}")
            return row
        start, stop, step = index.start or 0, index.stop, index.step
        if start < 0 or (stop is not None and stop < 0) or (step is not None and step < 1):
            return (await self.get())[index]
        query = self._query.offset(start)
        if stop is not None:
            query = query.limit(max(stop - start, 0)).offset(start)
        rows = await query.or_raise()
        return rows[::step] if step else rows


class _Operations:
    """What drivers and transactions share."""

    _database: _core.Database

    async def add(self, models: Iterable[Any]) -> Any:
        """Adds instances, sets their automatic keys, and gives them back."""
        return await self._database.add(*models).or_raise()

    async def count(self, predicate: Any) -> int:
        """How many rows pass a predicate."""
        return await self._database.find(predicate).count.or_raise()

    async def delete(self, predicate: Any) -> int:
        """Deletes the rows that pass a predicate, and says how many there were."""
        return await self._database.find(predicate).delete.or_raise()

    def fetch(self, predicate: Any) -> FetchResult:
        """The rows that pass a predicate, read when they are asked for."""
        return FetchResult(self._database.find(predicate))

    async def update(self, predicate: Any, values: dict[str, Any]) -> int:
        """Updates the rows that pass a predicate, and says how many there were."""
        return await self._database.find(predicate).update(values).or_raise()

    async def apply_schema(self, model_collection: ModelCollection) -> None:
        """Creates what is missing of the tables of a collection's models; changes and drops nothing."""
        await self._database.use_models(model_collection)

    async def delete_schema(self, model_collection: ModelCollection) -> None:
        """Drops the tables of a collection's models, with all their rows."""
        await self._database.remove_models(model_collection)


class NativeTransaction(_Operations, BaseDriverTransaction):
    """An open transaction of a driver."""

    def __init__(self, database: _core.Database, collections: list[Any] | None = None, **options: Any) -> None:
        self._outer = database
        self._collections = collections or []
        self._options = options
        self._open: _core.Database | None = None
        self._token: Any = None

    @property
    def _database(self) -> _core.Database:  # type: ignore[override]
        if self._open is None:
            from ommi.errors import OmmiTransactionError

            raise OmmiTransactionError("the transaction is not open: it begins with `async with`, and ends with it")
        return self._open

    async def open(self) -> None:
        """Begins; inside a transaction, a nested one."""
        if self._open is None:
            self._open = await self._outer.begin(self._collections, **self._options)

    async def commit(self) -> None:
        """Makes what was written permanent."""
        database, self._open = self._database, None
        await database.commit()

    async def rollback(self) -> None:
        """Undoes what was written."""
        database, self._open = self._database, None
        await database.rollback()

    async def close(self) -> None:
        """Rolls back, if the transaction is still open."""
        if self._open is not None:
            await self.rollback()

    def transaction(self) -> NativeTransaction:
        """A nested transaction: a savepoint."""
        return NativeTransaction(self._database)

    async def __aenter__(self) -> NativeTransaction:
        await self.open()
        self._token = active_driver.set(self)
        return self

    async def __aexit__(self, kind: Any, *exception: object) -> None:
        try:
            active_driver.reset(self._token)
        except ValueError:
            # left in another context, whose active driver is its own
            pass
        if self._open is None:
            return
        if kind is None:
            await self.commit()
            return
        try:
            await self.rollback()
        except Exception:
            # the exception of the body says more; the connection is cleaned by the driver in any case
            return


class NativeDriver(_Operations, BaseDriver):
    """A driver that runs in Rust."""

    _schemes: ClassVar[tuple[str, ...]] = ()
    _transaction_class: ClassVar[type[NativeTransaction]] = NativeTransaction

    def __init__(self, database: _core.Database) -> None:
        self._database = database

    @classmethod
    def connect(cls, settings: Any = None) -> Any:
        """A driver for settings, a path or a URL."""
        return cls(_core.Database(settings))

    def transaction(self) -> NativeTransaction:
        """A transaction, which begins with `async with`."""
        return self._transaction_class(self._database)

    async def disconnect(self) -> None:
        """Closes all connections. Later use is an error."""
        await self._database.close()

    def __await__(self: Self) -> Generator[Any, Any, Self]:
        async def connected() -> Any:
            await self._database.connect()
            return self

        return connected().__await__()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
