"""The models of all benches, and what their rows hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Optional

from ommi import Auto, Index, Key, LazyList, ModelCollection, ReferenceTo, auto, ommi_model

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


@ommi_model(collection=collection)
@dataclass
class Member:
    name: str
    age: int
    posts: LazyList[Post] = LazyList()
    id: Annotated[int, Key | Auto] = auto()


@ommi_model(collection=collection)
@dataclass
class Post:
    member_id: Annotated[int, ReferenceTo("Member.id"), Index()]
    title: str
    body: str
    comments: LazyList[Comment] = LazyList()
    id: Annotated[int, Key | Auto] = auto()


@ommi_model(collection=collection)
@dataclass
class Comment:
    post_id: Annotated[int, ReferenceTo("Post.id"), Index()]
    text: str
    id: Annotated[int, Key | Auto] = auto()


ROWS = 20_000
FEW = 1_000
"""How many rows are read and written at once."""

Values = tuple[str, "str | None", int, int]

HAIR = ("brown", "black", None, "blonde", "red")


def user(index: int) -> Values:
    return f"User number {index}", HAIR[index % len(HAIR)], index % 90, 1_700_000_000 + index


KEYS = [(index * 7919) % ROWS + 1 for index in range(ROWS)]
NEW = [user(ROWS + index) for index in range(FEW)]
"""What is added to the users."""

MEMBERS = [(f"Member number {index}", index % 90) for index in range(100)]
POSTS = [
    (index // 10 + 1, f"Post number {index}", f"The body of post number {index}, which is longer than its title")
    for index in range(1_000)
]
COMMENTS = [(index // 10 + 1, f"Comment number {index}, which says a little more") for index in range(10_000)]
