"""What a driver's transaction does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ommi.models.collections import ModelCollection

__all__ = ["BaseDriverTransaction"]

Self = TypeVar("Self", bound="BaseDriverTransaction")


class BaseDriverTransaction(ABC):
    """A transaction of a driver."""

    @abstractmethod
    async def open(self) -> None:
        """Begins."""

    @abstractmethod
    async def commit(self) -> None:
        """Makes what was written permanent."""

    @abstractmethod
    async def rollback(self) -> None:
        """Undoes what was written."""

    @abstractmethod
    async def close(self) -> None:
        """Gives back what the transaction held."""

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
        """The rows that pass a predicate."""

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
        await self.open()
        return self

    async def __aexit__(self, kind: Any, *exception: object) -> None:
        try:
            if kind is None:
                await self.commit()
            else:
                await self.rollback()
        finally:
            await self.close()
