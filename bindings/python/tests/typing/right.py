"""Right uses, which both checkers accept in strict mode."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Optional

from typing_extensions import assert_type

from ommi import UTC, Auto, DBQueryResult, Embedded, Key, Lazy, LazyList, Ommi, ReferenceTo, auto, fields, ommi_model
from ommi.results import DBResult, ResultList


@ommi_model
@dataclass
class Author:
    name: str
    born: Optional[int] = None
    books: "LazyList[Book]" = LazyList()
    id: Annotated[int, Key | Auto] = auto()


@ommi_model
@dataclass
class Book:
    title: str
    author_id: Annotated[int, ReferenceTo("Author.id")]
    seen: Annotated[Optional[datetime], UTC] = None
    author: "Lazy[Author]" = Lazy()
    id: Annotated[int, Key | Auto] = auto()


@dataclass
class Address:
    city: str


@ommi_model
@dataclass
class Customer:
    home: Annotated[Address, Embedded]
    work: Annotated[Optional[Address], Embedded] = None
    id: Annotated[int, Key | Auto] = auto()


async def embed(db: Ommi) -> None:
    customer = await db.find(Customer).one.or_raise()
    assert_type(customer.home.city, str)
    assert_type(customer.work, Optional[Address])
    await db.add(Customer(Address("Lund"), work=Address("Oslo"))).or_raise()
    await db.find(Customer).update(home=Address("Rome"), work=None).or_raise()


async def use() -> None:
    async with Ommi("sqlite::memory:") as db:
        assert_type(await db.add(Author("Ursula")).or_raise(), list[Author])
        assert_type(await db.find(Author).all.or_raise(), ResultList[Author])
        assert_type(await db.find(Author).or_raise(), ResultList[Author])
        assert_type(await db.find(Author).one.or_raise(), Author)
        assert_type(await db.find(Author).one(), DBResult[Author])
        assert_type(await db.find(Author).one.or_use(None), Optional[Author])
        assert_type(await db.find(Author).first.or_raise(), Optional[Author])
        assert_type(await db.find(Author).count.or_raise(), int)
        assert_type(await db.get(Author, 1).or_raise(), Author)
        book = await db.find(Book).one.or_raise()
        assert_type(await book.author, Author)
        author = await db.find(Author, Author.id == 1).one.or_raise()
        assert_type(await author.books, list[Book])
        async for each in db.find(Author).stream():
            assert_type(each, Author)
        named = fields(Author).name
        assert_type(await db.find(Author, named.contains("a")).sort(named.desc).count.or_raise(), int)
        match await db.find(Author).one():
            case DBQueryResult.DBQuerySuccess(found):
                print(found)
            case failure:
                print(failure.exception)
