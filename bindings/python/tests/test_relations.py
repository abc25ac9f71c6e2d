"""Relations: lazy, eager, many to many, for every kind of class."""

import asyncio
import copy
import dataclasses
from dataclasses import dataclass
from typing import Annotated, Optional

import pytest

import kinds
from ommi import (
    AssociateUsing,
    Auto,
    Key,
    Lazy,
    LazyList,
    ModelCollection,
    NotFound,
    OmmiError,
    ReferenceTo,
    auto,
    ommi_model,
    use_driver,
    when,
)
from ommi.models.query_fields import LazyLoadEveryRelated, LazyLoadTheRelated
from ommi.results import DBResult
from ommi.testing import count_statements


@pytest.fixture
async def library(db, kind):
    of = kinds.library(kind)
    await db.use_models(of.collection)
    authors = [of.Author(name=name) for name in ("Ursula", "Gene", "Nobody")]
    await db.add(*authors).or_raise()
    await db.add(
        of.Book(title="Earthsea", author_id=authors[0].id),
        of.Book(title="Tehanu", author_id=authors[0].id),
        of.Book(title="Peace", author_id=authors[1].id),
        of.Book(title="Orphan"),
    ).or_raise()
    of.db = db
    return of


async def test_the_related_row_is_loaded_when_it_is_awaited(library):
    book = await library.db.find(library.Book.title == "Peace").one.or_raise()
    author = await book.author
    assert author.name == "Gene" and isinstance(author, library.Author)
    assert await book.author is author
    assert await book.author.value is author
    assert (await book.author.get_result()).result is author
    assert await book.author.or_use(None) is author and await book.author.get(None) is author


async def test_every_related_row_is_loaded_when_it_is_awaited(library):
    author = await library.db.find(library.Author.name == "Ursula").one.or_raise()
    assert sorted(book.title for book in await author.books) == ["Earthsea", "Tehanu"]
    nobody = await library.db.find(library.Author.name == "Nobody").one.or_raise()
    assert await nobody.books == []


async def test_relations_are_loaded_for_all_rows_of_a_result_at_once(library):
    books = await library.db.find(library.Book.author_id.is_not_null()).or_raise()
    with count_statements(library.db) as statements:
        names = [(await book.author).name for book in books]
        assert statements.count == 1
    assert sorted(names) == ["Gene", "Ursula", "Ursula"]
    authors = await library.db.find(library.Author).or_raise()
    with count_statements(library.db) as statements:
        assert sum([len(await author.books) for author in authors]) == 3
        assert statements.count == 1


async def test_all_rows_of_a_large_answer_share_their_relations(library):
    authors = await library.db.find(library.Author).or_raise()
    await library.db.add(
        *[library.Book(title=f"Book {index}", author_id=authors[index % 2].id) for index in range(2_000)]
    ).or_raise()
    books = await library.db.find(library.Book.title.startswith("Book ")).or_raise()
    assert len(books) == 2_000
    with count_statements(library.db) as statements:
        for book in books:
            assert (await book.author).id == book.author_id
        assert statements.count == 1


async def test_relations_can_be_loaded_with_the_rows(library):
    with count_statements(library.db) as statements:
        authors = (
            await library.db.find(library.Author).with_(library.Author.books.with_(library.Book.author)).or_raise()
        )
        assert statements.count == 3
        for author in authors:
            assert author.books.is_loaded
            for book in await author.books:
                assert (await book.author).name == author.name
        assert statements.count == 3
    one = await library.db.find(library.Book.title == "Peace").prefetch(library.Book.author).one.or_raise()
    assert one.author.is_loaded


async def test_a_lazy_field_works_on_a_row_that_was_just_added(library):
    book = library.Book(title="New", author_id=1)
    with use_driver(library.db):
        await library.db.add(book).or_raise()
        assert (await book.author).name == "Ursula"


async def test_a_lazy_field_works_on_a_row_that_was_just_added_in_a_transaction(library):
    if not library.db.capabilities["transaction.transactions"]:
        pytest.skip("the driver has no transactions")
    async with library.db.transaction() as tx:
        author = library.Author(name="New")
        await tx.add(author).or_raise()
        book = library.Book(title="New", author_id=author.id)
        await tx.add(book).or_raise()
        assert (await book.author).name == "New" and [found.title for found in await author.books] == ["New"]


async def test_tasks_that_ask_at_once_wait_for_one_query(library):
    books = await library.db.find(library.Book.author_id.is_not_null()).or_raise()
    with count_statements(library.db) as statements:
        authors = await asyncio.gather(*(book.author.value for book in books))
        assert statements.count == 1
    assert sorted(author.name for author in authors) == ["Gene", "Ursula", "Ursula"]


def renames(before: str, after: str) -> str:
    return f'ALTER TABLE "{before}" RENAME TO "{after}"'


def sets_name(expression: str) -> str:
    """A command of MongoDB that gives all authors what their table does not allow, or takes it back."""
    updates = f'[{{"q": {{}}, "u": [{{"$set": {{"name": {expression}}}}}], "multi": true}}]'
    return f'{{"update": "Author", "bypassDocumentValidation": true, "updates": {updates}}}'


# what makes reads of authors fail, and what mends it
BREAKS = {
    "sqlite": (renames("Author", "Away"), renames("Away", "Author")),
    "postgres": (renames("Author", "Away"), renames("Away", "Author")),
    "mongodb": (
        sets_name('[{"was": "$name"}]'),
        sets_name('{"$getField": {"field": "was", "input": {"$first": "$name"}}}'),
    ),
}


async def test_tasks_that_wait_for_a_load_that_fails_share_its_error(library):
    of = library.db.driver._database.scheme
    if of == "memory":
        pytest.skip("memory answers at once: nobody waits")
    breaks, mends = BREAKS[of]
    books = await library.db.find(library.Book.author_id.is_not_null()).or_raise()
    await library.db.raw(breaks).execute.or_raise()
    # SQLite answers at once too: each who asks is told before the next one asks
    wanted = 3 if of == "sqlite" else 1
    # where the machine is busy a server may answer before the next one asks, but not each time
    for _ in range(50):
        with count_statements(library.db) as statements:
            failed = await asyncio.gather(*(book.author.value for book in books), return_exceptions=True)
        if statements.count == wanted:
            break
    assert statements.count == wanted
    assert all(isinstance(error, OmmiError) for error in failed)
    assert len({str(error) for error in failed}) == 1
    await library.db.raw(mends).execute.or_raise()
    # a load that failed is tried anew by those who ask later
    assert [(await book.author).name for book in books] == ["Ursula", "Ursula", "Gene"]


async def test_a_relation_follows_the_key_of_its_instance(library):
    book = await library.db.find(library.Book.title == "Peace").one.or_raise()
    assert (await book.author).name == "Gene"
    if dataclasses.is_dataclass(book) and book.__dataclass_params__.frozen:
        return
    book.author_id = 1
    assert (await book.author).name == "Ursula"
    author = await library.db.find(library.Author.name == "Gene").one.or_raise()
    assert await author.books is await author.books


async def test_rows_of_streams_and_pages_load_with_their_relations(library):
    query = library.db.find(library.Author).sort(library.Author.id).with_(library.Author.books)
    with count_statements(library.db) as statements:
        seen = [author async for author in query.stream(batch=2)]
        sent = statements.count
        assert [len(await author.books) for author in seen] == [2, 1, 0]
        page = await query.limit(2).fetch_page.or_raise()
        assert [len(await author.books) for author in page] == [2, 1]
        assert statements.count == sent + 2
    with pytest.raises(TypeError, match="no relation"):
        library.db.find(library.Author).with_(library.Author.name)
    with pytest.raises(TypeError, match="rows are of"):
        library.db.find(library.Book).with_(library.Author.books)


async def test_no_key_is_no_row(library):
    orphan = await library.db.find(library.Book.title == "Orphan").one.or_raise()
    assert await orphan.author is None
    dangling = library.Book(title="Dangling", author_id=77)
    with use_driver(library.db):
        await library.db.add(dangling).or_raise()
        with pytest.raises(NotFound):
            await dangling.author
        assert await dangling.author.or_use(None) is None
        assert isinstance(await dangling.author.get_result(), DBResult.DBFailure)


async def test_refresh_loads_anew(library):
    author = await library.db.find(library.Author.name == "Gene").one.or_raise()
    assert len(await author.books) == 1
    await library.db.add(library.Book(title="Soldier", author_id=author.id)).or_raise()
    assert len(await author.books) == 1
    await author.books.refresh_if_needed()
    assert len(await author.books) == 1
    await author.books.refresh()
    assert len(await author.books) == 2


async def test_loaded_rows_can_be_copied_and_compared(library):
    book = await library.db.find(library.Book.title == "Peace").one.or_raise()
    again = await library.db.find(library.Book.title == "Peace").one.or_raise()
    await book.author
    assert book == again and "author=" not in repr(book)
    assert copy.copy(book) == book
    if dataclasses.is_dataclass(book):
        assert dataclasses.replace(again, title="x").title == "x"
        assert dataclasses.asdict(again)["author"] is None


async def test_many_to_many(db):
    collection = ModelCollection()

    @ommi_model(collection=collection)
    @dataclass
    class User:
        name: str
        permissions: "LazyList[Annotated[Permission, AssociateUsing(UserPermission)]]" = LazyList()
        id: Annotated[int, Key | Auto] = auto()

    @ommi_model(collection=collection)
    @dataclass
    class Permission:
        name: str
        id: Annotated[int, Key | Auto] = auto()

    @ommi_model(collection=collection)
    @dataclass
    class UserPermission:
        user_id: Annotated[int, Key, ReferenceTo(User.id)]
        permission_id: Annotated[int, Key, ReferenceTo("Permission.id")]

    users = await db.add(User("a"), User("b"), User("c")).or_raise()
    permissions = await db.add(Permission("read"), Permission("write")).or_raise()
    await db.add(
        *[UserPermission(users[0].id, permission.id) for permission in permissions],
        UserPermission(users[1].id, permissions[0].id),
    ).or_raise()
    found = await db.find(User).sort(User.id).or_raise()
    with count_statements(db) as statements:
        names = [sorted(permission.name for permission in await user.permissions) for user in found]
        assert statements.count == (1 if db.capabilities["relation.joins"] else 2)
    assert names == [["read", "write"], ["read"], []]
    writers = await db.find(User.permissions.any(Permission.name == "write")).or_raise()
    assert [user.name for user in writers] == ["a"]
    assert await db.find(~User.permissions.any()).count.or_raise() == 1


async def test_lazy_fields_need_no_default(db):
    collection = ModelCollection()

    @ommi_model(collection=collection)
    @dataclass
    class Author:
        name: str
        id: Annotated[int, Key] = None

    @ommi_model(collection=collection)
    @dataclass
    class Book:
        title: str
        author_id: Annotated[int, ReferenceTo(Author.id)]
        author: LazyLoadTheRelated[Author]
        id: Annotated[int, Key] = None

    (author,) = await db.add(Author("Ursula")).or_raise()
    (book,) = await db.add(Book(title="Earthsea", author_id=author.id)).or_raise()
    assert book.id == 1
    found = await db.find(Book).one.or_raise()
    assert (await found.author).name == "Ursula"


async def test_lazy_fields_can_be_made_from_a_query_factory(db):
    of = kinds.library("dataclass")
    await db.use_models(of.collection)
    await db.add(of.Author("Ursula")).or_raise()
    await db.add(of.Book("Earthsea", author_id=1), of.Book("Tehanu", author_id=1)).or_raise()
    every = LazyLoadEveryRelated(lambda: when(of.Book.author_id == 1), driver=db.driver)
    assert sorted(book.title for book in await every) == ["Earthsea", "Tehanu"]
    the = LazyLoadTheRelated(lambda: when(of.Author.id == 1), driver=db)
    assert (await the).name == "Ursula"
    assert isinstance(await the.get_result(), DBResult.DBSuccess)
    none = LazyLoadTheRelated(lambda: when(of.Author.id == 9), driver=db)
    assert await none.or_use("default") == "default"


async def test_a_self_reference_is_a_relation(db):
    collection = ModelCollection()

    @ommi_model(collection=collection)
    @dataclass
    class Node:
        name: str
        parent_id: Annotated[Optional[int], ReferenceTo("Node.id")] = None
        parent: "Lazy[Node]" = Lazy()
        id: Annotated[int, Key | Auto] = auto()

    (root,) = await db.add(Node("root")).or_raise()
    await db.add(Node("leaf", root.id)).or_raise()
    leaf = await db.find(Node.name == "leaf").one.or_raise()
    assert (await leaf.parent).name == "root"
    assert await (await leaf.parent).parent is None


async def test_predicates_over_related_rows(library):
    Author, Book = library.Author, library.Book

    async def titles(*predicates):
        return sorted(book.title for book in await library.db.find(Book, *predicates).or_raise())

    async def names(*predicates):
        return sorted(author.name for author in await library.db.find(Author, *predicates).or_raise())

    assert await titles(Book.author.has(Author.name == "Ursula")) == ["Earthsea", "Tehanu"]
    assert await names(Author.books.any(Book.title == "Peace")) == ["Gene"]
    assert await names(Author.books.any()) == ["Gene", "Ursula"]
    assert await names(~Author.books.any()) == ["Nobody"]
    assert await titles(~Book.author.has(Author.name == "Ursula")) == ["Orphan", "Peace"]
    assert await names(Author.books.any(Book.title == "Peace") | (Author.name == "Nobody")) == ["Gene", "Nobody"]
    assert await titles(Book.author.has(Author.books.any(Book.title == "Tehanu"))) == ["Earthsea", "Tehanu"]
    assert await library.db.find(Author.books.any(Book.title == "nothing")).count.or_raise() == 0


async def test_predicates_of_a_second_model_join_through_the_reference(library):
    Author, Book = library.Author, library.Book
    found = await library.db.find(Author, Book.title == "Peace").or_raise()
    assert [author.name for author in found] == ["Gene"]
    found = await library.db.find(when(Book, Author.name == "Ursula").sort(Book.title)).or_raise()
    assert [book.title for book in found] == ["Earthsea", "Tehanu"]
    assert await library.db.find(Author, Book.title == "Peace", Book.title == "Tehanu").count.or_raise() == 0
    assert await library.db.find(Book.title == "Peace", Author.name == "Gene").update(pages=1).or_raise() == 1
    assert await library.db.find(Book, Author.name == "Ursula").delete().or_raise() == 2
    assert await library.db.find(Book, Author.name == "Gene").count.or_raise() == 1


async def test_models_without_a_reference_cannot_be_joined(db):
    collection = ModelCollection()
    one, other = (
        ommi_model(collection=collection)(kinds.make("dataclass", name, {"id": int}, {})) for name in ("One", "Other")
    )
    with pytest.raises(TypeError, match="no reference leads"):
        db.find(one, other.id == 1)
