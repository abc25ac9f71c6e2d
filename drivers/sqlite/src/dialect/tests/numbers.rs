//! Elements of lists of every type, and floats on their way through text.

use std::sync::Arc;

use ommi_core::model::{FieldDef, ModelBuilder, ModelDef};
use ommi_core::query::statement::{SelectStatement, Statement};
use ommi_core::query::{Condition, Expr, InList, ListOperator};
use ommi_core::value::{Datum, Uuid, ValueType, json};
use ommi_sql::ddl::create_table;
use ommi_sql::render;
use rusqlite::{Connection, params, params_from_iter};

use super::answers::{bound, connection, stored};
use super::library::*;
use crate::dialect::SQLITE;

fn counts(connection: &Connection, model: Arc<ModelDef>, condition: Condition, value: Datum, of: ValueType) -> usize {
    let statement = SelectStatement::new(model, condition);
    let (values, types) = ([value], [of]);
    let rendered = render(&Statement::Select(statement), &types, &SQLITE).unwrap();
    let values = params_from_iter(bound(&rendered.parameters, &values, &types));
    let mut prepared = connection.prepare(&rendered.text).unwrap_or_else(|error| panic!("{error}: {}", rendered.text));
    prepared.query_map(values, |_| Ok(())).unwrap().count()
}

#[test]
fn elements_of_every_type_are_found() {
    let decimal = |text: &str| Datum::Decimal(text.parse().unwrap());
    let document = |text: &str| Datum::Json(Box::new(json::parse(text).unwrap()));
    let cases = [
        (ValueType::Bool, vec![Datum::Bool(true)], Datum::Bool(false)),
        (ValueType::I64, vec![Datum::Int(i64::MIN), Datum::Int(i64::MAX)], Datum::Int(1)),
        (ValueType::U64, vec![Datum::UInt(u64::MAX), Datum::Int(7)], Datum::UInt(u64::MAX - 1)),
        (ValueType::F64, vec![Datum::Float(0.1), Datum::Float(f64::INFINITY)], Datum::Float(f64::NEG_INFINITY)),
        (price(), vec![decimal("1.5"), decimal("0")], decimal("1.51")),
        (ValueType::Text, vec![Datum::Text("\"q\"".into()), Datum::Text("".into())], Datum::Text("q".into())),
        (ValueType::Bytes, vec![Datum::Bytes([].into()), Datum::Bytes([1, 255].into())], Datum::Bytes([1].into())),
        (ValueType::Uuid, vec![Datum::Uuid(Uuid::from_u128(7))], Datum::Uuid(Uuid::nil())),
        (
            ValueType::Date,
            vec![Datum::Date(ommi_core::value::Date::constant(2013, 1, 1))],
            Datum::Date(ommi_core::value::Date::constant(2013, 1, 2)),
        ),
        (ValueType::Json, vec![document("\"1\""), document("{\"a\":[1]}")], document("1")),
    ];
    for (element, items, absent) in cases {
        let model = ModelBuilder::new("Thing")
            .field(FieldDef::new("key", ValueType::I64))
            .field(FieldDef::new("items", list_of(element.clone())).nullable(true))
            .key(["key"])
            .build()
            .unwrap();
        let connection = connection();
        connection.execute_batch(&create_table(&model, &[], &SQLITE).unwrap()).unwrap();
        let list = Datum::List(items.clone());
        let insert = "INSERT INTO \"Thing\" VALUES (?1, ?2)";
        connection.execute(insert, params![1, stored(&list, &list_of(element.clone()))]).unwrap();
        connection.execute(insert, params![2, None::<String>]).unwrap();
        let count = |operator, negated, value, of| {
            let condition = Condition::List { operator, expr: Expr::Field(1), argument: p(0), negated };
            counts(&connection, Arc::clone(&model), condition, value, of)
        };
        for item in items {
            assert_eq!(count(ListOperator::Contains, false, item.clone(), element.clone()), 1, "{item:?}");
            assert_eq!(count(ListOperator::Contains, true, item.clone(), element.clone()), 0, "{item:?}");
            let (overlapping, of) = (Datum::List(vec![absent.clone(), item]), list_of(element.clone()));
            assert_eq!(count(ListOperator::Overlaps, false, overlapping, of), 1);
        }
        assert_eq!(count(ListOperator::Contains, false, absent.clone(), element.clone()), 0, "{absent:?}");
        assert_eq!(count(ListOperator::Contains, true, absent.clone(), element.clone()), 1, "{absent:?}");
        let apart = Datum::List(vec![absent]);
        assert_eq!(count(ListOperator::Overlaps, true, apart, list_of(element.clone())), 1);
        assert_eq!(counts(&connection, Arc::clone(&model), eq(Expr::Field(1), p(0)), list, list_of(element)), 1);
    }
}

#[test]
fn lists_of_integers_and_decimals_compare_as_numbers() {
    let model = ModelBuilder::new("Thing")
        .field(FieldDef::new("key", ValueType::I64))
        .field(FieldDef::new("whole", list_of(ValueType::I64)))
        .field(FieldDef::new("exact", list_of(ValueType::DECIMAL)).nullable(true))
        .key(["key"])
        .build()
        .unwrap();
    let connection = connection();
    connection.execute_batch(&create_table(&model, &[], &SQLITE).unwrap()).unwrap();
    connection
        .execute_batch(
            r#"INSERT INTO "Thing" VALUES (1, '[1,2]', '["1","2"]'), (2, '[1]', '["1.5"]'), (3, '[]', '["1"]'), (4, '[]', null)"#,
        )
        .unwrap();
    let count = |condition| counts(&connection, Arc::clone(&model), condition, Datum::Null, ValueType::I64);
    assert_eq!(count(eq(Expr::Field(1), Expr::Field(2))), 1);
    assert_eq!(count(not(eq(Expr::Field(1), Expr::Field(2)))), 2);
    assert_eq!(count(in_list(ListOperator::Overlaps, Expr::Field(1), Expr::Field(2))), 1);
}

#[test]
fn floats_come_through_text_as_they_were() {
    let connection = connection();
    let model = ModelBuilder::new("Thing")
        .field(FieldDef::new("key", ValueType::I64))
        .field(FieldDef::new("number", ValueType::F64))
        .key(["key"])
        .build()
        .unwrap();
    connection.execute_batch(&create_table(&model, &[], &SQLITE).unwrap()).unwrap();
    // a plain generator: the same numbers in every run, over all exponents
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut floats = Vec::new();
    while floats.len() < 20_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let float = if state.is_multiple_of(2) { f64::from_bits(state) } else { (state >> 11) as f64 / 1e6 };
        if float.is_finite() {
            floats.push(float);
        }
    }
    let mut insert = connection.prepare("INSERT INTO \"Thing\" VALUES (?1, ?2)").unwrap();
    for (key, float) in (1i64..).zip(&floats) {
        insert.execute(params![key, float]).unwrap();
    }
    let condition = Condition::In { expr: Expr::Field(1), list: InList::Whole(p(0)), negated: false };
    let list = Datum::List(floats.iter().map(|float| Datum::Float(*float)).collect());
    assert_eq!(counts(&connection, model, condition, list, list_of(ValueType::F64)), floats.len());
}
