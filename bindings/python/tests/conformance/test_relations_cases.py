"""The cases of relations and references: authors, their books, and the tags of those."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Optional

import pytest

from ommi import (
    AssociateUsing,
    Auto,
    ConstraintError,
    Key,
    Lazy,
    LazyList,
    ModelCollection,
    NotFound,
    ReferenceTo,
    auto,
    ommi_model,
)
from ommi.testing import count_statements


@pytest.fixture(scope="module")
def models():
    collection = ModelCollection()
    model = ommi_model(collection=collection)

    @model
    @dataclass
    class Author:
        name: str
        books: "LazyList[Book]" = LazyList()
        id: Annotated[int, Key | Auto] = auto()

    @model
    @dataclass
    class Book:
        title: str
        pages: int
        author_id: Annotated[Optional[int], ReferenceTo(Author.id)] = None
        author: "Lazy[Author]" = Lazy()
        tags: "LazyList[Annotated[Tag, AssociateUsing(BookTag)]]" = LazyList()
        id: Annotated[int, Key | Auto] = auto()

    @model
    @dataclass
    class Tag:
        name: Annotated[str, Key]
        books: "LazyList[Annotated[Book, AssociateUsing(BookTag)]]" = LazyList()

    @model
    @dataclass
    class BookTag:
        book_id: Annotated[int, Key, ReferenceTo(Book.id)]
        tag: Annotated[str, Key, ReferenceTo(Tag.name)]

    return SimpleNamespace(collection=collection, Author=Author, Book=Book, Tag=Tag, BookTag=BookTag)


@pytest.fixture
async def library(db, models):
    of = SimpleNamespace(**vars(models), db=db)
    await db.add(*[of.Author(name, id=n) for n, name in enumerate(["Ada", "Bea", "Cid"], 1)]).or_raise()
    books = [("a1", 10, 1), ("a2", 20, 1), ("b1", 30, 2), ("x", 40, None)]
    await db.add(*[of.Book(*book, id=n) for n, book in enumerate(books, 1)]).or_raise()
    await db.add(of.Tag("new"), of.Tag("old"), of.Tag("unused")).or_raise()
    links = [(1, "new"), (1, "old"), (2, "new"), (3, "old")]
    await db.add(*[of.BookTag(*link) for link in links]).or_raise()
    return of


async def titles(library, *predicates):
    rows = await library.db.find(library.Book, *predicates).sort(library.Book.id).or_raise()
    return [row.title for row in rows]


async def names(library, *predicates):
    rows = await library.db.find(library.Author, *predicates).sort(library.Author.id).or_raise()
    return [row.name for row in rows]


async def test_the_first_get_loads_for_all_rows_of_the_result(library):
    books = await library.db.find(library.Book.author_id.is_not_null()).sort(library.Book.id).or_raise()
    with count_statements(library.db) as statements:
        assert [(await book.author).name for book in books] == ["Ada", "Ada", "Bea"]
        assert statements.count == 1


async def test_rows_that_share_a_target_share_one_row(library):
    one, two = await library.db.find(library.Book.author_id == 1).or_raise()
    assert await one.author is await two.author


async def test_a_relation_takes_one_statement_whatever_the_number_of_owners(library):
    authors = await library.db.find(library.Author).sort(library.Author.id).or_raise()
    with count_statements(library.db) as statements:
        found = [sorted(book.title for book in await author.books) for author in authors]
        assert statements.count == 1
    assert found == [["a1", "a2"], ["b1"], []]


async def test_a_null_reference_finds_nothing(library):
    book = await library.db.find(library.Book.title == "x").one.or_raise()
    with count_statements(library.db) as statements:
        assert await book.author is None
        assert statements.count == 0


async def test_a_dangling_reference_is_not_found_where_there_has_to_be_a_row(library):
    await library.db.add(library.Book("y", 1, 99)).or_raise()
    book = await library.db.find(library.Book.title == "y").one.or_raise()
    with pytest.raises(NotFound):
        await book.author


async def test_a_relation_through_a_link_model_is_followed_backwards(library):
    book = await library.db.find(library.Book.id == 1).one.or_raise()
    assert sorted(tag.name for tag in await book.tags) == ["new", "old"]
    tag = await library.db.find(library.Tag.name == "old").one.or_raise()
    assert sorted(book.title for book in await tag.books) == ["a1", "b1"]


async def test_relations_are_nested_to_any_depth(library):
    query = library.db.find(library.Author).sort(library.Author.id)
    with count_statements(library.db) as statements:
        authors = await query.with_(library.Author.books.with_(library.Book.author)).or_raise()
        assert statements.count == 3
        for author in authors:
            for book in await author.books:
                assert (await book.author).name == author.name
        assert statements.count == 3


async def test_what_was_loaded_eagerly_is_not_asked_for_again(library):
    query = library.db.find(library.Author).with_(library.Author.books.with_(library.Book.tags))
    authors = await query.sort(library.Author.id).or_raise()
    with count_statements(library.db) as statements:
        found = [[sorted(tag.name for tag in await book.tags) for book in await author.books] for author in authors]
        assert statements.count == 0
    assert sorted(map(tuple, found[0])) == [("new",), ("new", "old")] and found[1:] == [[["old"]], []]


async def test_a_result_of_no_rows_asks_nothing(library):
    with count_statements(library.db) as statements:
        assert await library.db.find(library.Author.id == 99).with_(library.Author.books).or_raise() == []
        assert statements.count == 1


async def test_more_keys_than_a_statement_takes_are_loaded_in_several(library):
    db = library.db
    await db.add(*[library.Author(f"n{n}", id=n) for n in range(100, 2_100)]).or_raise()
    await db.add(*[library.Book("t", n, 100 + n % 2_000) for n in range(4_000)]).or_raise()
    authors = await db.find(library.Author.id >= 100).with_(library.Author.books).or_raise()
    assert [len(await author.books) for author in authors] == [2] * 2_000


async def test_rows_are_found_by_the_row_that_they_lead_to(library):
    assert await titles(library, library.Book.author.has(library.Author.name == "Ada")) == ["a1", "a2"]


async def test_rows_are_found_by_any_of_their_related_rows(library):
    assert await names(library, library.Author.books.any(library.Book.pages > 15)) == ["Ada", "Bea"]


async def test_rows_are_found_by_none_of_their_related_rows(library):
    assert await names(library, library.Author.books.any()) == ["Ada", "Bea"]
    assert await names(library, ~library.Author.books.any()) == ["Cid"]


async def test_not_has_finds_rows_that_lead_nowhere(library):
    assert await titles(library, ~library.Book.author.has(library.Author.name == "Ada")) == ["b1", "x"]


async def test_rows_are_found_through_a_link_model(library):
    assert await titles(library, library.Book.tags.any(library.Tag.name == "old")) == ["a1", "b1"]
    assert await titles(library, ~library.Book.tags.any()) == ["x"]


async def test_filters_nest_over_several_models(library):
    predicate = library.Author.books.any(library.Book.tags.any(library.Tag.name == "old"))
    assert await names(library, predicate) == ["Ada", "Bea"]


async def test_two_conditions_on_one_related_row_differ_from_two_related_rows(library):
    Author, Book = library.Author, library.Book
    assert await names(library, Author.books.any(Book.pages == 10, Book.title == "a2")) == []
    assert await names(library, Author.books.any(Book.pages == 10) & Author.books.any(Book.title == "a2")) == ["Ada"]


async def test_rows_found_across_are_deleted(library):
    Author, Book, db = library.Author, library.Book, library.db
    of_ada = Book.author.has(Author.name == "Ada")
    assert await db.find(of_ada).count.or_raise() == 2
    assert await db.find(of_ada).update(pages=1).or_raise() == 2
    assert await db.find(of_ada).delete.or_raise() == 2
    assert await titles(library) == ["b1", "x"]


async def test_rows_of_a_committed_transaction_load_from_the_database(library):
    db = library.db
    if not db.capabilities["transaction.transactions"]:
        pytest.skip("the driver has no transactions")
    async with db.transaction() as tx:
        await tx.add(library.Book("in tx", 1, 3)).or_raise()
        author = await tx.find(library.Author.id == 3).one.or_raise()
        later = await tx.find(library.Author.id == 3).one.or_raise()
        assert [book.title for book in await author.books] == ["in tx"]
    # after the commit, through the database
    assert [book.title for book in await later.books] == ["in tx"]


async def test_rows_of_a_transaction_that_was_rolled_back_are_detached(library):
    from ommi import DetachedError

    db = library.db
    if not db.capabilities["transaction.transactions"]:
        pytest.skip("the driver has no transactions")
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as tx:
            author = await tx.find(library.Author.id == 3).one.or_raise()
            1 / 0  # noqa: B018
    with pytest.raises(DetachedError):
        await author.books


@pytest.fixture
async def kept(db):
    """Owners whose things the database or the engine keeps in order."""
    collection = ModelCollection()
    model = ommi_model(collection=collection)

    @model
    @dataclass
    class Owner:
        name: str
        id: Annotated[int, Key | Auto] = auto()

    @model
    @dataclass
    class Thing:
        owner_id: Annotated[int, ReferenceTo(Owner.id, enforced=True)]
        id: Annotated[int, Key | Auto] = auto()

    @model
    @dataclass
    class Part:
        thing_id: Annotated[int, ReferenceTo(Thing.id, enforced=True, on_delete="cascade")]
        maker_id: Annotated[Optional[int], ReferenceTo(Owner.id, enforced=True, on_delete="set_null")] = None
        id: Annotated[int, Key | Auto] = auto()

    await db.use_models(collection)
    await db.add(Owner("a", id=1), Owner("b", id=2)).or_raise()
    await db.add(Thing(1, id=1)).or_raise()
    return SimpleNamespace(db=db, Owner=Owner, Thing=Thing, Part=Part)


async def test_a_reference_to_an_absent_row_is_refused(kept):
    with pytest.raises(ConstraintError):
        await kept.db.add(kept.Thing(9)).or_raise()


async def test_a_reference_violation_names_its_fields(kept):
    with pytest.raises(ConstraintError) as error:
        await kept.db.add(kept.Thing(9)).or_raise()
    assert (error.value.constraint, error.value.model) == ("reference", "Thing")
    assert list(error.value.fields) == ["owner_id"]


async def test_a_null_reference_is_free(kept):
    await kept.db.add(kept.Part(1, None)).or_raise()


async def test_a_referenced_row_is_not_deleted(kept):
    with pytest.raises(ConstraintError):
        await kept.db.find(kept.Owner.id == 1).delete.or_raise()
    assert await kept.db.find(kept.Owner).count.or_raise() == 2


async def test_an_update_to_an_absent_row_is_refused(kept):
    with pytest.raises(ConstraintError):
        await kept.db.find(kept.Thing).update(owner_id=9).or_raise()


async def test_a_deletion_cascades_where_asked(kept):
    await kept.db.add(kept.Part(1), kept.Part(1)).or_raise()
    await kept.db.find(kept.Thing).delete.or_raise()
    assert await kept.db.find(kept.Part).count.or_raise() == 0


async def test_a_deletion_sets_null_where_asked(kept):
    await kept.db.add(kept.Part(1, 2)).or_raise()
    await kept.db.find(kept.Owner.id == 2).delete.or_raise()
    assert (await kept.db.find(kept.Part).one.or_raise()).maker_id is None


async def test_an_unenforced_reference_may_dangle(library):
    await library.db.add(library.Book("y", 1, 99)).or_raise()
    assert await library.db.find(library.Book.author_id == 99).count.or_raise() == 1
