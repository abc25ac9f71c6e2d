"""The models of all benches, with and without slots, and what their rows hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Optional

from ommi import Auto, Key, ModelCollection, auto, ommi_model

collection = ModelCollection()


@ommi_model(collection=collection)
@dataclass
class User:
    name: str
    hair_color: Optional[str]
    age: int
    created_at: int
    id: Annotated[int, Key | Auto] = auto()


@ommi_model(collection=collection)
@dataclass(slots=True)
class Slots:
    name: str
    hair_color: Optional[str]
    age: int
    created_at: int
    id: Annotated[int, Key | Auto] = auto()


def user(index: int) -> tuple[str, str | None, int, int]:
    return f"User {index}", None if index % 3 else "brown", index % 90, 1_700_000_000 + index
