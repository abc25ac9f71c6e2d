"""The driver that models use where none is given."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, Generic, TypeVar

__all__ = ["UseDriver", "active_driver", "get_current_driver", "use_driver"]

T = TypeVar("T")

active_driver: ContextVar[Any] = ContextVar("active_driver")
"""The active driver of this context."""

_NONE: Any = object()


def get_current_driver(default: Any = _NONE) -> Any:
    """The active driver, or a default; without one, `RuntimeError` is raised."""
    try:
        return active_driver.get()
    except LookupError:
        if default is _NONE:
            raise RuntimeError(
                "no driver is active: use `async with Ommi(..)`, `with use_driver(driver):`, or give one with `driver=`"
            ) from None
        return default


class UseDriver(Generic[T]):
    """Makes a driver the active one inside `with`."""

    def __init__(self, driver: T) -> None:
        self.driver = driver
        self._tokens: list[Token[Any]] = []

    def __enter__(self) -> T:
        self._tokens.append(active_driver.set(self.driver))
        return self.driver

    def __exit__(self, *exception: object) -> None:
        active_driver.reset(self._tokens.pop())


def use_driver(driver: T) -> UseDriver[T]:
    """Makes a driver the active one: `with use_driver(driver):`."""
    return UseDriver(driver)
