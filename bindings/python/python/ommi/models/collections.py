"""Groups of models, whose tables are created and removed together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["ModelCollection", "get_global_collection"]


class ModelCollection:
    """Models by their names. A model that is declared anew under a name takes the place of the first."""

    def __init__(self) -> None:
        self._by_name: dict[str, type[Any]] = {}

    @property
    def models(self) -> set[type[Any]]:
        """The models."""
        return set(self._by_name.values())

    def add(self, model: type[Any]) -> None:
        """Adds a model."""
        self._by_name[model.__ommi__.model_name] = model

    def __iter__(self) -> Iterator[type[Any]]:
        return iter(list(self._by_name.values()))

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, model: object) -> bool:
        return any(known is model for known in self._by_name.values())

    def __repr__(self) -> str:
        return f"<ModelCollection of {len(self)} model{'' if len(self) == 1 else 's'}>"

    def _find(self, name: str) -> type[Any] | None:
        """The model of a name, or of a class's name."""
        found = self._by_name.get(name)
        if found is not None:
            return found
        return next((model for model in self._by_name.values() if model.__name__ == name), None)

    def _definitions(self) -> list[Any]:
        return [model.__ommi_core__ for model in self._by_name.values()]


_global_collection = ModelCollection()


def get_global_collection() -> ModelCollection:
    """The collection of models that name no other."""
    return _global_collection
