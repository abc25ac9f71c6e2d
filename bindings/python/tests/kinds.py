"""The same models as every kind of class."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Annotated, Any, Optional

import attrs
import pydantic

from ommi import Auto, Key, Lazy, LazyList, ModelCollection, ReferenceTo, auto, ommi_model


def decorator(kind: str) -> Callable[[type], type]:
    """What makes a class of a kind."""
    return {
        "dataclass": dataclasses.dataclass,
        "frozen": dataclasses.dataclass(frozen=True),
        "slots": dataclasses.dataclass(slots=True),
        "kw_only": dataclasses.dataclass(kw_only=True),
        "attrs": attrs.define(slots=False),
        "attrs_slots": attrs.define,
        "pydantic": lambda cls: cls,
    }[kind]


def base(kind: str) -> tuple[type, ...]:
    return (pydantic.BaseModel,) if kind == "pydantic" else ()


def make(kind: str, name: str, fields: dict[str, Any], defaults: dict[str, Any], **options: Any) -> type:
    """A class of a kind, as a class statement would make it."""
    namespace: dict[str, Any] = {
        "__annotations__": fields,
        "__module__": __name__,
        "__qualname__": name,
        **defaults,
        **options,
    }
    return decorator(kind)(
        type(pydantic.BaseModel)(name, base(kind), namespace) if base(kind) else type(name, (), namespace)
    )


def library(kind: str) -> SimpleNamespace:
    """Authors and books."""
    collection = ModelCollection()
    model = ommi_model(collection=collection)
    Author = model(
        make(
            kind,
            "Author",
            {"name": str, "born": Optional[int], "books": "LazyList[Book]", "id": Annotated[int, Key | Auto]},
            {"born": None, "books": LazyList(), "id": auto()},
        )
    )
    Book = model(
        make(
            kind,
            "Book",
            {
                "title": str,
                "pages": int,
                "author_id": Annotated[Optional[int], ReferenceTo(Author.id)],
                "author": "Lazy[Author]",
                "id": Annotated[int, Key | Auto],
            },
            {"pages": 100, "author_id": None, "author": Lazy(), "id": auto()},
        )
    )
    return SimpleNamespace(collection=collection, Author=Author, Book=Book)
