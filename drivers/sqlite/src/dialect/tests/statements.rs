use std::sync::Arc;

use ommi_core::model::{FieldDef, ModelBuilder};
use ommi_core::query::statement::{
    DeleteStatement, InsertStatement, OnConflict, SelectStatement, Statement, UpdateStatement,
};
use ommi_core::query::{AggregateFunction, ArithmeticOperator, Comparison, Condition, Direction, Expr, Nulls, OrderBy};
use ommi_core::value::{Datum, ValueType};
use ommi_sql::{Slot, render_insert};

use super::library::*;
use crate::dialect::SQLITE;

fn select(statement: SelectStatement, parameters: &[ValueType]) -> String {
    sql(&Statement::Select(statement), parameters).text
}

fn aggregate(function: AggregateFunction, of: &str) -> Expr {
    Expr::Aggregate { function, of: Some(Box::new(f(of))), distinct: false }
}

fn order(expr: Expr, direction: Direction, nulls: Option<Nulls>) -> OrderBy {
    OrderBy { expr, direction, nulls }
}

#[test]
fn a_lookup_by_key_reads_all_columns() {
    let statement = SelectStatement::new(author(), eq(Expr::Field(0), p(0)));
    let rendered = sql(&Statement::Select(statement), &[ValueType::I64]);
    assert_eq!(rendered.text, r#"SELECT "id", "name", "born" FROM "Author" WHERE "id" = ?1"#);
    assert_eq!(rendered.parameters, [Slot::Value(0)]);
}

#[test]
fn all_rows_need_no_condition() {
    assert_eq!(
        select(SelectStatement::new(author(), Condition::Const(true)), &[]),
        r#"SELECT "id", "name", "born" FROM "Author""#
    );
    assert_eq!(select(titles(Condition::Const(false)), &[]), r#"SELECT "title" FROM "Book" WHERE FALSE"#);
    let nothing = Condition::And(vec![Condition::Or(vec![]), is_null(f("pages"))]);
    assert_eq!(select(titles(nothing), &[]), r#"SELECT "title" FROM "Book" WHERE FALSE"#);
}

#[test]
fn names_with_quotes_spaces_and_keywords_stay_names() {
    let model = ModelBuilder::new("Order")
        .table("the \"order\"")
        .field(FieldDef::new("id", ValueType::I64).stored_as("select"))
        .field(FieldDef::new("what", ValueType::Text).stored_as("a\"; DROP TABLE x; --"))
        .key(["id"])
        .build()
        .unwrap();
    assert_eq!(
        select(SelectStatement::new(model, eq(Expr::Field(0), p(0))), &[ValueType::I64]),
        r#"SELECT "select", "a""; DROP TABLE x; --" FROM "the ""order""" WHERE "select" = ?1"#
    );
}

#[test]
fn a_schema_stands_before_the_table() {
    let model = ModelBuilder::new("User")
        .table("side.user")
        .field(FieldDef::new("id", ValueType::I64))
        .key(["id"])
        .build()
        .unwrap();
    assert_eq!(select(SelectStatement::new(model, Condition::Const(true)), &[]), r#"SELECT "id" FROM "side"."user""#);
}

#[test]
fn order_limit_and_offset_follow_the_condition() {
    let statement = SelectStatement {
        order_by: vec![
            order(f("price"), Direction::Descending, None),
            order(f("title"), Direction::Ascending, Some(Nulls::Last)),
            order(f("pages"), Direction::Ascending, Some(Nulls::Last)),
            order(f("weight"), Direction::Descending, Some(Nulls::First)),
            order(f("weight"), Direction::Descending, Some(Nulls::Last)),
        ],
        limit: Some(p(1)),
        offset: Some(p(2)),
        ..titles(lt(f("pages"), p(0)))
    };
    // `title` is never null, and nulls are lowest by themselves
    assert_eq!(
        select(statement, &[ValueType::I32, ValueType::I64, ValueType::I64]),
        "SELECT \"title\" FROM \"Book\" WHERE \"pages\" < ?1 ORDER BY \"price\" COLLATE OMMI_DECIMAL DESC, \"title\", \
         \"pages\" NULLS LAST, \"weight\" DESC NULLS FIRST, \"weight\" DESC LIMIT ?2 OFFSET ?3"
    );
    let statement = SelectStatement { offset: Some(p(0)), ..titles(Condition::Const(true)) };
    assert_eq!(select(statement, &[ValueType::I64]), r#"SELECT "title" FROM "Book" LIMIT -1 OFFSET ?1"#);
}

#[test]
fn groups_have_aggregates_of_their_types() {
    let statement = SelectStatement {
        output: vec![
            f("author_id"),
            Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false },
            Expr::Aggregate { function: AggregateFunction::Count, of: Some(Box::new(f("genre"))), distinct: true },
            aggregate(AggregateFunction::Sum, "pages"),
            aggregate(AggregateFunction::Sum, "sold"),
            aggregate(AggregateFunction::Avg, "pages"),
            aggregate(AggregateFunction::Sum, "price"),
            aggregate(AggregateFunction::Avg, "price"),
            aggregate(AggregateFunction::Sum, "weight"),
            aggregate(AggregateFunction::Avg, "weight"),
            aggregate(AggregateFunction::Min, "price"),
            aggregate(AggregateFunction::Max, "title"),
        ],
        group_by: vec![f("author_id")],
        having: compare(
            Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false },
            Comparison::Gt,
            p(0),
        ),
        order_by: vec![order(aggregate(AggregateFunction::Avg, "price"), Direction::Descending, None)],
        ..SelectStatement::new(book(), Condition::Const(true))
    };
    assert_eq!(
        select(statement, &[ValueType::I64]),
        "SELECT \"author_id\", COUNT(*), COUNT(DISTINCT \"genre\"), SUM(\"pages\"), ommi_sum_int(\"sold\"), \
         ommi_avg_int(\"pages\"), ommi_sum_decimal(\"price\"), ommi_avg_decimal(\"price\"), \
         ommi_sum_float(\"weight\"), ommi_avg_float(\"weight\"), MIN(\"price\" COLLATE OMMI_DECIMAL), MAX(\"title\") \
         FROM \"Book\" GROUP BY \"author_id\" HAVING COUNT(*) > ?1 \
         ORDER BY ommi_avg_decimal(\"price\") COLLATE OMMI_DECIMAL DESC"
    );
}

#[test]
fn equal_rows_appear_once() {
    let statement = SelectStatement { distinct: true, ..titles(Condition::Const(true)) };
    assert_eq!(select(statement, &[]), r#"SELECT DISTINCT "title" FROM "Book""#);
}

fn insert(on_conflict: OnConflict) -> InsertStatement {
    InsertStatement { model: author(), on_conflict }
}

#[test]
fn an_insert_has_a_placeholder_for_every_value_of_every_row() {
    let rendered = render_insert(&insert(OnConflict::Fail), &[], 2, &[], &SQLITE).unwrap();
    assert_eq!(rendered.sql.text, r#"INSERT INTO "Author" ("id", "name", "born") VALUES (?1, ?2, ?3), (?4, ?5, ?6)"#);
    assert_eq!((rendered.first_row, rendered.sql.parameters.len()), (1, 0));
    let rendered = render_insert(&insert(OnConflict::Fail), &[], 1, &[0], &SQLITE).unwrap();
    assert_eq!(rendered.sql.text, r#"INSERT INTO "Author" ("id", "name", "born") VALUES (?1, ?2, ?3) RETURNING "id""#);
    assert!(render_insert(&insert(OnConflict::Fail), &[], 0, &[], &SQLITE).unwrap_err().is_query());
}

#[test]
fn an_upsert_sees_old_and_new_values() {
    let ignore = render_insert(&insert(OnConflict::Ignore(vec![1])), &[], 1, &[], &SQLITE).unwrap();
    assert_eq!(
        ignore.sql.text,
        r#"INSERT INTO "Author" ("id", "name", "born") VALUES (?1, ?2, ?3) ON CONFLICT ("name") DO NOTHING"#
    );
    let renamed = Expr::Arithmetic {
        operator: ArithmeticOperator::Add,
        left: Box::new(Expr::Field(0)),
        right: Box::new(p(0)),
        value_type: ValueType::I64,
    };
    let update = OnConflict::Update(vec![1], vec![(2, Expr::Inserted(2)), (0, renamed)]);
    let rendered = render_insert(&insert(update), &[ValueType::I64], 2, &[], &SQLITE).unwrap();
    assert_eq!(
        rendered.sql.text,
        "INSERT INTO \"Author\" (\"id\", \"name\", \"born\") VALUES (?2, ?3, ?4), (?5, ?6, ?7) ON CONFLICT (\"name\") \
         DO UPDATE SET \"born\" = excluded.\"born\", \"id\" = ommi_arith('i64', '+', \"Author\".\"id\", ?1)"
    );
    assert_eq!((rendered.first_row, rendered.sql.parameters), (2, vec![Slot::Value(0)]));
}

#[test]
fn an_update_keeps_fields_in_the_form_of_their_type() {
    let index = |name: &str| book().index_of(name).unwrap();
    let plus = |left: &str, value_type| Expr::Arithmetic {
        operator: ArithmeticOperator::Add,
        left: Box::new(f(left)),
        right: Box::new(p(1)),
        value_type,
    };
    let statement = UpdateStatement {
        model: book(),
        condition: eq(f("id"), p(0)),
        assignments: vec![
            (index("price"), plus("price", price())),
            (index("cost"), plus("price", ValueType::DECIMAL)),
            (index("price"), f("cost")),
            (index("pages"), Expr::Length(Box::new(f("tags")))),
            (index("author_id"), f("pages")),
            (index("title"), f("subtitle")),
            (index("subtitle"), Expr::Literal(Datum::Null)),
        ],
    };
    let rendered = sql(&Statement::Update(statement), &[ValueType::I64, price()]);
    assert_eq!(
        rendered.text,
        "UPDATE \"Book\" SET \"price\" = ommi_arith('decimal(10, 2)', '+', \
         ommi_arith('decimal', '+', \"price\", ?1), 0), \
         \"cost\" = ommi_arith('decimal', '+', \"price\", ?1), \
         \"price\" = ommi_arith('decimal(10, 2)', '+', \"cost\", 0), \
         \"pages\" = ommi_arith('i32', '+', json_array_length(\"tags\"), 0), \"author_id\" = \"pages\", \
         \"title\" = \"subtitle\", \"subtitle\" = NULL WHERE \"id\" = ?2"
    );
    assert_eq!(rendered.parameters, [Slot::Value(1), Slot::Value(0)]);
    let empty = UpdateStatement { model: book(), condition: Condition::Const(true), assignments: vec![] };
    assert!(ommi_sql::render(&Statement::Update(empty), &[], &SQLITE).unwrap_err().is_query());
}

#[test]
fn a_delete_names_its_rows() {
    let delete = |condition| {
        sql(&Statement::Delete(DeleteStatement { model: Arc::clone(&author()), condition }), &[ValueType::Date]).text
    };
    assert_eq!(delete(Condition::Const(true)), r#"DELETE FROM "Author""#);
    assert_eq!(delete(lt(Expr::Field(2), p(0))), r#"DELETE FROM "Author" WHERE "born" < ?1"#);
}

#[test]
fn what_does_not_exist_is_refused() {
    for expr in [Expr::Field(99), p(0)] {
        let statement = Statement::Select(titles(eq(f("id"), expr)));
        let error = ommi_sql::render(&statement, &[], &SQLITE).unwrap_err();
        assert!(error.is_query() && error.model() == Some("Book"), "{error}");
    }
}
