"""Outcomes as values: a success with its result, or a failure with its exception."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

if TYPE_CHECKING:
    from ommi._core import Batches, _Raising

__all__ = [
    "DBEmptyQueryException",
    "DBFailure",
    "DBQueryFailure",
    "DBQueryResult",
    "DBQuerySuccess",
    "DBResult",
    "DBResultBuilder",
    "DBStatusNoResultException",
    "DBSuccess",
    "Explanation",
    "Page",
    "ResultList",
    "Stream",
]

T = TypeVar("T")
D = TypeVar("D")


class DBStatusNoResultException(Exception):
    """There is no result, or no exception, where one was asked for."""


class DBEmptyQueryException(Exception):
    """A query has no row where one is needed."""


class DBResult(Generic[T]):
    """The outcome of an operation: a `DBSuccess` or a `DBFailure`."""

    __match_args__: ClassVar[tuple[str, ...]] = ("result", "exception")

    DBSuccess: ClassVar[type[DBSuccess[Any]]]
    DBFailure: ClassVar[type[DBFailure[Any]]]

    @property
    def result(self) -> T:
        """The result; of a failure, `DBStatusNoResultException` is raised."""
        raise NotImplementedError

    @property
    def exception(self) -> Exception:
        """The exception; of a success, `DBStatusNoResultException` is raised."""
        raise NotImplementedError

    def result_or(self, default: D) -> T | D:
        """The result, or a default of a failure."""
        raise NotImplementedError

    def exception_or(self, default: D) -> Exception | D:
        """The exception, or a default of a success."""
        raise NotImplementedError

    @classmethod
    def build(cls, callback: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> DBResultBuilder[T]:
        """What calls a coroutine function when it is awaited, and wraps its outcome."""
        return DBResultBuilder(callback, *args, **kwargs)


class DBSuccess(DBResult[T]):
    """A result."""

    __slots__ = ("_result",)
    __match_args__ = ("result",)

    def __init__(self, result: T) -> None:
        self._result = result

    @property
    def result(self) -> T:
        return self._result

    @property
    def exception(self) -> Exception:
        raise DBStatusNoResultException("the operation succeeded: there is no exception")

    def result_or(self, default: object) -> T:
        return self._result

    def exception_or(self, default: D) -> D:
        return default

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._result!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DBSuccess) and cast("object", other._result) == self._result

    __hash__ = None  # type: ignore[assignment]


class DBFailure(DBResult[T]):
    """An exception."""

    __slots__ = ("_exception",)
    __match_args__ = ("exception",)

    def __init__(self, exception: Exception) -> None:
        self._exception = exception

    @property
    def result(self) -> T:
        raise DBStatusNoResultException("the operation failed: there is no result") from self._exception

    @property
    def exception(self) -> Exception:
        return self._exception

    def result_or(self, default: D) -> D:
        return default

    def exception_or(self, default: object) -> Exception:
        return self._exception

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._exception!r})"


class DBQueryResult(DBResult[T]):
    """The outcome of a query: a `DBQuerySuccess` or a `DBQueryFailure`."""

    DBQuerySuccess: ClassVar[type[DBQuerySuccess[Any]]]
    DBQueryFailure: ClassVar[type[DBQueryFailure[Any]]]


class DBQuerySuccess(DBSuccess[T], DBQueryResult[T]):
    """What a query gave."""

    __slots__ = ()


class DBQueryFailure(DBFailure[T], DBQueryResult[T]):
    """The exception that a query ended in."""

    __slots__ = ()


DBResult.DBSuccess = DBSuccess
DBResult.DBFailure = DBFailure
DBQueryResult.DBQuerySuccess = DBQuerySuccess
DBQueryResult.DBQueryFailure = DBQueryFailure


class DBResultBuilder(Generic[T]):
    """Calls a coroutine function each time that it is awaited, and wraps its outcome."""

    _success: type[DBSuccess[Any]] = DBSuccess
    _failure: type[DBFailure[Any]] = DBFailure

    def __init__(self, callback: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> None:
        self._callback = callback
        self._args = args
        self._kwargs = kwargs

    def __call__(self, *args: Any, **kwargs: Any) -> DBResultBuilder[T]:
        """The same call, with arguments."""
        return type(self)(self._callback, *args, **kwargs)

    def __await__(self) -> Iterator[Any]:
        return self._wrapped().__await__()

    async def _wrapped(self) -> DBResult[T]:
        try:
            return self._success(await self.or_raise())
        except Exception as error:
            return self._failure(error)

    async def or_raise(self) -> T:
        """The result, or the exception raised."""
        return await self._callback(*self._args, **self._kwargs)

    async def or_use(self, default: D, *, any_error: bool = False) -> T | D:
        """The result, or a default where there is no row; with `any_error`, where anything fails."""
        try:
            return await self.or_raise()
        except DBStatusNoResultException:
            return default
        except Exception:
            if any_error:
                return default
            raise


class _QueryResultBuilder(DBResultBuilder[T]):
    _success = DBQuerySuccess
    _failure = DBQueryFailure


class ResultList(list[T]):
    """The rows of a query: a list that can be iterated with `async for` too."""

    __slots__ = ()

    async def __aiter__(self) -> AsyncIterator[T]:
        for row in self:
            yield row

    async def get(self) -> list[T]:
        """The rows."""
        return self

    async def one(self) -> T:
        """The first row; `DBStatusNoResultException` if there is none."""
        if not self:
            raise DBStatusNoResultException("the query gave no rows")
        return self[0]


class Page(Generic[T]):
    """A page of ordered rows, and where the next begins: a text for `.after(..)`, or `None` on the last."""

    __slots__ = ("next", "rows")

    def __init__(self, rows: ResultList[T], next: str | None) -> None:
        self.rows = rows
        self.next = next

    def __iter__(self) -> Iterator[T]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<Page of {len(self.rows)} rows, {'the last' if self.next is None else 'not the last'}>"


class Stream(Generic[T]):
    """The rows of a query one after the other, read in batches: `async for user in query.stream():`.

    The connection that reads is held until the end, or until `aclose()`; `async with` closes too.
    """

    def __init__(self, begin: _Raising[Batches[T]]) -> None:
        self._begin = begin
        self._batches: Batches[T] | None = None
        self._rows: Iterator[T] = iter(())
        self._more = True

    def __aiter__(self) -> Stream[T]:
        return self

    async def __anext__(self) -> T:
        while True:
            for row in self._rows:
                return row
            if not self._more:
                raise StopAsyncIteration
            if self._batches is None:
                self._batches = await self._begin
            rows, self._more = await self._batches.next()
            self._rows = iter(rows)

    async def aclose(self) -> None:
        """Gives the connection back."""
        self._more = False
        self._rows = iter(())
        if self._batches is not None:
            self._batches.close()

    async def __aenter__(self) -> Stream[T]:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()


class Explanation:
    """How a query is answered: the driver's part, and what the engine completes."""

    def __init__(
        self,
        *,
        driver: str,
        model: str,
        native: str,
        parameters: list[str],
        completed: list[str],
        database_plan: str | None,
        text: str,
    ) -> None:
        self.driver = driver
        self.model = model
        self.native = native
        """What the driver runs."""
        self.parameters = parameters
        """The types of the parameters."""
        self.completed = completed
        """What the engine completes, in words; empty where the driver does all."""
        self.database_plan = database_plan
        """The database's own plan, where it has one."""
        self._text = text

    @property
    def is_native(self) -> bool:
        """Whether the driver does all."""
        return not self.completed

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"<Explanation of {self.model} on {self.driver}>"
