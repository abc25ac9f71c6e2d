"""The blocking API, and the fixtures for tests."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from ommi import Auto, DBResult, Key, ModelCollection, auto, count, ommi_model
from ommi.errors import NotFound
from ommi.sync import Ommi, run
from ommi.testing import count_statements

collection = ModelCollection()


@ommi_model(collection=collection)
@dataclass
class Row:
    text: str
    id: Annotated[int, Key | Auto] = auto()


@pytest.fixture(params=["sqlite", "memory"])
def db(request, tmp_path):
    url = f"sqlite://{tmp_path}/a.db" if request.param == "sqlite" else "memory:"
    with Ommi(url) as db:
        yield db


def test_everything_blocks(db):
    added = db.add(Row("a"), Row("b"), Row("c"))
    assert [row.id for row in added.or_raise()] == [1, 2, 3]
    assert [row.text for row in db.find(Row).sort(Row.id.desc).all.or_raise()] == ["c", "b", "a"]
    match db.find(Row.id == 2).one():
        case DBResult.DBSuccess(row):
            assert row.text == "b"
    assert db.find(Row).count().or_raise() == db.find(Row).count.or_raise() == 3
    assert db.find(Row.id == 9).one.or_use(None) is None
    with pytest.raises(NotFound):
        db.find(Row.id == 9).one().or_raise()
    assert db.find(Row.id == 1).update(text="x").or_raise() == 1
    assert db.get(Row, 1).or_raise().text == "x"
    assert db.find(Row).aggregate(count()).or_raise() == (3,)
    assert [row.id for row in db.find(Row).sort(Row.id).stream(batch=2)] == [1, 2, 3]
    assert len(list(db.find(Row))) == 3
    row = db.save(Row("d")).or_raise()
    row.text = "e"
    db.save(row)
    assert db.reload(row).or_raise().text == "e"
    db.delete(row).or_raise()
    assert db.find(Row).delete().or_raise() == 3


def test_transactions_block(db):
    db.use_models(collection)
    with pytest.raises(ValueError), db.transaction() as tx:
        tx.add(Row("a")).or_raise()
        raise ValueError
    assert db.find(Row).count.or_raise() == 0
    with db.transaction() as tx:
        tx.add(Row("a")).or_raise()
        with tx.transaction() as inner:
            inner.add(Row("b")).or_raise()
            inner.rollback()
    assert db.find(Row).count.or_raise() == 1


def test_run_waits_for_operations(db):
    import ommi

    asynchronous = ommi.Ommi("memory:")
    assert run(asynchronous.add(Row("a")).or_raise())[0].id == 1


async def test_the_fixture_is_an_empty_database(ommi_db):
    assert await ommi_db.find(Row).count.or_raise() == 0
    await ommi_db.add(Row("a")).or_raise()


async def test_nothing_of_another_test_is_left(ommi_db):
    await ommi_db.use_models(collection)
    with count_statements(ommi_db) as statements:
        assert await ommi_db.find(Row).count.or_raise() == 0
        assert await ommi_db.find(Row).or_raise() == []
    assert statements.count == 2


async def test_server_databases_are_one_transaction(ommi_server_db):
    assert ommi_server_db._database.is_transaction
