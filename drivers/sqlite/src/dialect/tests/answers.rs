//! Conditions in SQLite itself, with what three-valued logic says of each row by hand.

use std::cmp::Ordering;
use std::sync::Arc;

use ommi_core::model::{FieldDef, ModelBuilder, ReferenceDef, ReferenceTarget};
use ommi_core::query::statement::{
    DeleteStatement, InsertStatement, OnConflict, SelectStatement, Statement, UpdateStatement,
};
use ommi_core::query::{
    AggregateFunction, Comparison, Condition, DatePart, Direction, Expr, InList, ListOperator, Nulls, OrderBy,
    TextOperator,
};
use ommi_core::value::{Datum, ValueType, decimal, iso, json, list};
use ommi_sql::ddl::{create_indexes, create_table};
use ommi_sql::{Bound, Slot, render, render_insert};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::library::*;
use crate::dialect::SQLITE;

/// The value as the driver stores it.
pub(super) fn stored(value: &Datum, value_type: &ValueType) -> Value {
    match value {
        Datum::Null => Value::Null,
        Datum::Bool(value) => Value::Integer(i64::from(*value)),
        Datum::Int(value) => Value::Integer(*value),
        Datum::UInt(value) => Value::Text(format!("{value:020}")),
        Datum::Float(value) => Value::Real(*value),
        Datum::Text(value) => Value::Text(value.to_string()),
        Datum::Bytes(value) => Value::Blob(value.to_vec()),
        Datum::Uuid(value) => Value::Blob(value.as_bytes().to_vec()),
        Datum::Date(value) => Value::Text(iso::date_text(*value).as_str().into()),
        Datum::DateTime(value) => Value::Text(iso::date_time_text(*value).as_str().into()),
        Datum::Json(value) => Value::Text(value.to_string()),
        Datum::List(items) => Value::Text(list::text(items).unwrap()),
        Datum::Decimal(value) => Value::Text(match value_type {
            ValueType::Decimal(size) => decimal::text(*value, *size),
            _ => decimal::text(*value, None),
        }),
        other => panic!("no form for {other:?}"),
    }
}

pub(super) fn bound(slots: &[Slot], values: &[Datum], types: &[ValueType]) -> Vec<Value> {
    let bind = |slot: &Slot| match slot.bind(values, types).unwrap() {
        Bound::Value(value, value_type) => stored(value, value_type),
        Bound::Text(text) => Value::Text(text),
        Bound::AboveText => Value::Blob(vec![]),
    };
    slots.iter().map(bind).collect()
}

pub(super) fn connection() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DQS_DML, false).unwrap();
    connection
        .create_collation("OMMI_DECIMAL", |left: &str, right: &str| {
            match (decimal::parse(left), decimal::parse(right)) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                _ => Ordering::Equal,
            }
        })
        .unwrap();
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection
        .create_scalar_function("ommi_json_eq", 2, flags, |context| {
            let (left, right): (Option<String>, Option<String>) = (context.get(0)?, context.get(1)?);
            let parsed = |text: Option<String>| text.map(|text| json::parse(&text).unwrap());
            Ok(parsed(left).zip(parsed(right)).map(|(left, right)| json::equal(&left, &right)))
        })
        .unwrap();
    connection
}

/// A library of five books; the third has nulls wherever null is allowed.
fn library() -> Connection {
    let connection = connection();
    for model in [author(), book()] {
        connection.execute_batch(&create_table(&model, &[author(), book()], &SQLITE).unwrap()).unwrap();
        for index in create_indexes(&model, &SQLITE).unwrap() {
            connection.execute_batch(&index.text).unwrap();
        }
    }
    connection
        .execute_batch(
            r#"
            INSERT INTO "Author" VALUES (1, 'Ursula', '1929-10-21');
            INSERT INTO "Book" VALUES
              (1, 'abc', 'b', '9.50', '9.5', 100, 5, 1.5, '2013-01-06 23:59:59.000001', '["a","b"]', '{"n":1}', 'novel', x'00', 1),
              (2, 'abd', 'abd', '10.00', '9', 200, 0, 9e999, '2013-01-07 00:00:00', '[]', '[1.0]', 'essay', x'ff', 1),
              (3, '', null, null, null, null, '18446744073709551615', null, null, null, null, 'novel', null, 1),
              (4, 'ab%', '', '-1.00', '-2', -5, 9223372036854775807, -9e999, '0001-01-01 12:00:00', '["ab"]', '"a"', 'novel', x'', 1),
              (5, 'Äöü', 'ü', '0.00', '0', 0, 9, 0.1, '9999-12-31 00:00:00', '["a"]', 'null', 'essay', x'0001', 1);
            "#,
        )
        .unwrap();
    connection
}

fn ids(connection: &Connection, condition: Condition, values: &[Datum], types: &[ValueType]) -> Vec<i64> {
    let statement = SelectStatement { output: vec![f("id")], ..SelectStatement::new(book(), condition) };
    let rendered = render(&Statement::Select(statement), types, &SQLITE).unwrap();
    let mut prepared = connection.prepare(&rendered.text).unwrap_or_else(|error| panic!("{error}: {}", rendered.text));
    let values = params_from_iter(bound(&rendered.parameters, values, types));
    let mut found: Vec<i64> = prepared.query_map(values, |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    found.sort_unstable();
    found
}

/// Asks for a condition and for its opposite; rows in neither are unknown.
#[track_caller]
fn check(condition: Condition, values: &[Datum], types: &[ValueType], holds: &[i64], fails: &[i64]) {
    let library = library();
    assert_eq!(ids(&library, condition.clone(), values, types), holds, "{condition:?}");
    assert_eq!(ids(&library, not(condition.clone()), values, types), fails, "not {condition:?}");
    assert_eq!(ids(&library, condition.clone().negate(), values, types), fails, "the opposite of {condition:?}");
    // unknown stays unknown in larger conditions
    let never = Condition::And(vec![condition.clone(), not(condition.clone())]);
    assert_eq!(ids(&library, never, values, types), Vec::<i64>::new());
    let known = Condition::Or(vec![condition.clone(), not(condition)]);
    let mut all = [holds, fails].concat();
    all.sort_unstable();
    assert_eq!(ids(&library, known, values, types), all);
}

fn one(condition: Condition, value: Datum, value_type: ValueType, holds: &[i64], fails: &[i64]) {
    check(condition, &[value], &[value_type], holds, fails);
}

fn words(texts: &[&str]) -> Datum {
    Datum::List(texts.iter().map(|text| Datum::Text((*text).into())).collect())
}

fn number(text: &str) -> Datum {
    Datum::Decimal(text.parse().unwrap())
}

#[test]
fn comparisons_with_null_are_unknown() {
    one(eq(f("pages"), p(0)), Datum::Int(100), ValueType::I32, &[1], &[2, 4, 5]);
    one(lt(f("pages"), p(0)), Datum::Int(100), ValueType::I32, &[4, 5], &[1, 2]);
    one(eq(f("pages"), p(0)), Datum::Null, ValueType::I32, &[], &[]);
    check(is_null(f("pages")), &[], &[], &[3], &[1, 2, 4, 5]);
    check(eq(f("title"), f("subtitle")), &[], &[], &[2], &[1, 4, 5]);
}

#[test]
fn large_unsigned_integers_are_above_the_others() {
    let max = || Datum::UInt(u64::MAX);
    one(eq(f("sold"), p(0)), max(), ValueType::U64, &[3], &[1, 2, 4, 5]);
    one(lt(f("sold"), p(0)), max(), ValueType::U64, &[1, 2, 4, 5], &[3]);
    check(lt(f("id"), f("sold")), &[], &[], &[1, 3, 4, 5], &[2]);
    check(eq(f("sold"), f("id")), &[], &[], &[], &[1, 2, 3, 4, 5]);
}

#[test]
fn decimals_compare_as_numbers() {
    one(eq(f("price"), p(0)), number("9.5"), price(), &[1], &[2, 4, 5]);
    one(lt(f("price"), p(0)), number("10"), price(), &[1, 4, 5], &[2]);
    one(lt(f("price"), p(0)), number("-0.001"), price(), &[4], &[1, 2, 5]);
    check(eq(f("price"), f("cost")), &[], &[], &[1, 5], &[2, 4]);
    check(lt(f("cost"), f("price")), &[], &[], &[2, 4], &[1, 5]);
    check(lt(f("price"), f("pages")), &[], &[], &[1, 2], &[4, 5]);
    check(compare(f("price"), Comparison::Lt, f("sold")), &[], &[], &[4, 5], &[1, 2]);
}

#[test]
fn floats_reach_to_infinity() {
    one(lt(f("weight"), p(0)), Datum::Float(f64::INFINITY), ValueType::F64, &[1, 4, 5], &[2]);
    let values = Datum::List(vec![Datum::Float(0.1), Datum::Float(f64::NEG_INFINITY)]);
    let condition = Condition::In { expr: f("weight"), list: InList::Whole(p(0)), negated: false };
    one(condition, values, list_of(ValueType::F64), &[4, 5], &[1, 2]);
}

#[test]
fn values_are_found_in_lists_of_any_length() {
    let is_in = |name: &str, list| Condition::In { expr: f(name), list, negated: false };
    let short = InList::Values(vec![p(0), p(1)]);
    let pair = [ValueType::I32, ValueType::I32];
    check(is_in("pages", short), &[Datum::Int(100), Datum::Int(0)], &pair, &[1, 5], &[2, 4]);
    let whole = |name, items: Vec<Datum>, element, holds: &[i64], fails: &[i64]| {
        one(is_in(name, InList::Whole(p(0))), Datum::List(items), list_of(element), holds, fails);
    };
    whole("pages", vec![Datum::Int(100), Datum::Int(7)], ValueType::I32, &[1], &[2, 4, 5]);
    whole("sold", vec![Datum::UInt(u64::MAX), Datum::Int(9)], ValueType::U64, &[3, 5], &[1, 2, 4]);
    whole("price", vec![number("10"), number("9.5")], price(), &[1, 2], &[4, 5]);
    whole("cost", vec![number("10"), number("9.50")], price(), &[1], &[2, 4, 5]);
    whole("subtitle", vec![Datum::Text("ü".into()), Datum::Text("\"b".into())], ValueType::Text, &[5], &[1, 2, 4]);
    whole("mark", vec![Datum::Bytes([255].into()), Datum::Bytes([].into())], ValueType::Bytes, &[2, 4], &[1, 5]);
    let documents = ["[1]", "\"a\"", "null"].map(|text| Datum::Json(Box::new(json::parse(text).unwrap())));
    whole("extra", documents.to_vec(), ValueType::Json, &[2, 4, 5], &[1]);
    whole("tags", vec![words(&[]), words(&["a"])], list_of(ValueType::Text), &[2, 5], &[1, 4]);
}

#[test]
fn texts_are_tested_by_code_point() {
    let test = |operator, name: &str, pattern: &str, holds: &[i64], fails: &[i64]| {
        one(matches(operator, f(name), p(0)), Datum::Text(pattern.into()), ValueType::Text, holds, fails);
    };
    test(TextOperator::StartsWith, "title", "ab", &[1, 2, 4], &[3, 5]);
    test(TextOperator::StartsWith, "title", "ab%", &[4], &[1, 2, 3, 5]);
    test(TextOperator::StartsWith, "title", "Ä", &[5], &[1, 2, 3, 4]);
    test(TextOperator::StartsWith, "subtitle", "", &[1, 2, 4, 5], &[]);
    test(TextOperator::StartsWith, "subtitle", "\u{10ffff}", &[], &[1, 2, 4, 5]);
    test(TextOperator::Contains, "subtitle", "b", &[1, 2], &[4, 5]);
    test(TextOperator::Contains, "subtitle", "", &[1, 2, 4, 5], &[]);
    test(TextOperator::Contains, "title", "A", &[], &[1, 2, 3, 4, 5]);
    test(TextOperator::EndsWith, "title", "bc", &[1], &[2, 3, 4, 5]);
    test(TextOperator::EndsWith, "title", "xabc", &[], &[1, 2, 3, 4, 5]);
    test(TextOperator::EndsWith, "title", "öü", &[5], &[1, 2, 3, 4]);
    test(TextOperator::EndsWith, "subtitle", "", &[1, 2, 4, 5], &[]);
    for (operator, holds) in
        [(TextOperator::StartsWith, [2, 4]), (TextOperator::EndsWith, [2, 4]), (TextOperator::Contains, [2, 4])]
    {
        let mut holds = holds.to_vec();
        let mut fails = vec![1, 5];
        if operator != TextOperator::StartsWith {
            holds.push(5);
            fails.pop();
        }
        if operator == TextOperator::Contains {
            holds.push(1);
            fails.clear();
        }
        holds.sort_unstable();
        check(matches(operator, f("title"), f("subtitle")), &[], &[], &holds, &fails);
    }
}

#[test]
fn lists_are_searched_and_unknown_for_null() {
    let contains = || in_list(ListOperator::Contains, f("tags"), p(0));
    one(contains(), Datum::Text("a".into()), ValueType::Text, &[1, 5], &[2, 4]);
    check(in_list(ListOperator::Contains, f("tags"), f("subtitle")), &[], &[], &[1], &[2, 4, 5]);
    let overlaps = || in_list(ListOperator::Overlaps, f("tags"), p(0));
    one(overlaps(), words(&["b", "ab"]), list_of(ValueType::Text), &[1, 4], &[2, 5]);
    one(overlaps(), words(&[]), list_of(ValueType::Text), &[], &[1, 2, 4, 5]);
    one(eq(f("tags"), p(0)), words(&["a", "b"]), list_of(ValueType::Text), &[1], &[2, 4, 5]);
    let length = Expr::Length(Box::new(f("tags")));
    one(eq(length, p(0)), Datum::Int(0), ValueType::I64, &[2], &[1, 4, 5]);
}

#[test]
fn documents_are_equal_by_structure() {
    let document = |text: &str| Datum::Json(Box::new(json::parse(text).unwrap()));
    one(eq(f("extra"), p(0)), document("[1]"), ValueType::Json, &[2], &[1, 4, 5]);
    one(eq(f("extra"), p(0)), document("null"), ValueType::Json, &[5], &[1, 2, 4]);
    check(is_null(f("extra")), &[], &[], &[3], &[1, 2, 4, 5]);
}

#[test]
fn parts_of_dates_are_counted_as_people_do() {
    let part = |part, value: i64, holds: &[i64]| {
        let fails: Vec<i64> = [1, 2, 4, 5].into_iter().filter(|id| !holds.contains(id)).collect();
        let of = Box::new(f("printed"));
        one(eq(Expr::DatePart { part, of }, p(0)), Datum::Int(value), ValueType::I64, holds, &fails);
    };
    part(DatePart::Year, 2013, &[1, 2]);
    part(DatePart::Year, 1, &[4]);
    part(DatePart::Month, 12, &[5]);
    part(DatePart::Day, 7, &[2]);
    part(DatePart::Hour, 12, &[4]);
    part(DatePart::Second, 59, &[1]);
    // Sunday, Monday (twice), Friday
    part(DatePart::Weekday, 7, &[1]);
    part(DatePart::Weekday, 1, &[2, 4]);
    part(DatePart::Weekday, 5, &[5]);
}

#[test]
fn rows_are_sorted_as_their_values_are() {
    let library = library();
    let sorted = |field: &str, direction, nulls| {
        let order_by = vec![OrderBy { expr: f(field), direction, nulls }];
        let all = SelectStatement::new(book(), Condition::Const(true));
        let statement = SelectStatement { output: vec![f("id")], order_by, ..all };
        let rendered = render(&Statement::Select(statement), &[], &SQLITE).unwrap();
        let mut prepared = library.prepare(&rendered.text).unwrap();
        prepared.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect::<Vec<i64>>()
    };
    assert_eq!(sorted("price", Direction::Ascending, None), [3, 4, 5, 1, 2]);
    assert_eq!(sorted("price", Direction::Descending, None), [2, 1, 5, 4, 3]);
    assert_eq!(sorted("price", Direction::Descending, Some(Nulls::First)), [3, 2, 1, 5, 4]);
    assert_eq!(sorted("sold", Direction::Ascending, None), [2, 1, 5, 4, 3]);
    assert_eq!(sorted("title", Direction::Ascending, None), [3, 4, 1, 2, 5]);
    assert_eq!(sorted("weight", Direction::Ascending, Some(Nulls::Last)), [4, 5, 1, 2, 3]);
    assert_eq!(sorted("printed", Direction::Ascending, None), [3, 4, 1, 2, 5]);
}

#[test]
fn groups_and_pages_answer() {
    let aggregate = |function, of: &str| Expr::Aggregate { function, of: Some(Box::new(f(of))), distinct: false };
    let statement = SelectStatement {
        output: vec![
            f("genre"),
            Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false },
            aggregate(AggregateFunction::Count, "price"),
            aggregate(AggregateFunction::Max, "price"),
            aggregate(AggregateFunction::Min, "cost"),
        ],
        group_by: vec![f("genre")],
        having: lt(p(0), Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false }),
        order_by: vec![OrderBy { expr: f("genre"), direction: Direction::Descending, nulls: None }],
        offset: Some(p(1)),
        ..SelectStatement::new(book(), Condition::Const(true))
    };
    let types = [ValueType::I64, ValueType::I64];
    let rendered = render(&Statement::Select(statement), &types, &SQLITE).unwrap();
    let library = library();
    let rows = |more_than: i64, offset: i64| {
        let values = bound(&rendered.parameters, &[Datum::Int(more_than), Datum::Int(offset)], &types);
        let mut prepared = library.prepare(&rendered.text).unwrap();
        prepared
            .query_map(params_from_iter(values), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })
            .unwrap()
            .map(Result::unwrap)
            .collect::<Vec<(String, i64, i64, String, String)>>()
    };
    let (novels, essays) = (
        ("novel".to_owned(), 3, 2, "9.50".to_owned(), "-2".to_owned()),
        ("essay".to_owned(), 2, 2, "10.00".to_owned(), "0".to_owned()),
    );
    assert_eq!(rows(1, 0), [novels.clone(), essays.clone()]);
    assert_eq!(rows(2, 0), [novels]);
    assert_eq!(rows(1, 1), [essays]);
}

#[test]
fn writes_change_the_rows_that_they_name() {
    let library = library();
    let names = || {
        let mut prepared =
            library.prepare("SELECT name || coalesce(' ' || born, '') FROM \"Author\" ORDER BY id").unwrap();
        prepared.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect::<Vec<String>>()
    };
    let insert = |on_conflict, values: [Value; 6]| {
        let statement = InsertStatement { model: author(), on_conflict };
        let rendered = render_insert(&statement, &[], 2, &[], &SQLITE).unwrap();
        library.execute(&rendered.sql.text, params_from_iter(values))
    };
    let text = |text: &str| Value::Text(text.into());
    let rows = || [Value::Null, text("Ursula"), Value::Null, Value::Null, text("Stanisław"), Value::Null];
    assert!(insert(OnConflict::Fail, rows()).is_err());
    assert_eq!(insert(OnConflict::Ignore(vec![1]), rows()), Ok(1));
    assert_eq!(names(), ["Ursula 1929-10-21", "Stanisław"]);
    let update = OnConflict::Update(vec![1], vec![(2, Expr::Inserted(2))]);
    assert_eq!(insert(update, rows()), Ok(2));
    assert_eq!(names(), ["Ursula", "Stanisław"]);
    let (values, types) = ([Datum::Text("Olga".into()), Datum::Int(1)], [ValueType::Text, ValueType::I64]);
    let run = |statement: Statement| {
        let rendered = render(&statement, &types, &SQLITE).unwrap();
        library.execute(&rendered.text, params_from_iter(bound(&rendered.parameters, &values, &types)))
    };
    let condition = || compare(Expr::Field(0), Comparison::Gt, p(1));
    let rename = UpdateStatement { model: author(), condition: condition(), assignments: vec![(1, p(0))] };
    assert_eq!(run(Statement::Update(rename)), Ok(1));
    assert_eq!(names(), ["Ursula", "Olga"]);
    assert_eq!(run(Statement::Delete(DeleteStatement { model: author(), condition: condition() })), Ok(1));
    assert_eq!(names(), ["Ursula"]);
}

#[test]
fn rows_that_reference_each_other_go_together() {
    let connection = connection();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    let model = ModelBuilder::new("Node")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("parent", ValueType::I64).nullable(true))
        .key(["id"])
        .reference(ReferenceDef::new([1], ReferenceTarget::Name("Node".into())))
        .build()
        .unwrap();
    connection.execute_batch(&create_table(&model, &[Arc::clone(&model)], &SQLITE).unwrap()).unwrap();
    connection.execute_batch(r#"INSERT INTO "Node" VALUES (1, null), (2, 1), (3, 2)"#).unwrap();
    let delete = |condition| {
        let statement = Statement::Delete(DeleteStatement { model: Arc::clone(&model), condition });
        connection.execute(&render(&statement, &[], &SQLITE).unwrap().text, [])
    };
    assert!(delete(eq(Expr::Field(0), Expr::Literal(Datum::Int(1)))).is_err());
    assert_eq!(delete(Condition::Const(true)), Ok(3));
}

#[test]
fn thousands_of_alternatives_do_not_nest_too_deep() {
    let any = Condition::Or((0..5_000).map(|id| eq(f("id"), Expr::Literal(Datum::Int(id)))).collect());
    assert_eq!(ids(&library(), any, &[], &[]), [1, 2, 3, 4, 5]);
}

#[test]
fn a_prefix_is_looked_up_in_the_index() {
    let library = library();
    let statement = titles(matches(TextOperator::StartsWith, f("title"), p(0)));
    let rendered = render(&Statement::Select(statement), &[ValueType::Text], &SQLITE).unwrap();
    let plan: String =
        library.query_row(&format!("EXPLAIN QUERY PLAN {}", rendered.text), ["a", "b"], |row| row.get(3)).unwrap();
    assert!(plan.contains("Book_title_idx") && plan.contains("title>? AND title<?"), "{plan}");
}

#[test]
fn columns_named_as_those_of_an_unfolded_list_are_told_apart() {
    let model = ModelBuilder::new("value")
        .field(FieldDef::new("key", ValueType::I64))
        .field(FieldDef::new("value", list_of(ValueType::Text)))
        .field(FieldDef::new("json", ValueType::Text))
        .key(["key"])
        .build()
        .unwrap();
    let connection = connection();
    connection.execute_batch(&create_table(&model, &[], &SQLITE).unwrap()).unwrap();
    connection.execute_batch(r#"INSERT INTO "value" VALUES (1, '["x"]', 'x'), (2, '["y"]', 'x')"#).unwrap();
    let condition = in_list(ListOperator::Contains, Expr::Field(1), Expr::Field(2));
    let statement = SelectStatement { output: vec![Expr::Field(0)], ..SelectStatement::new(model, condition) };
    let rendered = render(&Statement::Select(statement), &[], &SQLITE).unwrap();
    let found: Vec<i64> = connection
        .prepare(&rendered.text)
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(found, [1]);
}
