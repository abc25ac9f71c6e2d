"""The same API, blocking, for scripts and notebooks:

    from ommi.sync import Ommi

    with Ommi("sqlite://library.db") as db:
        db.add(Book("Earthsea"))
        books = db.find(Book).all.or_raise()

What is awaited elsewhere is called here: `db.find(Book).count()` gives a `DBResult`, and
`db.find(Book).count.or_raise()` the number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from ommi import _core
from ommi.database.handle import driver_of
from ommi.drivers.native import NativeDriver
from ommi.models.collections import ModelCollection, get_global_collection
from ommi.results import DBFailure, DBSuccess

__all__ = ["Ommi", "Transaction", "run"]


def run(operation: Any) -> Any:
    """The outcome of an operation, waited for: `run(author.books)`, `run(user.save())`."""
    if isinstance(operation, _core.Operation):
        return operation.block()
    return _drive(operation)


def _drive(awaitable: Any) -> Any:
    """Runs a coroutine that awaits Ommi's operations alone."""
    import asyncio

    async def main() -> Any:
        return await awaitable

    return asyncio.run(main())


class _Outcome:
    """What a `DBResult` gives here, beyond matching: `.or_raise()` and `.or_use()`."""

    def or_raise(self) -> Any:
        if isinstance(self, DBFailure):
            raise self.exception
        assert isinstance(self, DBSuccess)
        return self.result

    def or_use(self, default: Any) -> Any:
        return default if isinstance(self, DBFailure) else self.or_raise()


class _Success(DBSuccess[Any], _Outcome):
    pass


class _Failure(DBFailure[Any], _Outcome):
    pass


class End:
    """The end of a query: called, it runs."""

    def __init__(self, operation: _core.Operation[Any]) -> None:
        self._operation = operation

    def __call__(self) -> Any:
        outcome = self._operation.block()
        if isinstance(outcome, DBSuccess):
            return _Success(outcome.result)
        if isinstance(outcome, DBFailure):
            return _Failure(outcome.exception)
        return outcome

    def or_raise(self) -> Any:
        """The value, or the exception raised."""
        return self._operation.or_raise().block()

    def or_use(self, default: Any, *, any_error: bool = False) -> Any:
        """The value, or a default where there is no row."""
        return self._operation.or_use(default, any_error=any_error).block()


_ENDS = frozenset(
    {"all", "one", "first", "optional", "count", "exists", "delete", "explain", "tuples", "dicts", "execute"}
)
_RUNS = frozenset({"update", "aggregate", "models"})


class Query:
    """A query whose ends block."""

    def __init__(self, query: Any) -> None:
        self._query = query

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._query, name)
        if name in _ENDS:
            return End(found)
        if name in _RUNS:
            return lambda *args, **kwargs: End(found(*args, **kwargs))()
        return lambda *args, **kwargs: Query(found(*args, **kwargs))

    def or_raise(self) -> Any:
        """All rows, or the exception raised."""
        return self._query.or_raise().block()

    def or_use(self, default: Any, *, any_error: bool = False) -> Any:
        """All rows, or a default."""
        return self._query.or_use(default, any_error=any_error).block()

    def stream(self, batch: int = 512) -> Iterator[Any]:
        """The rows one after the other, in bounded memory."""
        batches = self._query._batches(batch).block()
        try:
            more = True
            while more:
                rows, more = batches.next().block()
                yield from rows
        finally:
            batches.close()

    def __iter__(self) -> Iterator[Any]:
        return self.stream()


class _Operations:
    _database: _core.Database

    def find(self, *predicates: Any) -> Any:
        """Begins a query."""
        return Query(self._database.find(*predicates))

    def get(self, model: type[Any], *key: Any) -> Any:
        """The row of a key."""
        return End(self._database.get(model, *key))()

    def add(self, *models: Any) -> Any:
        """Adds instances, all or none."""
        return End(self._database.add(*models))()

    def upsert(self, *models: Any, **options: Any) -> Any:
        """Inserts instances, or updates the rows that are there already."""
        return End(self._database.upsert(*models, **options))()

    def save(self, model: Any) -> Any:
        """Writes all fields of an instance."""
        return End(self._database.save(model))()

    def delete(self, model: Any) -> Any:
        """Deletes the row of an instance."""
        return End(self._database.delete(model))()

    def reload(self, model: Any) -> Any:
        """Reads all fields of an instance anew."""
        return End(self._database.reload(model))()

    def raw(self, text: str, *parameters: Any) -> Any:
        """A statement in the database's own language."""
        return Query(self._database.raw(text, *parameters))


class Transaction(_Operations):
    """A transaction: committed at the end of `with`, rolled back on an exception."""

    def __init__(self, begin: Callable[[], _core.Operation[_core.Database]]) -> None:
        self._begin = begin
        self._open: _core.Database | None = None

    @property
    def _database(self) -> _core.Database:  # type: ignore[override]
        if self._open is None:
            from ommi.errors import OmmiTransactionError

            raise OmmiTransactionError("the transaction is not open")
        return self._open

    def transaction(self) -> Transaction:
        """A nested transaction."""
        return Transaction(self._database.begin)

    def commit(self) -> None:
        """Commits."""
        database, self._open = self._database, None
        database.commit().block()

    def rollback(self) -> None:
        """Rolls back."""
        database, self._open = self._database, None
        database.rollback().block()

    def __enter__(self) -> Transaction:
        self._open = self._begin().block()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._open is None:
            return
        if kind is None:
            self.commit()
        else:
            self.rollback()


class Ommi(_Operations):
    """A database, whose operations block."""

    def __init__(self, driver: NativeDriver | str, *, allow_implicit_model_setup: bool = True) -> None:
        if isinstance(driver, str):
            driver = driver_of(driver)
        self._driver = driver
        self._database = driver._database.configured(allow_implicit_model_setup, False)

    @property
    def driver(self) -> NativeDriver:
        """The driver."""
        return self._driver

    def use_models(self, model_collection: ModelCollection) -> None:
        """Creates what is missing of the tables of a collection's models."""
        self._database.use_models(model_collection).block()

    def remove_models(self, model_collection: ModelCollection) -> None:
        """Drops the tables of a collection's models, with all their rows."""
        self._database.remove_models(model_collection).block()

    def transaction(self, **options: Any) -> Transaction:
        """A transaction."""
        return Transaction(lambda: self._database.begin([get_global_collection()], **options))

    def disconnect(self) -> None:
        """Closes all connections."""
        self._database.close().block()

    def __enter__(self) -> Ommi:
        self._database.connect().block()
        return self

    def __exit__(self, *exception: object) -> None:
        self.disconnect()
