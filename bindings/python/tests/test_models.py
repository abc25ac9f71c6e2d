"""What models are: still the user's classes."""

import copy
import dataclasses
import pickle
from dataclasses import dataclass
from typing import Annotated, Optional

import pydantic
import pytest

import kinds
from ommi import (
    UTC,
    Auto,
    FieldType,
    Key,
    Lazy,
    LazyList,
    ModelCollection,
    OmmiModel,
    ReferenceTo,
    StoreAs,
    auto,
    ommi_model,
)
from ommi.models.field_metadata import AggregateMetadata, create_metadata_flag, create_metadata_type


@ommi_model(collection=ModelCollection())
@dataclass
class Pickled:
    name: str
    id: Annotated[int, Key | Auto] = auto()


def test_the_decorated_class_is_the_users_class(kind):
    plain = kinds.make(kind, "Plain", {"name": str, "id": Annotated[int, Key]}, {"id": None})
    model = ommi_model(collection=ModelCollection())(plain)
    assert model is plain
    assert (model.__name__, model.__module__, model.__qualname__) == ("Plain", "kinds", "Plain")
    instance = model(name="a", id=1)
    assert isinstance(instance, model) and isinstance(instance, OmmiModel) and issubclass(model, OmmiModel)
    assert (instance.name, instance.id) == ("a", 1)


def test_instances_can_be_compared_copied_and_shown(kind):
    of = kinds.library(kind)
    book = of.Book(title="Earthsea", author_id=1)
    assert copy.copy(book) == book == copy.deepcopy(book)
    assert "author=" not in repr(book) and "title='Earthsea'" in repr(book)
    other = of.Book(title="Earthsea", author_id=1)
    assert book == other
    assert book != of.Book(title="Tehanu", author_id=1)


def test_instances_can_be_pickled():
    instance = Pickled("a", id=3)
    assert pickle.loads(pickle.dumps(instance)) == instance


def test_dataclass_functions_work():
    of = kinds.library("dataclass")
    book = of.Book(title="Earthsea", author_id=1)
    assert dataclasses.asdict(book) == {
        "title": "Earthsea",
        "pages": 100,
        "author_id": 1,
        "author": None,
        "id": None,
    }
    assert dataclasses.replace(book, title="Tehanu").title == "Tehanu"
    assert [field.name for field in dataclasses.fields(book)] == [
        "title",
        "pages",
        "author_id",
        "author",
        "id",
    ]


def test_pydantic_functions_work():
    of = kinds.library("pydantic")
    book = of.Book.model_validate({"title": "Earthsea", "pages": "7"})
    assert book.pages == 7
    assert book.model_dump() == {"title": "Earthsea", "pages": 7, "author_id": None, "id": None}
    assert pydantic.TypeAdapter(list[of.Book]).validate_python([{"title": "a"}])[0].title == "a"
    with pytest.raises(pydantic.ValidationError):
        of.Book.model_validate({"title": 1})


async def test_subclasses_have_all_columns(sqlite):
    collection = ModelCollection()

    @ommi_model(collection=collection)
    @dataclass
    class Person:
        name: str
        id: Annotated[int, Key | Auto] = auto()

    @ommi_model(collection=collection)
    @dataclass
    class Worker(Person):
        wage: int = 0

    await sqlite.add(Worker("Ada", wage=5), Person("Eve")).or_raise()
    assert await sqlite.find(Worker.wage == 5).one.or_raise() == Worker("Ada", id=1, wage=5)
    assert await sqlite.find(Person.name == "Eve").one.or_raise() == Person("Eve", id=1)
    assert list(Worker.__ommi__.fields) == ["name", "id", "wage"]


async def test_pydantic_subclasses_have_all_columns(sqlite):
    collection = ModelCollection()

    @ommi_model(collection=collection)
    class Person(pydantic.BaseModel):
        name: str
        age: int
        id: Annotated[Optional[int], Key | Auto] = None

    @ommi_model(collection=collection)
    class Worker(Person):
        wage: int = 0

    with pytest.raises(pydantic.ValidationError):
        Worker(wage=3)
    await sqlite.add(Worker(name="Ada", age=1, wage=5)).or_raise()
    assert await sqlite.find(Worker.age == 1).one.or_raise() == Worker(name="Ada", age=1, id=1, wage=5)


def test_metadata_tells_names_fields_and_references(kind):
    of = kinds.library(kind)
    assert of.Book.__ommi__.model_name == "Book"
    assert of.Book.__ommi__.collection is of.collection
    assert list(of.Book.__ommi__.fields) == ["title", "pages", "author_id", "id"]
    field = of.Book.__ommi__.fields["id"]
    assert field.get("field_name") == "id" and field.get("store_as") == "id"
    assert field.matches(Key) and field.matches(Auto) and not field.matches(ReferenceTo)
    (reference,) = of.Book.__ommi__.references[of.Author]
    assert reference.to_model is of.Author and reference.to_field.get("field_name") == "id"
    assert reference.from_model is of.Book and reference.from_field.get("field_name") == "author_id"
    assert [key.get("field_name") for key in of.Book.get_primary_key_fields()] == ["id"]


def test_a_stored_name_can_be_given():
    @ommi_model(collection=ModelCollection())
    @dataclass
    class Thing:
        name: Annotated[str, StoreAs("the name")]
        id: Annotated[int, Key] = None
        __ommi_model_name__ = "things"

    assert Thing.__ommi__.model_name == "things"
    assert Thing.__ommi__.fields["name"].get("store_as") == "the name"


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"a": str, "b": Annotated[str, Key]}, ["b"]),
        ({"a": Annotated[int, Key], "b": Annotated[int, Key]}, ["a", "b"]),
        ({"a": int, "id": str}, ["id"]),
        ({"a": int, "x": Annotated[str, StoreAs("_id")]}, ["x"]),
        ({"a": str, "b": int, "c": int}, ["b"]),
        ({"a": str, "b": str}, ["a"]),
    ],
)
def test_the_key_is_found(fields, key):
    model = ommi_model(collection=ModelCollection())(kinds.make("dataclass", "Model", fields, {}))
    assert [field.get("field_name") for field in model.get_primary_key_fields()] == key


def test_metadata_can_be_combined_and_matched():
    both = Key | Auto
    assert isinstance(both, AggregateMetadata)
    assert both.matches(Key) and both.matches(Auto) and not both.matches(StoreAs)
    named = both | StoreAs("x")
    assert named.get("store_as") == "x" and not both.matches(StoreAs)
    flag = create_metadata_flag("Flag")
    assert (flag | Key).matches(flag) and not (StoreAs("y") | Key).matches(flag)
    kind = create_metadata_type("Kind", value=3)
    assert kind().get("value") == 3 and (kind() | Key).matches(kind)
    assert StoreAs("a") == StoreAs("a") != StoreAs("b")


def test_registration_errors_name_class_field_and_mend():
    collection = ModelCollection()

    class Opaque:
        __slots__ = ()

    cases = {
        "decorate|dataclass": lambda: ommi_model(collection=collection)(
            type("NoFields", (), {"__init__": lambda self: None})
        ),
        r"Holder\.what: values of type Opaque": lambda: ommi_model(collection=collection)(
            kinds.make("dataclass", "Holder", {"what": Opaque, "id": int}, {})
        ),
        r"Later\.other, 'Missing'.*ReferenceTo": lambda: ommi_model(collection=collection)(
            kinds.make("dataclass", "Later", {"other": "Missing", "id": int}, {})
        ),
        r"Twice\.a and Twice\.A": lambda: ommi_model(collection=collection)(
            kinds.make("dataclass", "Twice", {"a": str, "A": str, "id": int}, {})
        ),
        "automatic": lambda: ommi_model(collection=collection)(
            kinds.make("dataclass", "Wrong", {"id": Annotated[str, Key | Auto]}, {})
        ),
    }
    for message, declare in cases.items():
        with pytest.raises(Exception, match=message):
            declare()


def test_references_are_not_evaluated():
    collection = ModelCollection()
    evil = ommi_model(collection=collection)(
        kinds.make(
            "dataclass",
            "Evil",
            {"id": int, "x": Annotated[int, ReferenceTo("__import__('os').system('true')")]},
            {},
        )
    )
    with pytest.raises(TypeError, match="no model of that name"):
        list(evil.__ommi__.references)


def test_names_resolve_through_the_collection_inside_functions():
    of = kinds.library("dataclass")
    assert of.Author.books.target is of.Book and of.Book.author.target is of.Author


def test_a_model_declared_anew_replaces_the_earlier_one():
    collection = ModelCollection()
    first = ommi_model(collection=collection)(kinds.make("dataclass", "Same", {"id": int}, {}))
    second = ommi_model(collection=collection)(kinds.make("dataclass", "Same", {"id": int, "name": str}, {}))
    assert collection.models == {second} and first not in collection


def test_a_plain_class_with_annotations_becomes_a_dataclass():
    @ommi_model(collection=ModelCollection())
    class Simple:
        name: str
        id: Annotated[int, Key] = None

    assert Simple("a") == Simple("a") and Simple.__name__ == "Simple"


def test_instances_do_not_show_query_fields():
    model = ommi_model(collection=ModelCollection())(kinds.make("dataclass", "Model", {"id": int}, {}))
    instance = object.__new__(model)
    with pytest.raises(AttributeError):
        _ = instance.id


def test_markers_are_shown_in_signatures():
    assert UTC is not None and FieldType("i32").get("field_type") == "i32"
    assert repr(Lazy()).startswith("<LazyLoadTheRelated") and hash(Lazy()) == hash(LazyList())
