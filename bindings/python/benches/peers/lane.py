"""What each lane does, and the data that it does it with."""

from __future__ import annotations

from typing import Any

ROWS = 20_000
FEW = 1_000
"""How many rows are read and written at once."""

COLUMNS = ("name", "hair_color", "age", "created_at", "id")
INSERT = ("name", "hair_color", "age", "created_at")

Row = tuple[str, "str | None", int, int, int]
Values = tuple[str, "str | None", int, int]

HAIR = ("brown", "black", None, "blonde", "red")


def user(index: int) -> Values:
    return f"User number {index}", HAIR[index % len(HAIR)], index % 90, 1_700_000_000 + index


USERS = [user(index) for index in range(ROWS)]
MEMBERS = [(f"Member number {index}", index % 90) for index in range(100)]
POSTS = [
    (index // 10 + 1, f"Post number {index}", f"The body of post number {index}, which is longer than its title")
    for index in range(1_000)
]
COMMENTS = [(index // 10 + 1, f"Comment number {index}, which says a little more") for index in range(10_000)]

KEYS = [(index * 7919) % ROWS + 1 for index in range(ROWS)]

TABLES = {
    "User": (INSERT, USERS),
    "Member": (("name", "age"), MEMBERS),
    "Post": (("member_id", "title", "body"), POSTS),
    "Comment": (("post_id", "text"), COMMENTS),
}
"""The columns of each table but its key, and their rows."""


def insert(table: str, marks: list[str]) -> str:
    columns, _ = TABLES[table]
    return f'INSERT INTO "{table}" ({", ".join(columns)}) VALUES ({", ".join(marks[: len(columns)])})'


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


def count(members: list[Any], posts: dict[int, list[Any]], comments: dict[int, list[Any]]) -> list[list[int]]:
    """The same for rows that were put together by key, whose own keys are last."""
    return [[len(comments[post[-1]]) for post in posts[member[-1]]] for member in members]
