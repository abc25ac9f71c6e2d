from typing import Annotated, Optional

import pytest

from models import Amount, Number, Text, model, still, stored
from ommi import Auto, ConstraintError, Key, NotFound, OmmiError, QueryError, Unique, auto


@model
class Page:
    url: Annotated[str, Unique()]
    site: Annotated[Optional[str], Unique("place")] = None
    path: Annotated[Optional[str], Unique("place")] = None
    hits: int = 0
    id: Annotated[int, Key | Auto] = auto()


async def test_add_gives_the_row_back(db):
    row = Number(1)
    (given,) = await db.add(row).or_raise()
    assert given is row and row.id == 1


async def test_add_all_keeps_the_order_of_the_rows(db):
    rows = [Number(n) for n in (3, 1, 2)]
    assert await db.add(*rows).or_raise() == rows


async def test_add_all_of_nothing_does_nothing(db):
    assert await db.add().or_raise() == []


async def test_a_batch_is_added_whole_or_not_at_all(transactional):
    with pytest.raises(ConstraintError):
        await transactional.add(Page("/a"), Page("/b"), Page("/a")).or_raise()
    assert await transactional.find(Page).count.or_raise() == 0


async def test_a_refused_row_leaves_the_table_usable(db):
    await db.add(Page("/a")).or_raise()
    with pytest.raises(ConstraintError):
        await db.add(Page("/a")).or_raise()
    await db.add(Page("/b")).or_raise()
    assert await db.find(Page).count.or_raise() == 2


async def test_update_says_how_many_rows_matched(db):
    await stored(db, Number, "n", [1, 1, 2])
    assert await db.find(Number.n == 1).update(m=7).or_raise() == 2


async def test_update_counts_rows_that_stay_the_same(db):
    await stored(db, Number, "n", [1, 1])
    assert await db.find(Number).update(n=1).or_raise() == 2


async def test_update_sees_the_old_values_on_the_right(db):
    await db.add(Number(1, 2)).or_raise()
    await db.find(Number).update({"n": Number.m, "m": Number.n}).or_raise()
    row = await db.find(Number).one.or_raise()
    assert (row.n, row.m) == (2, 1)


async def test_update_sets_several_fields_and_leaves_the_others(db):
    await db.add(Text("a", "b")).or_raise()
    await db.find(Text).update(text="c").or_raise()
    row = await db.find(Text).one.or_raise()
    assert (row.text, row.other) == ("c", "b")


async def test_update_takes_another_field(db):
    await db.add(Text("a", "b")).or_raise()
    await db.find(Text).update(text=Text.other).or_raise()
    assert await still(db, Text, "text", Text) == ["b"]


async def test_update_of_no_rows_is_zero(db):
    assert await db.find(Number.n == 1).update(n=2).or_raise() == 0


async def test_update_by_any_filter(db):
    await stored(db, Text, "text", ["Ab", "cd", None])
    assert await db.find(Text.text.icontains("AB") | Text.text.is_null()).update(other="x").or_raise() == 2


async def test_update_with_an_order_or_a_limit_is_refused(db):
    await stored(db, Number, "n", [1])
    with pytest.raises(QueryError):
        await db.find(Number).limit(1).update(n=2).or_raise()
    with pytest.raises(QueryError):
        await db.find(Number).sort(Number.n).update(n=2).or_raise()


async def test_delete_says_how_many_rows_there_were(db):
    await stored(db, Number, "n", [1, 1, 2])
    assert await db.find(Number.n == 1).delete.or_raise() == 2
    assert await db.find(Number.n == 1).delete.or_raise() == 0


async def test_delete_by_any_filter(db):
    await stored(db, Text, "text", ["Ab", "cd", None])
    assert await db.find(Text.text.ieq("aB") | Text.text.is_null()).delete.or_raise() == 2
    assert await still(db, Text, "text", Text) == ["cd"]


async def test_delete_with_a_limit_is_refused(db):
    with pytest.raises(QueryError):
        await db.find(Number).limit(1).delete.or_raise()


async def test_save_inserts_an_unassigned_row_and_updates_it_after(db):
    row = Number(1)
    await db.save(row).or_raise()
    assert row.id == 1
    row.n = 2
    await db.save(row).or_raise()
    assert await still(db, Number, "n", Number) == [2]


async def test_save_with_a_given_key_inserts_or_updates(db):
    await db.save(Number(1, id=9)).or_raise()
    await db.save(Number(2, id=9)).or_raise()
    assert await still(db, Number, "n", Number) == [2]


async def test_reload_reads_all_fields_anew(db):
    (row,) = await db.add(Number(1, 1)).or_raise()
    await db.find(Number).update(n=5, m=6).or_raise()
    await db.reload(row).or_raise()
    assert (row.n, row.m) == (5, 6)


async def test_reload_of_a_deleted_row_is_not_found(db):
    (row,) = await db.add(Number(1)).or_raise()
    await db.find(Number).delete.or_raise()
    with pytest.raises(NotFound):
        await db.reload(row).or_raise()


async def test_delete_of_an_instance_deletes_its_row_alone(db):
    rows = await db.add(Number(1), Number(1)).or_raise()
    await db.delete(rows[0]).or_raise()
    assert await still(db, Number, "id", Number) == [rows[1].id]


async def test_delete_of_an_absent_instance_is_not_found(db):
    await db.use_models(Number.__ommi__.collection)
    with pytest.raises(NotFound):
        await db.delete(Number(1, id=3)).or_raise()


async def test_an_instance_without_a_key_is_refused(db):
    await db.use_models(Number.__ommi__.collection)
    for refused in (db.delete(Number(1)), db.reload(Number(1))):
        with pytest.raises(OmmiError):
            await refused.or_raise()


async def test_a_write_is_seen_by_the_next_read(db):
    for n in range(10):
        await db.add(Number(n)).or_raise()
        assert await db.find(Number).count.or_raise() == n + 1


async def test_upsert_inserts_a_row_that_is_absent(db):
    await db.upsert(Number(1, id=5)).or_raise()
    assert await still(db, Number, "n", Number) == [1]


async def test_upsert_updates_all_fields_of_a_row_that_is_there(db):
    await db.add(Number(1, 1, id=5)).or_raise()
    await db.upsert(Number(2, None, id=5)).or_raise()
    row = await db.get(Number, 5).or_raise()
    assert (row.n, row.m) == (2, None)


async def test_upsert_all_inserts_and_updates(db):
    await db.add(Number(1, id=1)).or_raise()
    await db.upsert(Number(5, id=1), Number(6, id=2)).or_raise()
    assert await still(db, Number, "n", Number) == [5, 6]


async def test_do_nothing_leaves_the_row_that_is_there(db):
    await db.add(Number(1, id=1)).or_raise()
    await db.upsert(Number(5, id=1), Number(6, id=2), ignore=True).or_raise()
    assert await still(db, Number, "n", Number) == [1, 6]


async def test_named_fields_alone_are_updated(db):
    await db.add(Number(1, 1, id=1)).or_raise()
    await db.upsert(Number(5, 5, id=1), update=["m"]).or_raise()
    row = await db.get(Number, 1).or_raise()
    assert (row.n, row.m) == (1, 5)


async def test_upsert_finds_by_a_unique_group(db):
    await db.add(Page("/a", hits=1)).or_raise()
    await db.upsert(Page("/a", hits=2), on=[Page.url]).or_raise()
    assert await still(db, Page, "hits", Page) == [2]


async def test_upsert_finds_by_a_group_of_several_fields(db):
    await db.add(Page("/a", "s", "p", 1)).or_raise()
    await db.upsert(Page("/b", "s", "p", 2), on=["site", "path"]).or_raise()
    row = await db.find(Page).one.or_raise()
    assert (row.url, row.hits) == ("/b", 2)


async def test_upsert_on_fields_that_are_not_unique_is_refused(db):
    with pytest.raises(QueryError):
        await db.upsert(Page("/a"), on=["hits"]).or_raise()


async def test_a_conflict_on_another_unique_group_is_a_constraint_error(db):
    await db.add(Page("/a", "s", "p"), Page("/b")).or_raise()
    with pytest.raises(ConstraintError):
        await db.upsert(Page("/b", "s", "p"), on=["url"]).or_raise()


async def test_a_null_in_the_group_never_conflicts(db):
    await db.add(Page("/a", None, "p")).or_raise()
    await db.upsert(Page("/b", None, "p"), on=["site", "path"]).or_raise()
    assert await db.find(Page).count.or_raise() == 2


async def test_thousands_of_rows_are_upserted(db):
    await db.add(*[Number(n, id=n) for n in range(1, 1_001)]).or_raise()
    await db.upsert(*[Number(n * 2, id=n) for n in range(500, 2_001)]).or_raise()
    assert await db.find(Number).count.or_raise() == 2_000
    assert (await db.get(Number, 2_000).or_raise()).n == 4_000
    assert (await db.get(Number, 499).or_raise()).n == 499


async def test_a_unique_field_refuses_an_equal_value(db):
    await db.add(Page("/a")).or_raise()
    with pytest.raises(ConstraintError):
        await db.add(Page("/a")).or_raise()


async def test_a_unique_violation_names_its_kind_its_model_and_its_fields(db):
    await db.add(Page("/a", "s", "p")).or_raise()
    with pytest.raises(ConstraintError) as error:
        await db.add(Page("/b", "s", "p")).or_raise()
    raised = error.value
    assert (raised.constraint, raised.model, sorted(raised.fields)) == ("unique", "Page", ["path", "site"])


async def test_a_unique_group_refuses_the_same_values_together(db):
    await db.add(Page("/a", "s", "p"), Page("/b", "s", "q"), Page("/c", "t", "p")).or_raise()
    with pytest.raises(ConstraintError):
        await db.add(Page("/d", "t", "p")).or_raise()


async def test_unique_values_are_compared_exactly(db):
    await db.add(Page("/a"), Page("/A"), Page("/a ")).or_raise()
    assert await db.find(Page).count.or_raise() == 3


async def test_rows_with_null_in_a_unique_group_never_collide(db):
    await db.add(Page("/a", None, "p"), Page("/b", None, "p"), Page("/c"), Page("/d")).or_raise()
    assert await db.find(Page).count.or_raise() == 4


async def test_an_update_that_would_collide_is_refused(db):
    await db.add(Page("/a"), Page("/b")).or_raise()
    with pytest.raises(ConstraintError):
        await db.find(Page.url == "/b").update(url="/a").or_raise()
    assert await still(db, Page, "url", Page) == ["/a", "/b"]


async def test_a_unique_value_is_free_again_after_its_row_is_gone(db):
    await db.add(Page("/a")).or_raise()
    await db.find(Page).delete.or_raise()
    await db.add(Page("/a")).or_raise()


async def test_a_decimal_that_does_not_fit_its_size_is_refused(db):
    from decimal import Decimal

    for wrong in ("1.234", "123456789.00"):
        with pytest.raises(OmmiError):
            await db.add(Amount(sized=Decimal(wrong))).or_raise()
    assert await db.find(Amount).count.or_raise() == 0


async def test_an_update_to_what_does_not_fit_is_refused(db):
    from decimal import Decimal

    await stored(db, Amount, "sized", [Decimal("1.00")])
    with pytest.raises(OmmiError):
        await db.find(Amount).update(sized=Decimal("1.234")).or_raise()
