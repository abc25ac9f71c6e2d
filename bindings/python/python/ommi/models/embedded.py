"""Objects whose fields are stored as fields of the model that has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

__all__ = ["EmbeddedField"]


class EmbeddedField:
    """An embedded object on its model's class: its fields are attributes, as in `Customer.home.city`.

    Its own names begin with an underscore, so that they are not those of a field.
    """

    __slots__ = ("_of", "_parts")

    def __init__(self, of: str, parts: Mapping[str, Any]) -> None:
        self._of = of
        self._parts = parts

    def __getattr__(self, name: str) -> Any:
        try:
            return self._parts[name]
        except KeyError:
            known = ", ".join(self._parts)
            raise AttributeError(f"{self._of} has no field {name!r}; it has {known}") from None

    def __dir__(self) -> list[str]:
        return list(self._parts)

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError(
            f"{self._of} is embedded and is not compared as a whole: compare a field of it, such as "
            f"{self._of}.{next(iter(self._parts))}"
        )

    __ne__ = __eq__
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<{self._of}, embedded>"
