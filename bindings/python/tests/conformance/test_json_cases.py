import pytest

from models import Document, passing, still, stored
from ommi import QueryError, count


async def test_equality_is_structural(db):
    values = [{"a": [1, {"b": None}]}, {"a": [1, {"b": 0}]}, {"a": [{"b": None}, 1]}]
    assert await passing(db, Document, "data", values, Document.data == {"a": [1, {"b": None}]}) == values[:1]


async def test_numbers_are_equal_by_value(db):
    values = [{"n": 1}, {"n": 1.0}, {"n": 1.5}]
    assert await passing(db, Document, "data", values, Document.data == {"n": 1}) == values[:2]


async def test_the_order_of_members_does_not_count_and_that_of_elements_does(db):
    values = [{"a": 1, "b": 2}, {"b": 2, "a": 1}]
    await stored(db, Document, "data", [*values, {"l": [1, 2]}, {"l": [2, 1]}])
    assert await still(db, Document, "id", Document.data == values[0]) == [1, 2]
    assert await still(db, Document, "id", Document.data == {"l": [1, 2]}) == [3]


async def test_a_path_reads_text(db):
    values = [{"a": {"b": "x"}}, {"a": {"b": "y"}}, {"a": "x"}]
    assert await passing(db, Document, "data", values, Document.data["a"]["b"].as_text() == "x") == values[:1]


async def test_a_path_reads_integers_however_they_are_written(db):
    values = [{"n": 3}, {"n": 3.0}, {"n": "3"}, {"n": 4}]
    assert await passing(db, Document, "data", values, Document.data["n"].as_int() == 3) == values[:2]


async def test_a_path_reads_floats_and_booleans(db):
    values = [{"n": 2.5}, {"n": True}, {"n": 1}]
    await stored(db, Document, "data", values)
    assert await still(db, Document, "data", Document.data["n"].as_float() > 2) == values[:1]
    assert await still(db, Document, "data", Document.data["n"].as_bool() == True) == values[1:2]  # noqa: E712


async def test_a_missing_path_is_null(db):
    values = [{"a": 1}, {"b": 1}, None]
    assert await passing(db, Document, "data", values, Document.data["a"].as_int().is_null()) == values[1:]


async def test_a_value_of_another_type_is_null(db):
    values = [{"a": "text"}, {"a": 1}]
    assert await passing(db, Document, "data", values, Document.data["a"].as_int().is_null()) == values[:1]


async def test_a_path_goes_through_arrays_by_index(db):
    values = [{"l": [1, {"x": "a"}]}, {"l": [{"x": "a"}, 1]}]
    assert await passing(db, Document, "data", values, Document.data["l"][1]["x"].as_text() == "a") == values[:1]


async def test_a_key_of_a_path_is_plain_text(db):
    values = [{"a.b": 1}, {"a": {"b": 1}}, {"$a": 2}, {'"': 3}]
    await stored(db, Document, "data", values)
    assert await still(db, Document, "data", Document.data["a.b"].as_int() == 1) == values[:1]
    assert await still(db, Document, "data", Document.data["$a"].as_int() == 2) == values[2:3]
    assert await still(db, Document, "data", Document.data['"'].as_int() == 3) == values[3:]


async def test_in_compares_documents_by_structure(db):
    values = [{"a": 1}, {"a": 2}, {"a": [1]}]
    assert await passing(db, Document, "data", values, Document.data.in_([{"a": 1.0}, {"a": [1]}])) == [
        values[0],
        values[2],
    ]


async def test_rows_are_ordered_by_a_path(db):
    await stored(db, Document, "data", [{"n": 2}, {"n": 1}, {}])
    rows = await db.find(Document).sort(Document.data["n"].as_int()).or_raise()
    assert [row.id for row in rows] == [3, 2, 1]


async def test_rows_are_grouped_by_a_path(db):
    await stored(db, Document, "data", [{"n": 2}, {"n": 1}, {"n": 2}])
    n = Document.data["n"].as_int()
    assert await db.find(Document).group_by(n).select(n, count()).order_by(n).all.or_raise() == [(1, 1), (2, 2)]


async def test_a_document_is_replaced_by_an_update(db):
    await stored(db, Document, "data", [{"a": 1}])
    await db.find(Document).update(data={"b": [None, 2]}).or_raise()
    assert await still(db, Document, "data", Document) == [{"b": [None, 2]}]


async def test_a_nul_character_in_a_document_is_refused(db):
    with pytest.raises(QueryError):
        await db.add(Document({"a": "x\0"})).or_raise()


async def test_large_integers_in_documents_stay_exact(db):
    values = [{"n": 2**53 + 1}, {"n": 2**63 - 1}, {"n": -(2**63)}]
    assert await passing(db, Document, "data", values, Document) == values


async def test_documents_compare_with_each_other(db):
    await db.add(Document({"a": 1}, {"a": 1.0}), Document({"a": 1}, {"a": 2})).or_raise()
    assert await still(db, Document, "id", Document.data == Document.anything) == [1]
