//! The renderer with dialects of no database: what it leaves to them, and what it numbers itself.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::sync::Arc;

use ommi_core::model::{FieldDef, IndexDef, Link, ModelBuilder, ModelDef, ReferenceDef, ReferenceTarget};
use ommi_core::query::statement::{
    DeleteStatement, InsertStatement, OnConflict, SelectStatement, Statement, UpdateStatement,
};
use ommi_core::query::{
    AggregateFunction, ArithmeticOperator, Comparison, Condition, DatePart, Direction, Expr, InList, LimitBy,
    ListOperator, OrderBy, TextOperator,
};
use ommi_core::value::json::{JsonCast, PathStep};
use ommi_core::value::{Datum, ValueType};
use ommi_core::{Error, Result};
use ommi_sql::ddl::{add_references, check_names, create_indexes, create_table};
use ommi_sql::{Dialect, Operand, Precedence, SchemaDialect, Slot, Sql, render, render_insert};

/// A dialect that has operators only. Its placeholders have numbers or not, its nulls sort lowest
/// or highest.
struct Plain {
    numbered: bool,
    nulls_sort_lowest: bool,
}

static NUMBERED: Plain = Plain { numbered: true, nulls_sort_lowest: false };
static POSITIONAL: Plain = Plain { numbered: false, nulls_sort_lowest: true };

fn absent() -> Result<Sql> {
    Err(Error::unsupported("it has operators only"))
}

impl Dialect for Plain {
    fn placeholder(&self, number: usize) -> String {
        if self.numbered { format!("${number}") } else { "?".into() }
    }

    fn reuses_placeholders(&self) -> bool {
        self.numbered
    }

    fn nulls_sort_lowest(&self) -> bool {
        self.nulls_sort_lowest
    }

    fn literal(&self, value: &Datum, _: &ValueType) -> Result<Sql> {
        match value {
            Datum::Int(value) => Ok(Sql::primary(value.to_string())),
            Datum::Text(value) => Ok(Sql::primary(format!("'{value}'"))),
            _ => absent(),
        }
    }

    fn in_list(&self, operand: &Operand<'_>, list: &Operand<'_>, negated: bool) -> Result<Sql> {
        let any = Sql::comparison(format!("{} = ANY({})", operand.term(), list.argument()));
        Ok(any.negated(negated))
    }

    fn text(&self, _: TextOperator, text: &Operand<'_>, pattern: &Operand<'_>) -> Result<Sql> {
        ommi_sql::dialect::prefix_range(self, text, pattern)?.map_or_else(absent, Ok)
    }

    fn list(&self, _: ListOperator, _: &Operand<'_>, _: &Operand<'_>) -> Result<Sql> {
        absent()
    }

    fn arithmetic(
        &self,
        operator: ArithmeticOperator,
        left: &Operand<'_>,
        right: &Operand<'_>,
        _: &ValueType,
    ) -> Result<Sql> {
        let text = format!("{} {} {}", left.primary(), operator.sign(), right.primary());
        Ok(Sql::new(text, Precedence::Operator))
    }

    fn date_part(&self, _: DatePart, _: &Operand<'_>) -> Result<Sql> {
        absent()
    }

    fn json_path(&self, _: &Operand<'_>, _: &[PathStep], _: JsonCast) -> Result<Sql> {
        absent()
    }

    fn length(&self, _: &Operand<'_>) -> Result<Sql> {
        absent()
    }

    fn aggregate(&self, function: AggregateFunction, of: Option<&Operand<'_>>, _: bool) -> Result<Sql> {
        Ok(Sql::primary(format!("{}({})", function.name(), of.map_or("*", |of| of.argument()))))
    }
}

impl SchemaDialect for Plain {
    fn queries(&self) -> &dyn Dialect {
        self
    }

    fn rules(&self) -> &dyn Dialect {
        self
    }

    fn identifier_bytes(&self) -> usize {
        30
    }

    fn column_type(&self, _: &ModelDef, field: &FieldDef) -> Result<String> {
        Ok(field.value_type.to_string())
    }

    fn max_length(&self, _: &str, _: u32) -> Option<String> {
        None
    }

    fn alter_adds_references(&self) -> bool {
        true
    }

    fn reads(&self, _: &str, _: &ModelDef, _: &FieldDef) -> bool {
        true
    }

    fn redefine_column(&self, table: &str, column: &str, definition: &str) -> String {
        format!("{table} {column} {definition}")
    }
}

fn user() -> Arc<ModelDef> {
    ModelBuilder::new("User")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("name", ValueType::Text))
        .field(FieldDef::new("age", ValueType::I32).nullable(true))
        .key(["id"])
        .build()
        .unwrap()
}

fn eq(field: u16, parameter: u16) -> Condition {
    Condition::Compare { operator: Comparison::Eq, left: Expr::Field(field), right: Expr::Parameter(parameter) }
}

fn plus(field: u16, parameter: u16) -> Expr {
    Expr::Arithmetic {
        operator: ArithmeticOperator::Add,
        left: Box::new(Expr::Field(field)),
        right: Box::new(Expr::Parameter(parameter)),
        value_type: ValueType::I32,
    }
}

fn starts_with(parameter: u16) -> Condition {
    Condition::Text {
        operator: TextOperator::StartsWith,
        expr: Expr::Field(1),
        pattern: Expr::Parameter(parameter),
        negated: false,
    }
}

fn delete(condition: Condition) -> Statement {
    Statement::Delete(DeleteStatement { model: user(), condition })
}

#[test]
fn numbers_follow_the_order_of_reading() {
    let statement = Statement::Update(UpdateStatement {
        model: user(),
        condition: Condition::And(vec![eq(0, 0), Condition::Or(vec![eq(2, 1), starts_with(2)])]),
        assignments: vec![(2, plus(2, 1))],
    });
    let types = [ValueType::I64, ValueType::I32, ValueType::Text];
    let numbered = render(&statement, &types, &NUMBERED).unwrap();
    assert_eq!(
        numbered.text,
        "UPDATE \"User\" SET \"age\" = \"age\" + $1 WHERE \"id\" = $2 AND (\"age\" = $1 OR \"name\" >= $3 AND \"name\" < $4)"
    );
    assert_eq!(numbered.parameters, [Slot::Value(1), Slot::Value(0), Slot::Value(2), Slot::PrefixEnd(2)]);
    let positional = render(&statement, &types, &POSITIONAL).unwrap();
    assert_eq!(
        positional.text,
        "UPDATE \"User\" SET \"age\" = \"age\" + ? WHERE \"id\" = ? AND (\"age\" = ? OR \"name\" >= ? AND \"name\" < ?)"
    );
    assert_eq!(
        positional.parameters,
        [Slot::Value(1), Slot::Value(0), Slot::Value(1), Slot::Value(2), Slot::PrefixEnd(2)]
    );
}

#[test]
fn rows_come_where_the_placeholders_say() {
    let insert = InsertStatement {
        model: user(),
        on_conflict: OnConflict::Update(vec![0], vec![(2, plus(2, 0)), (1, Expr::Inserted(1))]),
    };
    let numbered = render_insert(&insert, &[ValueType::I32], 2, &[0], &NUMBERED).unwrap();
    assert_eq!(
        numbered.sql.text,
        "INSERT INTO \"User\" (\"id\", \"name\", \"age\") VALUES ($2, $3, $4), ($5, $6, $7) ON CONFLICT (\"id\") DO UPDATE \
         SET \"age\" = \"User\".\"age\" + $1, \"name\" = excluded.\"name\" RETURNING \"id\""
    );
    assert_eq!((numbered.first_row, numbered.sql.parameters), (2, vec![Slot::Value(0)]));
    let positional = render_insert(&insert, &[ValueType::I32], 1, &[], &POSITIONAL).unwrap();
    assert!(
        positional
            .sql
            .text
            .contains("VALUES (?, ?, ?) ON CONFLICT (\"id\") DO UPDATE SET \"age\" = \"User\".\"age\" + ?")
    );
    assert_eq!((positional.first_row, positional.sql.parameters), (1, vec![Slot::Value(0)]));
}

#[test]
fn nulls_are_placed_where_the_database_would_not() {
    let order = |direction| OrderBy { expr: Expr::Field(2), direction, nulls: None };
    let key = OrderBy { expr: Expr::Field(0), direction: Direction::Ascending, nulls: None };
    let statement = Statement::Select(SelectStatement {
        order_by: vec![order(Direction::Ascending), order(Direction::Descending), key],
        limit: Some(Expr::Parameter(0)),
        offset: Some(Expr::Parameter(1)),
        ..SelectStatement::new(user(), Condition::Const(true))
    });
    let types = [ValueType::I64, ValueType::I64];
    assert_eq!(
        render(&statement, &types, &NUMBERED).unwrap().text,
        "SELECT \"id\", \"name\", \"age\" FROM \"User\" ORDER BY \"age\" NULLS FIRST, \"age\" DESC NULLS LAST, \"id\" \
         LIMIT $1 OFFSET $2"
    );
    assert_eq!(
        render(&statement, &types, &POSITIONAL).unwrap().text,
        "SELECT \"id\", \"name\", \"age\" FROM \"User\" ORDER BY \"age\", \"age\" DESC, \"id\" LIMIT ? OFFSET ?"
    );
}

#[test]
fn lists_are_said_by_the_dialect() {
    let condition = |negated| Condition::In { expr: Expr::Field(2), list: InList::Whole(Expr::Parameter(0)), negated };
    let types = [ValueType::List(Box::new(ValueType::I32))];
    let text = |negated| render(&delete(condition(negated)), &types, &NUMBERED).unwrap().text;
    assert_eq!(text(false), r#"DELETE FROM "User" WHERE "age" = ANY($1)"#);
    assert_eq!(text(true), r#"DELETE FROM "User" WHERE NOT "age" = ANY($1)"#);
    let error = render(&delete(condition(false)), &[ValueType::I32], &NUMBERED).unwrap_err();
    assert!(error.is_query(), "{error}");
}

#[test]
fn what_the_dialect_lacks_is_unsupported() {
    let length = Condition::Compare {
        operator: Comparison::Gt,
        left: Expr::Length(Box::new(Expr::Field(1))),
        right: Expr::Parameter(0),
    };
    assert!(render(&delete(length), &[ValueType::I64], &NUMBERED).unwrap_err().is_unsupported());
}

#[test]
fn a_name_with_nul_never_reaches_the_text() {
    let model = ModelBuilder::new("a\0V0\0").field(FieldDef::new("id", ValueType::I64)).key(["id"]).finish();
    let statement = Statement::Select(SelectStatement::new(model, Condition::Const(true)));
    assert!(render(&statement, &[ValueType::I64], &NUMBERED).unwrap_err().is_schema());
    let literal = Condition::Compare {
        operator: Comparison::Eq,
        left: Expr::Field(1),
        right: Expr::Literal(Datum::Text("\0V9x\0".into())),
    };
    assert!(render(&delete(literal), &[], &NUMBERED).unwrap_err().is_query());
}

#[test]
fn references_may_wait_until_all_tables_are_there() {
    let pet = ModelBuilder::new("Pet")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("owner", ValueType::I64))
        .key(["id"])
        .reference(ReferenceDef::new([1], ReferenceTarget::Name("User".into())))
        .build()
        .unwrap();
    let models = [user(), Arc::clone(&pet)];
    assert_eq!(
        create_table(&pet, &models, &NUMBERED).unwrap(),
        "CREATE TABLE IF NOT EXISTS \"Pet\" (\n  \"id\" i64 NOT NULL PRIMARY KEY,\n  \"owner\" i64 NOT NULL\n)"
    );
    assert_eq!(
        add_references(&pet, &models, &NUMBERED).unwrap(),
        [
            r#"ALTER TABLE "Pet" ADD CONSTRAINT "Pet_owner_fkey" FOREIGN KEY ("owner") REFERENCES "User" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT"#
        ]
    );
    let error = add_references(&pet, &models[1..], &NUMBERED).unwrap_err();
    assert!(error.is_schema() && error.message().contains("User"), "{error}");
}

#[test]
fn names_keep_to_the_limit_of_the_database() {
    let model = |name: &str, index: Option<&str>| {
        ModelBuilder::new(name)
            .field(FieldDef::new("id", ValueType::I64))
            .field(FieldDef::new("surname", ValueType::Text))
            .key(["id"])
            .index(IndexDef { name: index.map(Into::into), ..IndexDef::new([1]) })
            .build()
            .unwrap()
    };
    let made = create_indexes(&model("a_name_of_25_characters__", None), &NUMBERED).unwrap();
    assert!(made[0].name.len() <= 30 && made[0].name.starts_with("a_name_of_25_"), "{}", made[0].name);
    let long = "x".repeat(31);
    assert!(check_names(&model(&long, None), &NUMBERED).unwrap_err().is_schema());
    assert!(check_names(&model("T", Some(&long)), &NUMBERED).unwrap_err().is_schema());
}

fn employee() -> Arc<ModelDef> {
    ModelBuilder::new("t1")
        .table("staff.t1")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("boss", ValueType::I64).nullable(true))
        .field(FieldDef::new("pay", ValueType::I32).nullable(true))
        .key(["id"])
        .build()
        .unwrap()
}

fn boss(model: &Arc<ModelDef>) -> Arc<Link> {
    Arc::new(Link::new(model, model, [1], [0]).unwrap())
}

fn related(link: &Arc<Link>, condition: Condition) -> Condition {
    Condition::Related { link: Arc::clone(link), condition: Box::new(condition) }
}

fn count() -> Expr {
    Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false }
}

fn text_of(statement: Statement, parameters: usize) -> String {
    render(&statement, &vec![ValueType::I64; parameters], &NUMBERED).unwrap().text
}

#[test]
fn each_table_of_a_statement_about_related_rows_has_a_name() {
    let model = employee();
    let of_boss = related(&boss(&model), related(&boss(&model), eq(0, 0)).and(eq(2, 1)));
    let exists = "EXISTS (SELECT 1 FROM \"staff\".\"t1\" AS t1 WHERE t1.\"id\" = t0.\"boss\" AND EXISTS (SELECT 1 FROM \
                  \"staff\".\"t1\" AS t2 WHERE t2.\"id\" = t1.\"boss\" AND t2.\"id\" = $1) AND t1.\"pay\" = $2)";
    let select = SelectStatement::new(model.clone(), of_boss.clone());
    assert_eq!(
        text_of(Statement::Select(select), 2),
        format!("SELECT t0.\"id\", t0.\"boss\", t0.\"pay\" FROM \"staff\".\"t1\" AS t0 WHERE {exists}")
    );
    let delete = DeleteStatement { model: model.clone(), condition: of_boss.clone() };
    assert_eq!(text_of(Statement::Delete(delete), 2), format!("DELETE FROM \"staff\".\"t1\" AS t0 WHERE {exists}"));
    let update = UpdateStatement { model, condition: of_boss, assignments: vec![(2, plus(2, 1))] };
    let text = text_of(Statement::Update(update), 2);
    assert!(text.starts_with("UPDATE \"staff\".\"t1\" AS t0 SET \"pay\" = t0.\"pay\" + $1 WHERE EXISTS ("), "{text}");
}

#[test]
fn values_of_related_rows_are_selects_in_parentheses() {
    let model = employee();
    let link = boss(&model);
    let pay =
        Expr::Related { link: link.clone(), condition: Box::new(Condition::Const(true)), of: Expr::Field(2).into() };
    let reversed = Arc::new(link.reversed());
    let staff = Expr::Related { link: reversed, condition: Box::new(eq(2, 0)), of: Box::new(count()) };
    let mut select = SelectStatement::new(model, Condition::Const(true));
    select.output = vec![Expr::Field(0), staff];
    select.order_by = vec![OrderBy { expr: pay, direction: Direction::Descending, nulls: None }];
    assert_eq!(
        text_of(Statement::Select(select), 1),
        "SELECT t0.\"id\", (SELECT count(*) FROM \"staff\".\"t1\" AS t1 WHERE t1.\"boss\" = t0.\"id\" AND t1.\"pay\" = $1) \
         FROM \"staff\".\"t1\" AS t0 ORDER BY (SELECT t2.\"pay\" FROM \"staff\".\"t1\" AS t2 WHERE t2.\"id\" = t0.\"boss\") \
         DESC NULLS LAST"
    );
}

#[test]
fn what_no_related_row_can_pass_is_decided_at_once() {
    let model = employee();
    let never = related(&boss(&model), Condition::Const(false));
    let condition = Condition::IsTrue { condition: Box::new(eq(2, 0)), negated: true };
    let select = SelectStatement::new(model, Condition::Or(vec![never, condition]));
    let text = text_of(Statement::Select(select), 1);
    assert!(text.ends_with("AS t0 WHERE (t0.\"pay\" = $1) IS NOT TRUE"), "{text}");
}

#[test]
fn joins_and_limits_of_groups_number_the_rows_inside() {
    let model = employee();
    let mut select = SelectStatement::new(model.clone(), eq(2, 0));
    let place = select.join(boss(&model));
    let boss_pay = select.joins()[usize::from(place)].field(place, 2);
    select.output = vec![Expr::Field(0), boss_pay.clone()];
    select.order_by = vec![OrderBy { expr: boss_pay.clone(), direction: Direction::Ascending, nulls: None }];
    let plain = text_of(Statement::Select(select.clone()), 1);
    assert_eq!(
        plain,
        "SELECT t0.\"id\", t1.\"pay\" FROM \"staff\".\"t1\" AS t0 JOIN \"staff\".\"t1\" AS t1 ON t1.\"id\" = t0.\"boss\" \
         WHERE t0.\"pay\" = $1 ORDER BY t1.\"pay\" NULLS FIRST"
    );
    select.set_limit_by(LimitBy { by: vec![boss_pay], limit: Expr::Parameter(1), offset: Some(Expr::Parameter(2)) });
    assert_eq!(
        text_of(Statement::Select(select), 3),
        "SELECT t2.ommi_0, t2.ommi_1 FROM (SELECT t0.\"id\" AS ommi_0, t1.\"pay\" AS ommi_1, t1.\"pay\" AS ommi_order_0, \
         ROW_NUMBER() OVER (PARTITION BY t1.\"pay\" ORDER BY t1.\"pay\" NULLS FIRST) AS ommi_row FROM \"staff\".\"t1\" AS t0 \
         JOIN \"staff\".\"t1\" AS t1 ON t1.\"id\" = t0.\"boss\" WHERE t0.\"pay\" = $1) AS t2 WHERE t2.ommi_row > $2 AND \
         t2.ommi_row - $2 <= $3 ORDER BY t2.ommi_order_0 NULLS FIRST"
    );
}
