"""What a driver does. A driver may be written in Python: `Ommi` takes any subclass."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextvars import Token
from typing import TYPE_CHECKING, Any, TypeVar

from ommi.driver_context import active_driver

if TYPE_CHECKING:
    from ommi.drivers.transactions import BaseDriverTransaction
    from ommi.models.collections import ModelCollection

__all__ = ["BaseDriver"]

Self = TypeVar("Self", bound="BaseDriver")


class BaseDriver(ABC):
    """A database."""

    @classmethod
    @abstractmethod
    def connect(cls, settings: Any = None) -> Any:
        """A driver that is connected."""

    @abstractmethod
    async def disconnect(self) -> None:
        """Closes the connection."""

    @abstractmethod
    def transaction(self) -> BaseDriverTransaction:
        """A transaction, which begins with `async with`."""

    @abstractmethod
    async def add(self, models: Iterable[Any]) -> Iterable[Any]:
        """Adds instances, sets their automatic keys, and gives them back."""

    @abstractmethod
    async def count(self, predicate: Any) -> int:
        """How many rows pass a predicate."""

    @abstractmethod
    async def delete(self, predicate: Any) -> Any:
        """Deletes the rows that pass a predicate."""

    @abstractmethod
    def fetch(self, predicate: Any) -> Any:
        """The rows that pass a predicate: something with `.get()` and `.one()` that `async for` iterates."""

    @abstractmethod
    async def update(self, predicate: Any, values: dict[str, Any]) -> Any:
        """Updates the rows that pass a predicate."""

    @abstractmethod
    async def apply_schema(self, model_collection: ModelCollection) -> None:
        """Creates what is missing of the tables of a collection's models."""

    @abstractmethod
    async def delete_schema(self, model_collection: ModelCollection) -> None:
        """Drops the tables of a collection's models."""

    async def __aenter__(self: Self) -> Self:
        self._tokens().append(active_driver.set(self))
        return self

    async def __aexit__(self, *exception: object) -> None:
        try:
            active_driver.reset(self._tokens().pop())
        except (ValueError, IndexError):
            # entered in another context, whose active driver is its own
            pass
        await self.disconnect()

    def _tokens(self) -> list[Token[Any]]:
        tokens: list[Token[Any]] = vars(self).setdefault("_active_tokens", [])
        return tokens
