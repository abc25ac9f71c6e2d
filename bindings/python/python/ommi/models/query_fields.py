"""Lazy relations: fields that are loaded when they are awaited."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ommi.results import DBFailure, DBResult, DBSuccess

if TYPE_CHECKING:
    from ommi.models.relations import Source

__all__ = [
    "AssociateOnReference",
    "AssociateUsing",
    "Lazy",
    "LazyList",
    "LazyLoadEveryRelated",
    "LazyLoadTheRelated",
    "LazyQueryField",
    "QueryStrategy",
]

T = TypeVar("T")
D = TypeVar("D")


class QueryStrategy:
    """How the rows of a relation are found."""

    def generate_query(self, model: Any, contains: type[Any]) -> Any:
        """The predicate of the rows that an instance is related to."""
        raise NotImplementedError

    def generate_query_factory(self, model: Any, contains: type[Any]) -> Callable[[], Any]:
        """What makes that predicate when it is needed."""
        return lambda: self.generate_query(model, contains)


class AssociateOnReference(QueryStrategy):
    """By a reference from one of the models to the other."""

    def generate_query(self, model: Any, contains: type[Any]) -> Any:
        from ommi.models.relations import path_of

        return path_of(type(model), contains, None).predicate(model)


class AssociateUsing(QueryStrategy):
    """By a model that references both: many to many."""

    def __init__(self, association_model: Any) -> None:
        self._association_model = association_model

    @property
    def association_model(self) -> Any:
        """The model in between."""
        return self._association_model

    def generate_query(self, model: Any, contains: type[Any]) -> Any:
        from ommi.models.relations import path_of

        return path_of(type(model), contains, self.association_model).predicate(model)


class LazyQueryField(Generic[T]):
    """A relation that is loaded when it is awaited, once for all rows of the result that it came from."""

    __slots__ = ("_cache", "_driver", "_query_factory", "_source")

    _many = False

    def __init__(self, query_factory: Callable[[], Any] | None = None, driver: Any = None) -> None:
        self._query_factory = query_factory
        self._driver = driver
        self._source: Source | None = None
        self._cache: DBResult[Any] | None = None

    def __await__(self) -> Generator[Any, Any, T]:
        return self._load().__await__()

    async def _load(self) -> T:
        await self.refresh_if_needed()
        return self._cached()

    def _cached(self) -> T:
        assert self._cache is not None
        if isinstance(self._cache, DBFailure):
            raise self._cache.exception
        loaded: T = self._cache.result
        return loaded

    @property
    def value(self) -> Any:
        """An awaitable of what is related."""
        return self._load()

    async def get_result(self) -> DBResult[T]:
        """What is related, or the exception, as a `DBResult`."""
        await self.refresh_if_needed()
        assert self._cache is not None
        return self._cache

    async def or_use(self, default: D) -> T | D:
        """What is related, or a default where loading fails."""
        return (await self.get_result()).result_or(default)

    async def get(self, default: D) -> T | D:
        """What is related, or a default where loading fails."""
        return await self.or_use(default)

    async def refresh(self) -> None:
        """Loads anew."""
        try:
            self._cache = DBSuccess(await self._fetch(fresh=True))
        except Exception as error:
            self._cache = DBFailure(error)

    async def refresh_if_needed(self) -> None:
        """Loads, unless it was loaded."""
        if not isinstance(self._cache, DBSuccess):
            try:
                self._cache = DBSuccess(await self._fetch(fresh=False))
            except Exception as error:
                self._cache = DBFailure(error)

    @property
    def is_loaded(self) -> bool:
        """Whether it was loaded."""
        return isinstance(self._cache, DBSuccess)

    async def _fetch(self, fresh: bool) -> Any:
        from ommi.models.relations import fetch_by_predicate

        if self._source is not None:
            return await self._source.load(fresh)
        if self._query_factory is None:
            from ommi.errors import DetachedError

            raise DetachedError("the relation belongs to no instance yet: it is loaded through the instance's field")
        return await fetch_by_predicate(self._query_factory(), self._driver, self._many)

    def _set_loaded(self, value: Any) -> None:
        self._cache = DBSuccess(value)

    def __eq__(self, other: object) -> bool:
        # the keys of the rows say what is related: relations do not make rows differ
        # `object()` is what Pydantic compares a field with that another instance has not yet
        return (
            other is None
            or isinstance(other, LazyQueryField)
            or type(other) is object
            or type(other).__name__ == "Siblings"
        )

    def __hash__(self) -> int:
        return hash(LazyQueryField)

    def __lt__(self, other: object) -> bool:
        return False

    __gt__ = __lt__

    def __repr__(self) -> str:
        if isinstance(self._cache, DBSuccess):
            return f"<{type(self).__name__}, loaded>"
        return f"<{type(self).__name__}, not loaded>"

    def __copy__(self) -> LazyQueryField[T]:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        if isinstance(self._cache, DBSuccess):
            import copy

            return copy.deepcopy(self._cache.result, memo)
        return None

    def __reduce__(self) -> Any:
        return type(self), ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.any_schema()


class LazyLoadTheRelated(LazyQueryField[T]):
    """The row that is related: `author: Lazy[Author]`."""

    __slots__ = ()


class LazyLoadEveryRelated(LazyQueryField["list[T]"], Generic[T]):
    """The rows that are related: `books: LazyList[Book]`."""

    __slots__ = ()
    _many = True


Lazy = LazyLoadTheRelated
LazyList = LazyLoadEveryRelated
