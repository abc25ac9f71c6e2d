"""Drivers by themselves, and drivers that are written in Python."""

import sqlite3
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from ommi import (
    Auto,
    BaseDriver,
    BaseDriverTransaction,
    Key,
    ModelCollection,
    Ommi,
    auto,
    ommi_model,
    use_driver,
    when,
)
from ommi.driver_context import active_driver, get_current_driver
from ommi.drivers.exceptions import (
    DriverConnectFailed,
    IncompatibleSchemaEvolutionError,
    ModelInsertError,
    SchemaError,
)
from ommi.ext.drivers.mongodb import MongoDBDriver
from ommi.ext.drivers.postgresql import PostgreSQLDriver
from ommi.ext.drivers.sqlite import SQLiteDriver, SQLiteTransaction
from ommi.query_ast import (
    ASTComparisonNode,
    ASTGroupNode,
    ASTLiteralNode,
    ASTLogicalOperatorNode,
    ASTOperatorNode,
    ASTReferenceNode,
    ResultOrdering,
)
from ommi.results import DBStatusNoResultException

collection = ModelCollection()


@ommi_model(collection=collection)
@dataclass
class User:
    name: str
    age: int = 0
    id: Annotated[int, Key | Auto] = auto()


@pytest.mark.parametrize("as_dict", [True, False])
async def test_a_driver_by_itself(as_dict, tmp_path):
    path = str(tmp_path / "users.db")
    driver = SQLiteDriver.connect({"database": path, "isolation_level": "DEFERRED"} if as_dict else path)
    await driver.apply_schema(collection)
    users = [User("Ada", 36), User("Bob", 20)]
    assert await driver.add(users) == users and [user.id for user in users] == [1, 2]
    assert await driver.count(when(User)) == 2
    assert await driver.fetch(when(User).sort(User.name.desc)).get() == users[::-1]
    assert await driver.fetch(when(User.name == "Ada")).one() == users[0]
    assert [user.name async for user in driver.fetch(when(User).sort(User.id))] == ["Ada", "Bob"]
    assert await driver.fetch(when(User).sort(User.id))[0:1] == users[:1]
    assert await driver.fetch(when(User).sort(User.id))[1] == users[1]
    with pytest.raises(DBStatusNoResultException):
        await driver.fetch(when(User.name == "x")).one()
    await driver.update(when(User.name == "Bob"), {"age": 21})
    await driver.delete(when(User.age > 30))
    assert await driver.fetch(when(User)).get() == [User("Bob", 21, id=2)]
    async with driver.transaction() as transaction:
        assert isinstance(transaction, SQLiteTransaction)
        await transaction.add((User("Eve"),))
        assert await transaction.count(when(User)) == 2
    assert await driver.count(when(User)) == 2
    await driver.delete_schema(collection)
    with pytest.raises(SchemaError) as gone:
        await driver.fetch(when(User)).get()
    assert isinstance(gone.value, sqlite3.OperationalError)
    await driver.disconnect()


async def test_memory_and_defaults():
    for settings in (None, ":memory:", "sqlite::memory:", {}):
        async with SQLiteDriver.connect(settings) as driver:
            assert active_driver.get() is driver and get_current_driver() is driver
            await driver.apply_schema(collection)
            await driver.add([User("Ada")])
            assert await driver.count(when(User)) == 1
    with pytest.raises(RuntimeError, match="use_driver"):
        get_current_driver()
    assert get_current_driver(None) is None


async def test_settings_of_one_connection_do_not_leak(tmp_path):
    SQLiteDriver.connect({"database": str(tmp_path / "a.db")})
    async with SQLiteDriver.connect() as driver:
        await driver.apply_schema(collection)
        assert await driver.count(when(User)) == 0


async def test_a_file_that_cannot_be_opened_is_an_error_at_once(tmp_path):
    with pytest.raises(DriverConnectFailed, match="does not exist"):
        SQLiteDriver.connect(str(tmp_path / "nowhere" / "a.db"))


def test_servers_connect_at_their_first_use():
    assert isinstance(PostgreSQLDriver.connect({"host": "h", "port": 1, "database": "d", "user": "u"}), BaseDriver)
    assert isinstance(MongoDBDriver.connect({"connection_string": "mongodb://h:1", "database": "d"}), BaseDriver)


async def test_use_models_drops_nothing_and_refuses_what_does_not_fit(tmp_path):
    url = f"sqlite://{tmp_path}/a.db"
    async with Ommi(url) as db:
        await db.use_models(collection)
        await db.add(User("Ada")).or_raise()
        await db.use_models(collection)
        assert await db.find(User).count.or_raise() == 1
        await db.use_models(collection)
    changed = ModelCollection()

    @ommi_model(collection=changed)
    @dataclass
    class Other:
        name: int
        extra: str
        id: Annotated[int, Key | Auto] = auto()
        __ommi_model_name__ = "User"

    async with Ommi(url) as db:
        with pytest.raises(IncompatibleSchemaEvolutionError, match="extra"):
            await db.use_models(changed)
        assert await db.find(User).count.or_raise() == 1


async def test_removed_models_stay_removed(db):
    await db.add(User("Ada")).or_raise()
    await db.remove_models(collection)
    with pytest.raises(SchemaError):
        await db.find(User).or_raise()
    await db.use_models(collection)
    assert await db.find(User).count.or_raise() == 0


async def test_implicit_set_up_can_be_refused(tmp_path):
    async with Ommi(f"sqlite://{tmp_path}/a.db", allow_implicit_model_setup=False) as db:
        with pytest.raises(SchemaError):
            await db.find(User).or_raise()


async def test_errors_have_their_parts(db):
    @ommi_model(collection=ModelCollection())
    @dataclass
    class Named:
        name: Annotated[str, Key]

    await db.add(Named("a")).or_raise()
    with pytest.raises(ModelInsertError) as refused:
        await db.add(Named("a")).or_raise()
    error: Any = refused.value
    assert (error.kind, error.model, error.constraint, error.fields) == (
        "Constraint",
        "Named",
        "unique",
        ["name"],
    )
    assert error.operation == "add" and not error.is_retryable and "Named" in str(error)


async def test_model_methods_use_the_active_driver_or_the_one_given(db):
    with use_driver(db.driver):
        await db.use_models(collection)
        user = await User("Ada").save().or_raise()
        assert user.id == 1
    user.age = 40
    await user.save(db).or_raise()
    assert (await User.fetch(User.age == 40, driver=db).one.or_raise()) == user
    assert await User.count(name="Ada").or_raise() == 1
    await db.find(User).update(age=41)
    assert await (await user.reload()).result.reload() is not None and user.age == 41
    await user.delete().or_raise()
    assert await User.count().or_raise() == 0
    with pytest.raises(ValueError, match="has no field 'nothing'"):
        User.fetch(nothing=1)


class ListDriver(BaseDriver):
    """A driver in Python: rows are a list."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.applied: list[Any] = []

    @classmethod
    def connect(cls, settings: Any = None) -> "ListDriver":
        return cls()

    async def disconnect(self) -> None:
        self.rows = []

    def transaction(self) -> "ListTransaction":
        return ListTransaction(self)

    async def add(self, models: Any) -> Any:
        for model in models:
            model.id = len(self.rows) + 1
            self.rows.append(model)
        return models

    def _passing(self, predicate: ASTGroupNode) -> list[Any]:
        rows = [row for row in self.rows if passes(predicate, row)]
        for order in reversed(predicate.sorting):
            rows.sort(key=lambda row: getattr(row, order.name), reverse=order.ordering is ResultOrdering.DESCENDING)
        return rows if predicate.max_results < 0 else rows[: predicate.max_results]

    async def count(self, predicate: Any) -> int:
        return len(self._passing(predicate))

    async def delete(self, predicate: Any) -> None:
        gone = self._passing(predicate)
        self.rows = [row for row in self.rows if row not in gone]

    def fetch(self, predicate: Any) -> Any:
        rows = self._passing(predicate)

        class Fetched:
            async def get(self) -> list[Any]:
                return rows

            async def one(self) -> Any:
                return rows[0]

            async def __aiter__(self) -> Any:
                for row in rows:
                    yield row

        return Fetched()

    async def update(self, predicate: Any, values: dict[str, Any]) -> None:
        for row in self._passing(predicate):
            for name, value in values.items():
                setattr(row, name, value)

    async def apply_schema(self, model_collection: Any) -> None:
        self.applied.append(model_collection)

    async def delete_schema(self, model_collection: Any) -> None:
        self.rows = []


class ListTransaction(BaseDriverTransaction):
    def __init__(self, driver: ListDriver) -> None:
        self.driver = driver

    async def open(self) -> None:
        self.before = list(self.driver.rows)

    async def commit(self) -> None:
        pass

    async def rollback(self) -> None:
        self.driver.rows = self.before

    async def close(self) -> None:
        pass

    async def add(self, models: Any) -> Any:
        return await self.driver.add(models)

    async def count(self, predicate: Any) -> int:
        return await self.driver.count(predicate)

    async def delete(self, predicate: Any) -> None:
        await self.driver.delete(predicate)

    def fetch(self, predicate: Any) -> Any:
        return self.driver.fetch(predicate)

    async def update(self, predicate: Any, values: dict[str, Any]) -> None:
        await self.driver.update(predicate, values)

    async def apply_schema(self, model_collection: Any) -> None:
        await self.driver.apply_schema(model_collection)

    async def delete_schema(self, model_collection: Any) -> None:
        await self.driver.delete_schema(model_collection)


OPERATORS = {
    ASTOperatorNode.EQUALS: lambda a, b: a == b,
    ASTOperatorNode.GREATER_THAN: lambda a, b: a > b,
    ASTOperatorNode.LESS_THAN: lambda a, b: a < b,
}


def passes(node: Any, row: Any) -> bool:
    """What a driver makes of a predicate's parts."""
    match node:
        case ASTComparisonNode(ASTReferenceNode(field, model), ASTLiteralNode(value), operator):
            assert model is User
            return OPERATORS[operator](getattr(row, field.name), value)
        case ASTReferenceNode(None, model):
            return isinstance(row, model)
        case ASTGroupNode():
            answer, is_or = True, False
            for index, item in enumerate(node.items):
                if isinstance(item, ASTLogicalOperatorNode):
                    is_or = item is ASTLogicalOperatorNode.OR
                else:
                    passed = passes(item, row)
                    answer = passed if index == 0 else (answer or passed) if is_or else (answer and passed)
            return answer
    raise AssertionError(node)


async def test_a_driver_can_be_written_in_python():
    driver = ListDriver.connect()
    async with Ommi(driver) as db:
        assert db.driver is driver
        users = await db.add(User("Ada", 36), User("Bob", 20), User("Eve", 50)).or_raise()
        assert [user.id for user in users] == [1, 2, 3] and driver.applied == [collection]
        names = lambda rows: [row.name for row in rows]  # noqa: E731
        assert names(await db.find(User).sort(User.age.desc).or_raise()) == ["Eve", "Ada", "Bob"]
        assert names(await db.find(when(User.age > 30).And(User.name == "Ada")).all.or_raise()) == ["Ada"]
        assert names(await db.find((User.age < 30) | (User.age > 40)).or_raise()) == ["Bob", "Eve"]
        assert (await db.find(User.name == "Ada").one.or_raise()).age == 36
        assert await db.find(User.name == "x").one.or_use(None) is None
        assert (await db.find(User).count()).result == 3
        await db.find(User.name == "Ada").update(age=1)
        assert users[0].age == 1
        with pytest.raises(RuntimeError):
            async with db.transaction() as tx:
                await tx.find(User).delete()
                raise RuntimeError
        assert await db.find(User).count.or_raise() == 3
        await db.find(User.age > 30).delete().or_raise()
        assert await User.count().or_raise() == 2
        users[0].name = "Ida"
        await users[0].save()
        await users[1].delete()
        assert await User.count(name="Ida").or_raise() == 1


def test_predicates_show_their_parts():
    predicate = when(User, User.age > 3).Or(User.name == "x").sort(User.age.desc).limit(5, 2)
    assert predicate.max_results == 5 and predicate.results_page == 2
    assert [order.ordering for order in predicate.sorting] == [ResultOrdering.DESCENDING]
    assert predicate == when(User, User.age > 3).Or(User.name == "x").sort(User.age.desc).limit(5, 2)
    assert predicate != when(User.age > 3)
    assert when(User.age > 3) == when(User.age > 3)
    left, operator, right = User.age > 3
    assert (left.name, operator, right.value) == ("age", ASTOperatorNode.GREATER_THAN, 3)
    assert ASTGroupNode().items == [] and ASTGroupNode().max_results == -1
    assert "ASTComparisonNode" in repr(User.age > 3)
