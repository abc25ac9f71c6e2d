"""Wrong uses, each of which both checkers report on the line that says so."""

from dataclasses import dataclass
from typing import Annotated

from ommi import Auto, Key, Ommi, auto, ommi_model


@ommi_model
@dataclass
class Author:
    name: str
    id: Annotated[int, Key | Auto] = auto()


async def misuse(db: Ommi) -> None:
    number: int = await db.find(Author).one.or_raise()  # wrong
    text: str = await db.find(Author).count.or_raise()  # wrong
    authors: list[int] = await db.add(Author("x")).or_raise()  # wrong
    Author(1)  # wrong
    Author()  # wrong
    db.nothing()  # wrong
    print((await db.find(Author).one.or_raise()).title)  # wrong
    db.find(Author).limit("x")  # wrong
    print(number, text, authors)
