"""What the README, the quick start and the documentation of 0.2.2 show, as programs: where they are right
about 0.2.2's code they run as they did.

They are not right, and have no program here, about: `from_config`, `fetch()`, `set`, `schema()`,
`raise_on_errors`, `value_or` and `DatabaseResult` (the README's, of an older version), `to_list`,
`ModelCollection.setup_on` and `remove_from`, and that `add(..).or_raise()` gives one instance.
"""

from dataclasses import dataclass
from typing import Annotated, Optional

import attrs
import pydantic
import pytest

from ommi import Auto, Key, Ommi, ReferenceTo, StoreAs, ommi_model
from ommi.database import DBResult as DatabaseResult
from ommi.database.query_results import DBQueryResult
from ommi.database.results import DBResult, DBStatusNoResultException
from ommi.models.collections import ModelCollection, get_global_collection
from ommi.models.query_fields import AssociateUsing, LazyLoadEveryRelated, LazyLoadTheRelated
from ommi.query_ast import when


@pytest.fixture
async def blog(url):
    """The complete example of the quick start."""
    collection = ModelCollection()

    @ommi_model(collection=collection)
    @dataclass
    class User:
        name: str
        age: int
        id: Annotated[int, Key] = None

    @ommi_model(collection=collection)
    @dataclass
    class Post:
        title: str
        content: str
        author_id: Annotated[int, ReferenceTo(User.id)]
        author: LazyLoadTheRelated[User]
        id: Annotated[int, Key] = None

    async with Ommi(url) as db:
        await db.use_models(collection)
        db.User, db.Post, db.collection = User, Post, collection
        yield db


async def test_the_complete_example(blog):
    user = blog.User(name="Alice", age=30)
    await blog.add(user)
    post = blog.Post(title="My First Post", content="Hello", author_id=user.id)
    await blog.add(post)
    post = await blog.find(blog.Post.title == "My First Post").one.or_use(None)
    assert (await post.author).name == "Alice"


@pytest.mark.parametrize("library", ["dataclass", "pydantic", "attrs"])
async def test_models_of_each_library_are_added_and_found(url, library):
    collection = ModelCollection()
    fields = {"name": str, "email": str, "age": int, "id": Annotated[int, Key]}
    body = {"__annotations__": fields, "id": None, "__module__": __name__}
    if library == "pydantic":
        User = type(pydantic.BaseModel)("User", (pydantic.BaseModel,), body)
    else:
        User = {"dataclass": dataclass, "attrs": attrs.define}[library](type("User", (), body))
    User = ommi_model(collection=collection)(User)
    async with Ommi(url) as db:
        user = User(name="Alice", email="alice@example.com", age=30)
        await db.add(user).or_raise()
        assert user.id is not None
        found = await db.find(User.email == "alice@example.com").one().or_raise()
        assert found == user


async def test_collections_are_set_up_when_that_is_said(url):
    users, posts = ModelCollection(), ModelCollection()

    @ommi_model(collection=users)
    @dataclass
    class User:
        name: str
        id: Annotated[int, Key] = None

    @ommi_model(collection=posts)
    @dataclass
    class Post:
        title: str
        id: Annotated[int, Key] = None

    async with Ommi(url, allow_imlicit_model_setup=False) as db:
        await db.use_models(users)
        await db.add(User(name="Alice")).or_raise()
        await db.use_models(posts)
        await db.add(Post(title="x")).or_raise()
        assert await db.find(User).count.or_raise() == await db.find(Post).count.or_raise() == 1
        await db.remove_models(posts)
        await db.remove_models(users)


async def test_a_model_without_a_collection_is_in_the_global_one(url):
    @ommi_model()
    @dataclass
    class LogEntryOfTheGlobalCollection:
        message: str
        log_id: Annotated[int, Key | Auto] = None

    collection = get_global_collection()
    try:
        assert LogEntryOfTheGlobalCollection in collection.models
        async with Ommi(url) as db:
            await db.add(LogEntryOfTheGlobalCollection(message="started")).or_raise()
            assert await db.find(LogEntryOfTheGlobalCollection).count.or_raise() == 1
    finally:
        collection._by_name.pop("LogEntryOfTheGlobalCollection")


async def test_results_are_matched(blog):
    User = blog.User
    match await blog.add(User(name="Alice", age=30)):
        case DBResult.DBSuccess(added):
            assert added[0].name == "Alice" and added[0].id is not None
        case DBResult.DBFailure(error):
            pytest.fail(str(error))
    match await blog.find(User.name == "Alice").one():
        case DBQueryResult.DBQuerySuccess(user):
            assert user.age == 30
        case DBQueryResult.DBQueryFailure(error):
            pytest.fail(str(error))
    match await blog.find(User.name == "Nobody").one():
        case DBQueryResult.DBQueryFailure(DBStatusNoResultException()):
            pass
        case other:
            pytest.fail(str(other))
    match await blog.find(User.name == "Alice").one:
        case DatabaseResult.DBSuccess(user):
            assert user.name == "Alice"
        case other:
            pytest.fail(str(other))


async def test_a_key_that_is_there_is_a_failure(blog):
    assert isinstance(await blog.add(blog.User(name="Bob", age=1, id=2)), DBResult.DBSuccess)
    assert isinstance(await blog.add(blog.User(name="Bobby", age=1, id=2)), DBResult.DBFailure)


async def test_defaults_take_the_place_of_failures(blog):
    User = blog.User
    nobody = User(name="Default", age=0, id=-1)
    assert (await blog.find(User.id == 4).one).result_or(nobody) is nobody
    assert await blog.find(User.id == 999).one.or_use(None) is None
    assert await blog.find(User.id == 999).one().or_use(None) is None
    assert await blog.find(User.age > 100).all().or_use([]) == []
    assert await blog.find(User.age > 30).count.or_use(0) == 0
    assert (await blog.find(User).count()).result_or(7) == 0
    with pytest.raises(DBStatusNoResultException):
        await blog.find(User.id == 4).one().or_raise()


async def test_rows_are_iterated(blog):
    User = blog.User
    await blog.add(*[User(name=name, age=age) for name, age in (("Bob", 25), ("Cid", 35), ("Dee", 12))]).or_raise()
    assert {user.name async for user in await blog.find(User.age >= 18).all().or_raise()} == {"Bob", "Cid"}
    assert {user.name async for user in await blog.find(User.age >= 18).or_raise()} == {"Bob", "Cid"}
    match await blog.find(User).all():
        case DBQueryResult.DBQuerySuccess(users):
            assert len([user async for user in users]) == 3
        case other:
            pytest.fail(str(other))


async def test_rows_are_updated_and_deleted(blog):
    User = blog.User
    await blog.add(User(name="Alice", age=30), User(name="Tim", age=9)).or_raise()
    await blog.find(User.name == "Alice").update(age=31)
    await blog.find(User.age < 18).update({"name": "minor"})
    assert await blog.find(User.name == "minor", User.age == 9).count.or_raise() == 1
    await blog.find(User.age < 13).delete()
    assert [user.age for user in await blog.find(User).or_raise()] == [31]


async def test_instances_are_saved_deleted_and_reloaded(blog):
    User = blog.User
    await blog.add(User(name="Alice", age=30)).or_raise()
    user = await blog.find(User.name == "Alice").one.or_use(None)
    user.age = 32
    await user.save()
    assert await blog.find(User.age == 32).count.or_raise() == 1
    await blog.find(User).update(age=33)
    await user.reload()
    assert user.age == 33
    await user.delete()
    assert await blog.find(User).count.or_raise() == 0


async def test_predicates_are_joined_by_and_and_or(blog):
    User = blog.User
    await blog.add(User(name="a", age=10), User(name="b", age=70), User(name="c", age=70)).or_raise()
    found = await blog.find(when(User.age < 18).Or(when(User.name == "b").And(User.age >= 65))).or_raise()
    assert sorted(user.name for user in found) == ["a", "b"]
    assert await blog.find(User.age >= 18, User.name == "c").count().or_raise() == 1


async def test_a_transaction_commits_at_its_end_and_rolls_back_where_asked(blog):
    if not blog.capabilities["transaction.transactions"]:
        pytest.skip("the driver has no transactions")
    User, Post = blog.User, blog.Post
    async with blog.transaction() as t:
        user = User(name="Alice", age=30)
        await t.add(user)
        await t.add(Post(title="My Post", content="Hello!", author_id=user.id))
    assert await blog.find(Post, User.name == "Alice").count.or_raise() == 1
    async with blog.transaction() as t:
        await t.add(User(name="Bob", age=25)).or_raise()
        await t.rollback()
    async with blog.transaction() as t:
        await t.add(User(name="Cid", age=25)).or_raise()
        await t.commit()
    with pytest.raises(ZeroDivisionError):
        async with blog.transaction() as t:
            await t.add(User(name="Dee", age=25)).or_raise()
            1 / 0  # noqa: B018
    assert sorted(user.name for user in await blog.find(User).or_raise()) == ["Alice", "Cid"]


async def test_lazy_fields_in_both_directions(url):
    collection = ModelCollection()

    @ommi_model(collection=collection)
    @dataclass
    class Article:
        id: int
        title: str
        comments: "LazyLoadEveryRelated[Comment]"

    @ommi_model(collection=collection)
    @dataclass
    class Comment:
        id: int
        text: str
        article_id: Annotated[int, ReferenceTo(Article)]
        article: "LazyLoadTheRelated[Article]"

    async with Ommi(url) as db:
        await db.add(
            Article(id=2, title="Query fields"),
            Comment(id=201, text="cool", article_id=2),
            Comment(id=202, text="useful", article_id=2),
            Comment(id=203, text="elsewhere", article_id=999),
        ).or_raise()
        article = await db.find(Article.id == 2).one.or_raise()
        assert sorted(comment.text for comment in await article.comments) == ["cool", "useful"]
        comment = await db.find(Comment.id == 201).one.or_raise()
        assert (await comment.article).title == "Query fields"
        assert (await comment.article.value).id == 2
        assert await comment.article.get(None) == article
        await comment.article.refresh()
        await comment.article.refresh_if_needed()
        assert (await comment.article.get_result()).result.id == 2


async def test_an_association_leads_to_many(url):
    collection = ModelCollection()

    @ommi_model(collection=collection)
    @dataclass
    class Post:
        id: int
        title: str
        tags: "LazyLoadEveryRelated[Annotated[Tag, AssociateUsing(PostTag)]]"

    @ommi_model(collection=collection)
    @dataclass
    class Tag:
        id: int
        name: str
        posts: "LazyLoadEveryRelated[Annotated[Post, AssociateUsing(PostTag)]]"

    @ommi_model(collection=collection)
    @dataclass
    class PostTag:
        post_id: Annotated[int, ReferenceTo(Post.id)]
        tag_id: Annotated[int, ReferenceTo(Tag.id)]
        created_at: Optional[str] = None
        id: Annotated[int, Key | Auto] = None

    async with Ommi(url) as db:
        tags = [Tag(id=101, name="ommi"), Tag(id=102, name="python"), Tag(id=103, name="guide")]
        await db.add(Post(id=1, title="a"), Post(id=2, title="b"), *tags).or_raise()
        links = [(1, 101), (1, 103), (2, 102), (2, 103)]
        await db.add(*[PostTag(post_id=post, tag_id=tag, created_at="2024") for post, tag in links]).or_raise()
        post = await db.find(Post.id == 1).one.or_raise()
        assert sorted(tag.name for tag in await post.tags) == ["guide", "ommi"]
        tag = await db.find(Tag.id == 103).one.or_raise()
        assert sorted(post.title for post in await tag.posts) == ["a", "b"]


async def test_names_are_stored_as_said(url):
    @ommi_model(collection=ModelCollection())
    @dataclass
    class Customer:
        customer_id: Annotated[int, Key]
        created_at: Annotated[str, StoreAs("registration_date")]

    assert Customer.__ommi__.fields["created_at"].get("store_as") == "registration_date"
    async with Ommi(url) as db:
        await db.add(Customer(customer_id=1, created_at="today")).or_raise()
        assert await db.find(Customer.created_at == "today").count.or_raise() == 1


async def test_drivers_are_connected_by_settings(tmp_path, request, session_name):
    import os
    from urllib.parse import urlsplit

    from ommi.ext.drivers.mongodb import MongoDBDriver, MongoDBSettings
    from ommi.ext.drivers.postgresql import PostgreSQLDriver, PostgreSQLSettings
    from ommi.ext.drivers.sqlite import SQLiteDriver, SQLiteSettings

    @ommi_model(collection=ModelCollection())
    @dataclass
    class Setting:
        name: Annotated[str, Key]

    drivers = [
        SQLiteDriver.connect(),
        SQLiteDriver.connect(SQLiteSettings(database=f"{tmp_path}/app.db", isolation_level="IMMEDIATE")),
        SQLiteDriver.connect({"database": f"{tmp_path}/other.db", "isolation_level": "DEFERRED"}),
    ]
    if "OMMI_POSTGRES_URL" in os.environ:
        parts = urlsplit(request.getfixturevalue("postgres_database"))
        drivers.append(
            PostgreSQLDriver.connect(
                PostgreSQLSettings(
                    host=parts.hostname,
                    port=parts.port,
                    database=parts.path.lstrip("/"),
                    user=parts.username,
                    password=parts.password,
                )
            )
        )
    if "OMMI_MONGODB_URL" in os.environ:
        parts = urlsplit(os.environ["OMMI_MONGODB_URL"])
        settings = MongoDBSettings(
            host=parts.hostname,
            port=parts.port,
            database_name=f"{session_name}_settings",
            timeout=20_000,
            connection_options={"retryWrites": True, "directConnection": True},
        )
        drivers.append(MongoDBDriver.connect(settings))
        drivers.append(
            MongoDBDriver.connect(
                {"connection_string": os.environ["OMMI_MONGODB_URL"], "database": f"{session_name}_more"}
            )
        )
    for driver in drivers:
        async with Ommi(driver) as db:
            await db.add(Setting("x")).or_raise()
            assert (await db.get(Setting, "x").or_raise()).name == "x"
            await db.remove_models(Setting.__ommi__.collection)
