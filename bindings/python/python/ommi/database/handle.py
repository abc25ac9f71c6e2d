"""`Ommi`: reads and writes models through a driver."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import Token
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ommi import _core
from ommi.database.transaction import OmmiTransaction
from ommi.driver_context import active_driver
from ommi.drivers.drivers import BaseDriver
from ommi.drivers.native import NativeDriver, NativeTransaction, _Operations
from ommi.models.collections import ModelCollection, get_global_collection
from ommi.query_ast import when
from ommi.results import DBResult, DBResultBuilder, DBStatusNoResultException, ResultList, _QueryResultBuilder

if TYPE_CHECKING:
    from ommi._core import Operation, Query

__all__ = ["Ommi", "PythonQuery"]

M = TypeVar("M")
T = TypeVar("T")
Self = TypeVar("Self", bound="Ommi")


def driver_of(url: str) -> NativeDriver:
    """The driver of a URL."""
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        from ommi.ext.drivers.sqlite import SQLiteDriver

        return SQLiteDriver.connect(url)
    if scheme in ("postgres", "postgresql"):
        from ommi.ext.drivers.postgresql import PostgreSQLDriver

        return PostgreSQLDriver.connect(url)
    if scheme in ("mongodb", "mongodb+srv"):
        from ommi.ext.drivers.mongodb import MongoDBDriver

        return MongoDBDriver.connect(url)
    return NativeDriver(_core.Database(url, [], False))


class Ommi:
    """A database: `async with Ommi("sqlite://library.db") as db:`.

    Takes a URL or a driver. Tables are created at the first use of their models, unless
    `allow_implicit_model_setup` is false; nothing is ever dropped by itself.
    """

    def __init__(
        self,
        driver: BaseDriver | str,
        *,
        allow_implicit_model_setup: bool = True,
        allow_imlicit_model_setup: bool = True,
    ) -> None:
        if isinstance(driver, str):
            driver = driver_of(driver)
        self._driver = driver
        self._implicit = allow_implicit_model_setup and allow_imlicit_model_setup
        self._known: dict[int, ModelCollection] = {}
        self._tokens: list[Token[Any]] = []
        self._database: _core.Database | None = None
        if isinstance(driver, NativeDriver):
            self._bind(driver._database.configured(self._implicit, False))
        elif not isinstance(driver, BaseDriver):
            raise TypeError(f"Ommi takes a URL or a driver, not {driver!r}")

    def _bind(self, database: _core.Database) -> None:
        self._database = database
        if type(self) is Ommi:
            # without a Python call in between: a look-up by key takes a few microseconds in all
            vars(self).update(find=database.find, get=database.get, add=database.add)

    @property
    def driver(self) -> Any:
        """The driver."""
        return self._driver

    @property
    def capabilities(self) -> dict[str, bool]:
        """What the database does by itself, by name: `db.capabilities["transaction.savepoints"]`.

        Connects, if it is not yet connected.
        """
        return self._native("capabilities").capabilities()

    def add(self, *models: M) -> Operation[list[M]]:
        """Adds instances, all or none, and sets their automatic keys."""
        if self._database is not None:
            return self._database.add(*models)
        return DBResult.build(self._prepared(self._driver.add), models)  # type: ignore[return-value]

    @overload
    def find(self, model: type[M], /, *predicates: Any) -> Query[M]: ...
    @overload
    def find(self, *predicates: Any) -> Query[Any]: ...
    def find(self, *predicates: Any) -> Query[Any]:
        """Begins a query of the rows that pass all predicates; a model stands for all its rows."""
        if self._database is not None:
            return self._database.find(*predicates)
        return PythonQuery(self._driver, when(*predicates), self._prepare)  # type: ignore[return-value]

    def get(self, model: type[M], *key: Any) -> Operation[M]:
        """The row of a key."""
        return self._native("get").get(model, *key)

    def upsert(self, *models: M, on: Any = None, update: Any = None, ignore: bool = False) -> Operation[list[M]]:
        """Inserts instances, or updates the rows that are there already.

        Rows are looked for by the key, or by the unique fields that `on` names; `update` names the fields
        that are updated, all without it; with `ignore`, rows that are there stay as they are.
        """
        return self._native("upsert").upsert(*models, on=on, update=update, ignore=ignore)

    def save(self, model: M) -> Operation[M]:
        """Writes all fields of an instance: adds the row, or updates the one of its key."""
        return self._native("save").save(model)

    def delete(self, model: Any) -> Operation[None]:
        """Deletes the row of an instance."""
        return self._native("delete").delete(model)

    def reload(self, model: M) -> Operation[M]:
        """Reads all fields of an instance anew."""
        return self._native("reload").reload(model)

    def raw(self, text: str, *parameters: Any) -> _core.RawQuery:
        """A statement in the database's own language, with bound parameters."""
        return self._native("raw").raw(text, *parameters)

    def outside(self) -> Ommi:
        """The same database, for use inside `async with db.transaction()` by work that is meant to stay
        outside the transaction."""
        other = Ommi(self._driver, allow_implicit_model_setup=self._implicit)
        other._bind(self._native("outside").configured(self._implicit, True))
        return other

    async def use_models(self, model_collection: ModelCollection) -> None:
        """Creates what is missing of the tables of a collection's models; changes and drops nothing."""
        if self._database is not None:
            await self._database.use_models(model_collection)
        else:
            await self._driver.apply_schema(model_collection)
        self._known[id(model_collection)] = model_collection

    async def remove_models(self, model_collection: ModelCollection) -> None:
        """Drops the tables of a collection's models, with all their rows."""
        if self._database is not None:
            await self._database.remove_models(model_collection)
        else:
            await self._driver.delete_schema(model_collection)
        self._known.pop(id(model_collection), None)

    def transaction(
        self,
        *,
        isolation: str | None = None,
        read_only: bool = False,
        timeout: float | None = None,
    ) -> OmmiTransaction:
        """A transaction: `async with db.transaction() as tx:` commits at its end, and rolls back on an
        exception.

        `isolation` is `"read committed"`, `"repeatable read"` or `"serializable"`; `timeout` is in seconds.
        """
        if self._database is None:
            return OmmiTransaction(self._driver.transaction(), None)
        collections = [get_global_collection(), *self._known.values()]
        options: dict[str, Any] = {"isolation": isolation, "read_only": read_only, "timeout": timeout}
        return OmmiTransaction(NativeTransaction(self._database, collections, **options), self._database)

    async def retrying(self, work: Callable[[OmmiTransaction], Awaitable[T]], *, times: int = 5, **options: Any) -> T:
        """Runs work in a transaction, and anew in another where the database met a conflict."""
        import asyncio
        import random

        from ommi.errors import OmmiError

        attempt = 0
        while True:
            try:
                async with self.transaction(**options) as tx:
                    return await work(tx)
            except OmmiError as error:
                attempt += 1
                if not error.is_retryable or attempt >= times:
                    raise
            await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))

    async def disconnect(self) -> None:
        """Closes all connections."""
        await self._driver.disconnect()

    async def __aenter__(self: Self) -> Self:
        if self._database is not None:
            await self._database.connect()
        self._tokens.append(active_driver.set(self))
        return self

    async def __aexit__(self, *exception: object) -> None:
        try:
            active_driver.reset(self._tokens.pop())
        except ValueError:
            # entered in another context, whose active driver is its own
            pass
        await self.disconnect()

    def __repr__(self) -> str:
        return f"<Ommi on {self._driver!r}>"

    def _native(self, operation: str) -> _core.Database:
        if self._database is None:
            raise NotImplementedError(f"a driver that is written in Python has no `{operation}`: use `find` and `add`")
        return self._database

    async def _prepare(self, models: Any) -> None:
        """Creates what a driver that is written in Python lacks, at the first use."""
        if not self._implicit:
            return
        for collection in {id(model.__ommi__.collection): model.__ommi__.collection for model in models}.values():
            if id(collection) not in self._known:
                await self.use_models(collection)

    def _prepared(self, operation: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
        async def run(models: Any) -> Any:
            await self._prepare([type(model) for model in models])
            return list(await operation(models))

        return run


class PythonQuery:
    """A query of a driver that is written in Python."""

    def __init__(self, driver: Any, predicate: Any, prepare: Callable[[Any], Awaitable[None]] | None = None) -> None:
        self._driver = driver
        self._predicate = predicate
        self._prepare = prepare

    def _with(self, predicate: Any) -> PythonQuery:
        return PythonQuery(self._driver, predicate, self._prepare)

    async def _ready(self) -> None:
        if self._prepare is not None and self._predicate.model is not None:
            await self._prepare([self._predicate.model])

    def limit(self, limit: int, page: int = 0) -> PythonQuery:
        """At most a number of rows, of a page that is counted from 0."""
        return self._with(self._predicate.limit(limit, page))

    def offset(self, rows: int) -> PythonQuery:
        """Without the first rows."""
        return self._with(self._predicate.offset(rows))

    def sort(self, *fields: Any) -> PythonQuery:
        """In an order."""
        return self._with(self._predicate.sort(*fields))

    order_by = sort

    def where(self, *predicates: Any) -> PythonQuery:
        """Only rows that pass other predicates too."""
        return self._with(self._predicate.And(*predicates))

    filter = where

    @property
    def all(self) -> DBResultBuilder[Any]:
        """All rows, as a list."""

        async def run() -> Any:
            await self._ready()
            return ResultList(await self._driver.fetch(self._predicate).get())

        return _QueryResultBuilder(run)

    @property
    def one(self) -> DBResultBuilder[Any]:
        """The only row."""

        async def run() -> Any:
            await self._ready()
            rows = list(await self._driver.fetch(self._predicate.limit(2)).get())
            if not rows:
                raise DBStatusNoResultException("no row matches")
            if len(rows) > 1:
                from ommi.errors import NotUnique

                raise NotUnique("more than one row matches: use `first` to take one of them")
            return rows[0]

        return _QueryResultBuilder(run)

    @property
    def first(self) -> DBResultBuilder[Any]:
        """The first row, or `None`."""

        async def run() -> Any:
            await self._ready()
            rows = list(await self._driver.fetch(self._predicate.limit(1)).get())
            return rows[0] if rows else None

        return _QueryResultBuilder(run)

    @property
    def count(self) -> DBResultBuilder[Any]:
        """How many rows there are."""

        async def run() -> Any:
            await self._ready()
            return await self._driver.count(self._predicate)

        return _QueryResultBuilder(run)

    @property
    def delete(self) -> DBResultBuilder[Any]:
        """Deletes the rows."""

        async def run() -> Any:
            await self._ready()
            return await self._driver.delete(self._predicate)

        return DBResultBuilder(run)

    def update(self, values: dict[str, Any] | None = None, **more: Any) -> DBResultBuilder[Any]:
        """Updates the rows."""
        merged = {**(values or {}), **more}
        if not merged:
            raise ValueError("an update needs at least one field: `.update(age=3)`")

        async def run() -> Any:
            await self._ready()
            return await self._driver.update(self._predicate, merged)

        return DBResultBuilder(run)

    async def stream(self) -> AsyncIterator[Any]:
        """The rows one after the other."""
        await self._ready()
        async for row in self._driver.fetch(self._predicate):
            yield row

    def __await__(self) -> Any:
        return self.all.__await__()

    def or_raise(self) -> Awaitable[Any]:
        """All rows, with exceptions raised."""
        return self.all.or_raise()

    def or_use(self, default: Any, *, any_error: bool = False) -> Awaitable[Any]:
        """All rows, or a default."""
        return self.all.or_use(default, any_error=any_error)


def _database_of(driver: Any) -> Any:
    """What runs the operations of a driver: of Ommi, a transaction, or one that is given."""
    if isinstance(driver, (Ommi, _core.Database)):
        return driver
    if isinstance(driver, OmmiTransaction):
        return driver
    if isinstance(driver, _Operations):
        return driver._database
    return None


def native_of(driver: Any) -> _core.Database | None:
    """The core's database of a driver, unless it is written in Python."""
    if isinstance(driver, OmmiTransaction):
        return driver._native if isinstance(driver.driver, NativeTransaction) else None
    database = _database_of(driver)
    return database._database if isinstance(database, Ommi) else database


def find_with(driver: Any, *predicates: Any) -> Any:
    """A query by whatever can run one."""
    database = _database_of(driver)
    if database is not None:
        return database.find(*predicates)
    return PythonQuery(driver, when(*predicates))


def save_with(driver: Any, instance: Any) -> Any:
    """Writes all fields of an instance by whatever can."""
    database = _database_of(driver)
    if database is not None and getattr(database, "_database", database) is not None:
        return database.save(instance)

    async def run() -> Any:
        query = PythonQuery(driver, _key_predicate(instance))
        if await query.count.or_raise():
            keys = {field.get("field_name") for field in instance.get_primary_key_fields()}
            values = {name: _value_of(instance, name) for name in instance.__ommi__.fields if name not in keys}
            await query.update(values).or_raise()
        else:
            await driver.add([instance])
        return instance

    return DBResultBuilder(run)


def _value_of(instance: Any, name: str) -> Any:
    """The value of a field, which may be one of an embedded object: `None` where that is absent."""
    for part in name.split("."):
        instance = None if instance is None else getattr(instance, part)
    return instance


def delete_with(driver: Any, instance: Any) -> Any:
    """Deletes the row of an instance by whatever can."""
    database = _database_of(driver)
    if database is not None and getattr(database, "_database", database) is not None:
        return database.delete(instance)
    return PythonQuery(driver, _key_predicate(instance)).delete


def reload_with(driver: Any, instance: Any) -> Any:
    """Reads all fields of an instance anew by whatever can."""
    database = _database_of(driver)
    if database is not None and getattr(database, "_database", database) is not None:
        return database.reload(instance)

    async def run() -> Any:
        found = await PythonQuery(driver, _key_predicate(instance)).one.or_raise()
        # an embedded object is an attribute of its own, whatever fields it has
        for name in dict.fromkeys(name.partition(".")[0] for name in instance.__ommi__.fields):
            object.__setattr__(instance, name, getattr(found, name))
        return instance

    return DBResultBuilder(run)


def _key_predicate(instance: Any) -> Any:
    core = type(instance).__ommi_core__
    return when(*(_core.field(core, name) == getattr(instance, name) for name in core.key))
