"""The whole surface, for each kind of class on each database that keeps what it is given."""

import copy
from datetime import datetime, timezone
from decimal import Decimal
from typing import Annotated, Optional

import pytest

import kinds
from ommi import (
    UTC,
    AssociateUsing,
    Auto,
    ConstraintError,
    DBQueryResult,
    DBResult,
    Key,
    Lazy,
    LazyList,
    ModelCollection,
    NotFound,
    Ommi,
    OmmiModel,
    ReferenceTo,
    StoreAs,
    Unique,
    active_driver,
    auto,
    count,
    ommi_model,
    use_driver,
    when,
)
from ommi.database.results import DBStatusNoResultException

pytestmark = pytest.mark.parametrize("kind", ["dataclass", "attrs", "pydantic"])


class Shop:
    """A database with users, posts, and the groups of users."""


@pytest.fixture
async def shop(stored_url, kind):
    of = Shop()
    of.collection = ModelCollection()
    model = ommi_model(collection=of.collection)
    of.User = model(
        kinds.make(
            kind,
            "User",
            {
                "name": Annotated[str, Unique()],
                "age": Optional[int],
                "balance": Annotated[Decimal, StoreAs("the balance")],
                "seen": Annotated[Optional[datetime], UTC],
                "tags": list[str],
                "posts": "LazyList[Post]",
                "groups": "LazyList[Annotated[Group, AssociateUsing(Member)]]",
                "id": Annotated[int, Key | Auto],
            },
            {
                "age": None,
                "balance": Decimal(0),
                "seen": None,
                "tags": None,
                "posts": LazyList(),
                "groups": LazyList(),
                "id": auto(),
            },
        )
    )
    of.Post = model(
        kinds.make(
            kind,
            "Post",
            {
                "title": str,
                "user_id": Annotated[Optional[int], ReferenceTo(of.User.id)],
                "user": "Lazy[User]",
                "id": Annotated[int, Key | Auto],
            },
            {"user_id": None, "user": Lazy(), "id": auto()},
        )
    )
    of.Group = model(kinds.make(kind, "Group", {"name": Annotated[str, Key]}, {}))
    of.Member = model(
        kinds.make(
            kind,
            "Member",
            {
                "user_id": Annotated[int, Key, ReferenceTo(of.User.id)],
                "group": Annotated[str, Key, ReferenceTo(of.Group.name)],
            },
            {},
        )
    )
    assert AssociateUsing
    async with Ommi(stored_url) as db:
        of.db = db
        await db.use_models(of.collection)
        ada = of.User(
            name="Ada",
            age=36,
            balance=Decimal("10.50"),
            seen=datetime(2024, 5, 1, tzinfo=timezone.utc),
            tags=["a", "b"],
        )
        users = await db.add(ada, of.User(name="Bob", tags=[]), of.User(name="Cid", age=12, tags=["b"])).or_raise()
        of.ada, of.bob, of.cid = users
        await db.add(
            of.Post(title="one", user_id=ada.id), of.Post(title="two", user_id=ada.id), of.Post(title="lost")
        ).or_raise()
        await db.add(of.Group(name="red"), of.Group(name="blue")).or_raise()
        await db.add(of.Member(user_id=ada.id, group="red"), of.Member(user_id=of.cid.id, group="red")).or_raise()
        yield of


async def names(shop, *predicates):
    rows = await shop.db.find(shop.User, *predicates).sort(shop.User.id).or_raise()
    return [row.name for row in rows]


async def test_instances_come_back_as_they_went_in(shop):
    found = await shop.db.find(shop.User).sort(shop.User.id).or_raise()
    assert found == [shop.ada, shop.bob, shop.cid] and all(type(user) is shop.User for user in found)
    assert found[0].balance == Decimal("10.50") and found[0].seen.tzinfo is timezone.utc
    assert [user.tags for user in found] == [["a", "b"], [], ["b"]]
    assert copy.copy(found[0]) == found[0] and repr(found[0]).count("Ada") == 1
    assert isinstance(found[0], OmmiModel)


async def test_keys_are_assigned(shop):
    assert len({shop.ada.id, shop.bob.id, shop.cid.id}) == 3
    (dee,) = await shop.db.add(shop.User(name="Dee", tags=[])).or_raise()
    assert (await shop.db.get(shop.User, dee.id).or_raise()).name == "Dee"
    assert [field.get("field_name") for field in shop.User.get_primary_key_fields()] == ["id"]


async def test_operators(shop):
    User = shop.User
    assert await names(shop, User.age == 36) == ["Ada"]
    assert await names(shop, User.age != 36) == ["Cid"]
    assert await names(shop, User.age < 36) == await names(shop, User.age <= 12) == ["Cid"]
    assert await names(shop, User.age > 12) == await names(shop, User.age >= 36) == ["Ada"]
    assert await names(shop, User.age == None) == await names(shop, User.age.is_null()) == ["Bob"]  # noqa: E711
    assert await names(shop, User.age.in_([12, None])) == ["Bob", "Cid"]
    assert await names(shop, User.age.not_in([12])) == ["Ada"]
    assert await names(shop, User.age.between(10, 20)) == ["Cid"]
    assert await names(shop, User.name.contains("d")) == ["Ada", "Cid"]
    assert await names(shop, User.name.not_contains("d")) == ["Bob"]
    assert await names(shop, User.name.startswith("A")) == await names(shop, User.name.istartswith("a")) == ["Ada"]
    assert await names(shop, User.name.ends_with("b")) == await names(shop, User.name.iendswith("B")) == ["Bob"]
    assert await names(shop, User.name.icontains("A")) == ["Ada"]
    assert await names(shop, User.name.like("_o%")) == await names(shop, User.name.ilike("BO_")) == ["Bob"]
    assert await names(shop, User.name.regex("^[AB]")) == ["Ada", "Bob"]
    assert await names(shop, User.balance * 2 == 21) == ["Ada"]
    assert await names(shop, User.tags.contains("b")) == ["Ada", "Cid"]
    assert await names(shop, User.seen >= datetime(2024, 1, 1, tzinfo=timezone.utc)) == ["Ada"]


async def test_predicates_are_combined(shop):
    User = shop.User
    assert await names(shop, (User.age == 36) | (User.name == "Bob")) == ["Ada", "Bob"]
    assert await names(shop, ~(User.name == "Bob") & (User.age > 20)) == ["Ada"]
    assert await names(shop, when(User.name == "Bob").Or(User.age == 12).And(User.age > 1)) == ["Cid"]
    assert await names(shop, User.posts.any()) == ["Ada"]
    assert await names(shop, User.groups.any(shop.Group.name == "red")) == ["Ada", "Cid"]
    assert await names(shop, shop.Post.title == "two") == ["Ada"]


async def test_orders_limits_and_pages(shop):
    User, db = shop.User, shop.db
    by_name = when(User).sort(User.name.desc)
    assert [user.name for user in await db.find(by_name).or_raise()] == ["Cid", "Bob", "Ada"]
    assert [user.name for user in await db.find(by_name.limit(1, 2)).or_raise()] == ["Ada"]
    assert [user.name for user in await db.find(User).order_by(User.age.asc()).or_raise()] == ["Bob", "Cid", "Ada"]
    assert [user.name async for user in db.find(User).sort(User.name).stream(batch=2)] == ["Ada", "Bob", "Cid"]


async def test_both_styles_of_results(shop):
    User, db = shop.User, shop.db
    match await db.find(User.name == "Ada").one():
        case DBQueryResult.DBQuerySuccess(user):
            assert user == shop.ada
        case other:
            pytest.fail(str(other))
    match await db.find(User.name == "Eve").one:
        case DBResult.DBFailure(DBStatusNoResultException() as error):
            assert isinstance(error, NotFound)
        case other:
            pytest.fail(str(other))
    assert await db.find(User.name == "Eve").one.or_use(None) is None
    assert (await db.find(User).count()).result_or(0) == 3
    assert [user.name async for user in await db.find(User.age == 12).or_raise()] == ["Cid"]
    refused = await db.add(User(name="Ada", tags=[]))
    assert isinstance(refused, DBResult.DBFailure) and isinstance(refused.exception, ConstraintError)


async def test_updates_and_deletes(shop):
    User, db = shop.User, shop.db
    assert await db.find(User.age.is_not_null()).update(age=User.age + 1).or_raise() == 2
    assert await db.find(User.name == "Bob").update({"balance": Decimal("1.25")}).or_raise() == 1
    assert await names(shop, User.age == 37) == ["Ada"] and await names(shop, User.balance == Decimal("1.25")) == [
        "Bob"
    ]
    assert await db.find(User.name == "Cid").delete().or_raise() == 1
    await db.upsert(User(name="Bob", age=5, tags=["new"]), on=[User.name]).or_raise()
    assert (await db.find(User.name == "Bob").one.or_raise()).tags == ["new"]


async def test_instances_act_through_the_active_driver(shop):
    assert active_driver.get() is shop.db
    user = await shop.User.fetch(shop.User.name == "Bob").one.or_raise()
    user.age = 44
    await user.save()
    assert await shop.User.count(shop.User.age == 44).or_raise() == 1
    await shop.db.find(shop.User.name == "Bob").update(age=45).or_raise()
    with use_driver(shop.db.driver):
        await user.reload()
        assert user.age == 45
        await user.delete()
    assert await shop.User.count(shop.User.name == "Bob").or_raise() == 0


async def test_aggregates_and_groups(shop):
    Post, db = shop.Post, shop.db
    assert await db.find(shop.User).aggregate(count(), shop.User.age.sum()).or_raise() == (3, 48)
    groups = db.find(Post).group_by(Post.user_id).select(Post.user_id, count()).order_by(Post.user_id)
    assert await groups.all.or_raise() == [(None, 1), (shop.ada.id, 2)]


async def test_relations_in_every_direction(shop):
    User, Post, db = shop.User, shop.Post, shop.db
    post = await db.find(Post.title == "one").one.or_raise()
    assert (await post.user).name == "Ada" and await post.user.value == shop.ada
    user = await db.find(User.name == "Ada").one.or_raise()
    assert sorted(post.title for post in await user.posts) == ["one", "two"]
    assert [group.name for group in await user.groups] == ["red"]
    loaded = await db.find(User).with_(User.posts.with_(Post.user), User.groups).sort(User.id).or_raise()
    assert all(user.posts.is_loaded and user.groups.is_loaded for user in loaded)
    assert [len(await user.posts) for user in loaded] == [2, 0, 0]
    assert loaded == [shop.ada, shop.bob, shop.cid]
    assert (await (await db.find(Post.title == "lost").one.or_raise()).user) is None
    added = Post(title="three", user_id=user.id)
    await db.add(added).or_raise()
    assert (await added.user).name == "Ada"
    await user.posts.refresh()
    assert len(await user.posts) == 3
    assert await user.posts.get([]) == await user.posts.or_use([]) == (await user.posts.get_result()).result


async def test_transactions(shop):
    User, db = shop.User, shop.db
    if not db.capabilities["transaction.transactions"]:
        pytest.skip("the driver has no transactions")
    async with db.transaction() as tx:
        await tx.add(User(name="Dee", tags=[])).or_raise()
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as tx:
            await tx.find(User).delete.or_raise()
            1 / 0  # noqa: B018
    assert await names(shop) == ["Ada", "Bob", "Cid", "Dee"]


async def test_drivers_by_themselves(shop):
    User, driver = shop.User, shop.db.driver
    (eve,) = await driver.add([User(name="Eve", tags=[])])
    assert eve.id and await driver.count(User.name == "Eve") == 1
    assert await driver.update(User.name == "Eve", {"age": 9}) == 1
    assert [user.age for user in await driver.fetch(when(User.name == "Eve")).get()] == [9]
    assert (await driver.fetch(when(User).sort(User.id)).one()).name == "Ada"
    assert [user.name async for user in driver.fetch(when(User).sort(User.id))][:1] == ["Ada"]
    assert await driver.delete(User.name == "Eve") == 1
    await driver.delete_schema(shop.collection)
    with pytest.raises(Exception, match="User"):
        await driver.fetch(when(User)).get()
    await driver.apply_schema(shop.collection)
    assert await driver.count(User) == 0


def test_classes_stay_the_users_own(kind):
    of = kinds.library(kind)
    assert of.Author.__name__ == "Author" and of.Author.__module__ == kinds.__name__
    assert of.Author.__ommi__.model_name == "Author" and of.Author.__ommi__.collection is of.collection
    assert of.Book.__ommi__.fields["author_id"].matches(ReferenceTo)
    assert of.Author in of.collection.models
