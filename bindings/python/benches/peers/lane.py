"""What each lane does."""

from __future__ import annotations

from typing import Any

from models import Values

COLUMNS = ("name", "hair_color", "age", "created_at", "id")
"""The columns of a user, of which the database gives the last."""

Row = tuple[str, "str | None", int, int, int]


class Lane:
    """One way to do all works. What takes many steps does them one after the other."""

    name: str
    package: str
    """The package whose version is told."""

    async def open(self, url: str) -> None:
        """Connects to a database of its own, which has the tables and the rows."""
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    def execute(self, text: str) -> Any:
        """Runs a statement that is not measured."""
        raise NotImplementedError

    def gets(self, keys: list[int]) -> Any:
        """Looks rows up by key, one at a time, and gives the last."""
        raise NotImplementedError

    def rows(self) -> Any:
        """The first thousand users."""
        raise NotImplementedError

    def inserts(self, rows: list[Values]) -> Any:
        """Adds users one at a time."""
        raise NotImplementedError

    def insert_many(self, rows: list[Values]) -> Any:
        """Adds users at once, all or none."""
        raise NotImplementedError

    def tree(self) -> Any:
        """A hundred members with their posts and the comments of these."""
        raise NotImplementedError

    def row(self, found: Any) -> Row:
        """What a user that was read has."""
        name, hair_color, age, created_at, key = (getattr(found, column) for column in COLUMNS)
        return name, hair_color, age, created_at, key

    async def counts(self, tree: Any) -> list[list[int]]:
        """How many comments each post of each member has."""
        return [[len(post.comments) for post in member.posts] for member in tree]


def named(values: Values) -> dict[str, Any]:
    """The values of a new user by their names."""
    return dict(zip(COLUMNS[:-1], values, strict=True))


def count(members: list[Any], posts: dict[int, list[Any]], comments: dict[int, list[Any]]) -> list[list[int]]:
    """How many comments there are where rows were put together by key, whose own keys are last."""
    return [[len(comments[post[-1]]) for post in posts[member[-1]]] for member in members]
