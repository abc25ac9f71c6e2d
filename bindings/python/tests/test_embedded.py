"""Objects whose fields are stored as fields of the model that has them, for every kind of class."""

import copy
import pickle
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, Optional

import pytest

import kinds
from ommi import (
    Auto,
    ConstraintError,
    Digits,
    Embedded,
    Index,
    Key,
    LazyList,
    MaxLength,
    ModelCollection,
    Ommi,
    ReferenceTo,
    StoreAs,
    Unique,
    auto,
    ommi_model,
)
from ommi.models.field_metadata import FieldMetadata


def shop(kind: str) -> SimpleNamespace:
    """Customers with addresses, which have places."""
    of = SimpleNamespace(collection=ModelCollection())
    of.Place = kinds.make(
        kind, "Place", {"north": Annotated[Decimal, Digits(8, 4)], "east": Optional[float]}, {"east": None}
    )
    of.Address = kinds.make(
        kind,
        "Address",
        {
            "city": Annotated[str, Index()],
            "street": Annotated[Optional[str], MaxLength(20), StoreAs("road")],
            "tags": Optional[list[str]],
            "place": Annotated[Optional[of.Place], Embedded],
        },
        {"street": None, "tags": None, "place": None},
    )
    of.Customer = ommi_model(collection=of.collection)(
        kinds.make(
            kind,
            "Customer",
            {
                "name": str,
                "home": Annotated[of.Address, Embedded],
                "work": Annotated[Optional[of.Address], Embedded, StoreAs("office")],
                "id": Annotated[int, Key | Auto],
            },
            {"work": None, "id": auto()},
        )
    )
    return of


@pytest.fixture
async def of(db: Ommi, kind: str):
    of = shop(kind)
    await db.use_models(of.collection)
    of.db = db
    of.ada = of.Customer(
        name="Ada", home=of.Address(city="Lund", tags=["a", "b"], place=of.Place(north=Decimal("55.7000"), east=13.5))
    )
    of.bob = of.Customer(name="Bob", home=of.Address(city="Oslo", street="1 A"), work=of.Address(city="Lund"))
    await db.add(of.ada, of.bob).or_raise()
    return of


async def test_embedded_objects_come_back_as_they_went_in(of):
    ada, bob = await of.db.find(of.Customer).sort(of.Customer.name).or_raise()
    assert (ada, bob) == (of.ada, of.bob)
    assert isinstance(ada.home, of.Address) and isinstance(ada.home.place, of.Place)
    assert ada.work is None and bob.home.place is None and bob.work == of.Address(city="Lund")
    assert (await of.db.get(of.Customer, bob.id).or_raise()) == of.bob
    assert [row async for row in of.db.find(of.Customer).sort(of.Customer.name).stream()] == [ada, bob]


async def test_their_fields_are_fields_of_the_model(of):
    Customer = of.Customer
    find = lambda *predicates: of.db.find(*predicates).sort(Customer.name)  # noqa: E731
    names = lambda rows: [row.name for row in rows]  # noqa: E731
    assert names(await find(Customer.home.city == "Oslo").or_raise()) == ["Bob"]
    assert names(await find(Customer.work.city.is_null()).or_raise()) == ["Ada"]
    assert names(await find(Customer.home.place.north > Decimal(50)).or_raise()) == ["Ada"]
    assert names(await find(Customer.home.tags.contains("a")).or_raise()) == ["Ada"]
    assert names(await of.db.find(Customer).sort(Customer.home.city.desc).or_raise()) == ["Bob", "Ada"]
    assert await of.db.find(Customer).sort(Customer.home.city).select(
        Customer.home.city, Customer.work.city
    ).or_raise() == [("Lund", None), ("Oslo", "Lund")]
    assert list(Customer.__ommi__.fields) == [
        "name",
        *[
            f"{at}.{part}"
            for at in ("home", "work")
            for part in ("city", "street", "tags", "place.north", "place.east")
        ],
        "id",
    ]
    assert Customer.__ommi__.fields["work.street"].get("store_as") == "office_road"
    assert Customer.__ommi__.fields["work.street"].name == "work.street"


async def test_their_fields_are_updated_one_by_one_or_as_a_whole(of):
    Customer, row = of.Customer, of.db.find(of.Customer.name == "Bob")
    assert await row.update({Customer.home.city: "Rome", "home.street": "2 B"}).or_raise() == 1
    assert (await row.one.or_raise()).home == of.Address(city="Rome", street="2 B")
    await row.update(home=of.Address(city="Wien"), work=None).or_raise()
    bob = await row.one.or_raise()
    assert (bob.home, bob.work) == (of.Address(city="Wien"), None)
    with pytest.raises(Exception, match=r"home.city.*an embedded Address is wanted"):
        await row.update(home=3).or_raise()


async def test_saving_and_reloading_take_the_whole_object(of, kind):
    other = await of.db.get(of.Customer, of.bob.id).or_raise()
    if kind != "frozen":
        other.home, other.work = of.Address(city="Kyiv", street="3"), None
        await of.db.save(other).or_raise()
        await of.db.reload(of.bob).or_raise()
        assert of.bob == other and of.bob.work is None
    assert copy.deepcopy(other) == other
    await of.db.upsert(of.ada, of.bob).or_raise()
    assert await of.db.find(of.Customer).count.or_raise() == 2


async def test_wrong_objects_are_refused_before_anything_is_sent(of):
    for wrong in (None, "Lund", {"city": "Lund"}, of.Place(north=Decimal(1))):
        customer = copy.copy(of.ada)
        object.__setattr__(customer, "home", wrong)
        object.__setattr__(customer, "id", None)
        with pytest.raises(Exception, match=r"`home.city` of Customer: an embedded Address is wanted, not"):
            await of.db.add(customer).or_raise()
    assert await of.db.find(of.Customer).count.or_raise() == 2
    with pytest.raises(TypeError, match=r"Customer.home is embedded .* such as Customer.home.city"):
        assert of.Customer.home == of.ada.home
    with pytest.raises(AttributeError, match=r"Customer.home has no field 'town'; it has city, street, tags, place"):
        assert of.Customer.home.town


async def test_they_are_stored_in_columns_or_in_sub_documents(of, url):
    if url.startswith("memory"):
        return
    if url.startswith("mongodb"):
        # the path finds it, and the answer is given flat
        (found,) = await of.db.raw('{"find": "Customer", "filter": {"home.city": "Oslo"}}').dicts.or_raise()
        assert found["home_road"] == "1 A" and found["office_city"] == "Lund"
    else:
        rows = of.db.raw("SELECT home_road, office_city, home_place_north FROM \"Customer\" WHERE home_city = 'Oslo'")
        assert await rows.tuples.or_raise() == [("1 A", "Lund", None)]


@dataclass
class Serial:
    maker: str
    number: Annotated[int, Unique()]


async def test_unique_groups_reach_into_them(db):
    @ommi_model(collection=ModelCollection())
    @dataclass
    class Machine:
        serial: Annotated[Serial, Embedded]
        id: Annotated[int, Key | Auto] = auto()

    await db.use_models(Machine.__ommi__.collection)
    await db.add(Machine(Serial("A", 1)), Machine(Serial("A", 2))).or_raise()
    with pytest.raises(ConstraintError) as refused:
        await db.add(Machine(Serial("B", 2))).or_raise()
    assert refused.value.fields == ["serial.number"]


@dataclass
class Money:
    amount: Decimal
    currency: str = "EUR"

    def __post_init__(self) -> None:
        self.shown = f"{self.amount} {self.currency}"


@ommi_model
@dataclass
class Price:
    money: Annotated[Money, Embedded]
    id: Annotated[int, Key | Auto] = auto()


async def test_post_init_runs_and_instances_are_pickled(db):
    await db.add(Price(Money(Decimal(3)))).or_raise()
    price = await db.find(Price).one.or_raise()
    assert price.money.shown.endswith(" EUR")
    assert pickle.loads(pickle.dumps(price)) == price


def declared(fields: dict[str, Any], name: str = "Part") -> type:
    return kinds.make("dataclass", name, fields, {})


Nullable = declared({"a": Optional[int]}, "Nullable")


@pytest.mark.parametrize(
    ("of", "message"),
    [
        (Annotated[int, Embedded], r"Whole.part is embedded, and int is no dataclass"),
        (Annotated[dict[str, int], Embedded], r"Whole.part is embedded, and dict"),
        (Annotated[Price, Embedded], r"Price is no dataclass.* that is no model of its own"),
        (Annotated[Optional[Nullable], Embedded], r"may be None, and each field of Nullable may be None too"),
        (Annotated[declared({"a": Annotated[int, Key]}), Embedded], r"Part.a is Key, which fields of an embedded"),
        (Annotated[declared({"a": Annotated[int, ReferenceTo(Price)]}), Embedded], r"Part.a is ReferenceTo"),
        (Annotated[declared({"a": "LazyList[Price]"}), Embedded], r"Part.a is a relation, which only models have"),
        (Annotated[declared({}), Embedded], r"Part has no fields"),
        (Annotated[Money, Embedded, Unique()], r"cannot be Unique as a whole"),
    ],
)
def test_what_cannot_be_embedded_is_refused(of: Any, message: str):
    assert LazyList and isinstance(Embedded, FieldMetadata)
    whole = kinds.make("dataclass", "Whole", {"id": int, "part": of}, {})
    with pytest.raises(TypeError, match=message):
        ommi_model(collection=ModelCollection())(whole)


def test_a_class_that_embeds_itself_is_refused():
    @dataclass
    class Node:
        name: str
        inner: "Annotated[Optional[Node], Embedded]"

    with pytest.raises(TypeError, match=r"Node.inner embeds Node in itself"):
        ommi_model(collection=ModelCollection())(
            kinds.make("dataclass", "Tree", {"id": int, "root": Annotated[Node, Embedded]}, {})
        )


def test_stored_names_do_not_meet():
    fields = {"id": int, "money": Annotated[Money, Embedded], "money_amount": int}
    with pytest.raises(ValueError, match=r"Bill.money.amount and Bill.money_amount have stored names"):
        ommi_model(collection=ModelCollection())(kinds.make("dataclass", "Bill", fields, {}))
