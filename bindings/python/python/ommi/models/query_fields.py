"""Lazy relations: fields that are loaded when they are awaited."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ommi import _core
from ommi.results import DBFailure, DBResult, DBSuccess

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


class LazyQueryField(_core.Lazy, Generic[T]):
    """A relation that is loaded when it is awaited, once for all rows of the result that it came from."""

    __slots__ = ()

    _many = False

    if TYPE_CHECKING:

        def __await__(self) -> Generator[Any, Any, T]: ...

    @property
    def value(self) -> Coroutine[Any, Any, T]:
        """An awaitable of what is related."""
        return self._load()

    async def _load(self) -> T:
        return await self

    async def _elsewhere(self) -> T:
        """What is related, where it is not loaded through the rows that the instance was read with."""
        if self._bound is None and self._query_factory is None:
            from ommi.errors import DetachedError

            raise DetachedError("the relation belongs to no instance yet: it is loaded through the instance's field")
        from ommi.models.relations import load_elsewhere

        loaded: T = await load_elsewhere(self)
        self._keep(loaded)
        return loaded

    async def get_result(self) -> DBResult[T]:
        """What is related, or the exception, as a `DBResult`."""
        try:
            return DBSuccess(await self)
        except Exception as error:
            return DBFailure(error)

    async def or_use(self, default: D) -> T | D:
        """What is related, or a default where loading fails."""
        return (await self.get_result()).result_or(default)

    async def get(self, default: D) -> T | D:
        """What is related, or a default where loading fails."""
        return await self.or_use(default)

    async def refresh(self) -> None:
        """Loads anew. An exception is that of the next use."""
        self._forget()
        try:
            await self._fresh()
        except Exception:
            pass

    async def refresh_if_needed(self) -> None:
        """Loads, unless it was loaded. An exception is that of the next use."""
        await self.get_result()

    def __lt__(self, other: object) -> bool:
        return False

    __gt__ = __lt__

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, {'loaded' if self.is_loaded else 'not loaded'}>"

    def __copy__(self) -> LazyQueryField[T]:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        if self.is_loaded:
            import copy

            return copy.deepcopy(self._loaded, memo)
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
