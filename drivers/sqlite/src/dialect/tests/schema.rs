use std::sync::Arc;

use ommi_core::driver::{ColumnInfo, IndexInfo, ReferenceInfo, TableInfo};
use ommi_core::model::{CheckDef, FieldDef, IndexDef, ModelBuilder, ModelDef, OnChange, ReferenceDef, ReferenceTarget};
use ommi_core::query::{ArithmeticOperator, Comparison, Condition, Direction, Expr, InList, TextOperator};
use ommi_core::value::{Datum, DecimalSize, ValueType};
use ommi_sql::ddl::*;

use super::answers::connection;
use super::library::*;
use crate::dialect::SQLITE;

fn int(value: i64) -> Expr {
    Expr::Literal(Datum::Int(value))
}

fn number(text: &str) -> Expr {
    Expr::Literal(Datum::Decimal(text.parse().unwrap()))
}

/// A model with one rule.
fn ruled(condition: Condition) -> Arc<ModelDef> {
    let size = |precision| ValueType::Decimal(Some(DecimalSize { precision, scale: 2 }));
    ModelBuilder::new("T")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("n", ValueType::I32))
        .field(FieldDef::new("t", ValueType::Text))
        .field(FieldDef::new("d", size(15)))
        .field(FieldDef::new("e", size(20)))
        .key(["id"])
        .check(CheckDef { name: "rule".into(), condition })
        .build()
        .unwrap()
}

fn rule(condition: Condition) -> String {
    let model = ruled(condition);
    let text = create_table(&model, &[], &SQLITE).unwrap();
    connection().execute_batch(&text).unwrap();
    let (_, rest) = text.split_once("CONSTRAINT \"rule\" CHECK (").unwrap();
    rest.strip_suffix(")\n) STRICT").unwrap().to_owned()
}

fn refused_rule(condition: Condition) -> String {
    let error = create_table(&ruled(condition), &[], &SQLITE).unwrap_err();
    assert!(error.is_unsupported() && error.model() == Some("T"), "{error}");
    assert!(error.message().contains("the check `rule`"), "{error}");
    error.message().to_owned()
}

#[test]
fn tables_say_types_keys_and_references() {
    let models = [author(), book()];
    assert_eq!(
        create_table(&models[0], &models, &SQLITE).unwrap(),
        "CREATE TABLE IF NOT EXISTS \"Author\" (\n  \"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,\n  \
         \"name\" TEXT NOT NULL,\n  \"born\" TEXT\n) STRICT"
    );
    let text = create_table(&models[1], &models, &SQLITE).unwrap();
    for line in [
        "\"sold\" ANY NOT NULL,",
        "\"weight\" REAL,",
        "\"mark\" BLOB,",
        "FOREIGN KEY (\"author_id\") REFERENCES \"Author\" (\"id\")\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[test]
fn composite_keys_defaults_lengths_and_actions_are_said() {
    let target = ModelBuilder::new("Node")
        .field(FieldDef::new("a", ValueType::U64))
        .field(FieldDef::new("b", ValueType::Text))
        .field(FieldDef {
            default: Some(Datum::Text("it's".into())),
            max_length: Some(5),
            ..FieldDef::new("c", ValueType::Text)
        })
        .field(FieldDef::new("parent_a", ValueType::U64).nullable(true))
        .field(FieldDef::new("parent_b", ValueType::Text).nullable(true))
        .key(["a", "b"])
        .reference(ReferenceDef {
            on_delete: OnChange::Cascade,
            on_update: OnChange::SetNull,
            ..ReferenceDef::new([3, 4], ReferenceTarget::Name("Node".into()))
        })
        .build()
        .unwrap();
    let text = create_table(&target, &[Arc::clone(&target)], &SQLITE).unwrap();
    assert_eq!(
        text,
        r#"CREATE TABLE IF NOT EXISTS "Node" (
  "a" ANY NOT NULL,
  "b" TEXT NOT NULL,
  "c" TEXT NOT NULL DEFAULT 'it''s',
  "parent_a" ANY,
  "parent_b" TEXT,
  PRIMARY KEY ("a", "b"),
  CONSTRAINT "Node_c_max_length" CHECK (length("c") <= 5),
  FOREIGN KEY ("parent_a", "parent_b") REFERENCES "Node" ("a", "b") ON DELETE CASCADE ON UPDATE SET NULL
) STRICT"#
    );
    connection().execute_batch(&text).unwrap();
}

#[test]
fn an_automatic_key_takes_null_and_never_repeats() {
    let connection = connection();
    connection.execute_batch(&create_table(&author(), &[], &SQLITE).unwrap()).unwrap();
    connection
        .execute_batch(
            r#"INSERT INTO "Author" VALUES (null, 'a', null); INSERT INTO "Author" VALUES (7, 'b', null);
               DELETE FROM "Author"; INSERT INTO "Author" VALUES (null, 'c', null)"#,
        )
        .unwrap();
    assert_eq!(connection.query_row("SELECT id FROM \"Author\"", [], |row| row.get::<_, i64>(0)), Ok(8));
}

#[test]
fn rules_are_written_with_their_constants() {
    let (n, t, d, e) = (Expr::Field(1), Expr::Field(2), Expr::Field(3), Expr::Field(4));
    assert_eq!(rule(compare(n.clone(), Comparison::Ge, int(0))), r#""n" >= 0"#);
    let values = InList::Values(vec![text("a"), text("b'")]);
    assert_eq!(rule(Condition::In { expr: t.clone(), list: values, negated: false }), r#""t" IN ('a', 'b''')"#);
    let whole = InList::Whole(Expr::Literal(Datum::List(vec![Datum::Int(1), Datum::Int(2)])));
    assert_eq!(rule(Condition::In { expr: n.clone(), list: whole, negated: true }), r#""n" NOT IN (1, 2)"#);
    let prefix = matches(TextOperator::StartsWith, t.clone(), text("a'"));
    assert_eq!(rule(prefix), r#""t" >= 'a''' AND "t" < 'a('"#);
    assert_eq!(rule(matches(TextOperator::StartsWith, t.clone(), text(""))), r#""t" >= ''"#);
    assert_eq!(rule(matches(TextOperator::Contains, t.clone(), text("@"))), r#"instr("t", '@') > 0"#);
    assert_eq!(rule(not(Condition::Or(vec![is_null(n), is_null(t)]))), r#"NOT ("n" IS NULL OR "t" IS NULL)"#);
    assert_eq!(rule(eq(e.clone(), number("1.5"))), r#""e" = '1.50'"#);
    assert_eq!(rule(compare(d.clone(), Comparison::Le, number("99.90"))), r#"CAST("d" AS REAL) <= 99.90"#);
    assert_eq!(rule(lt(int(0), d.clone())), r#"0 < CAST("d" AS REAL)"#);
    assert_eq!(rule(compare(e, Comparison::Gt, number("0"))), r#"CAST("e" AS REAL) > 0"#);
    assert_eq!(rule(lt(d, Expr::Field(1))), r#"CAST("d" AS REAL) < "n""#);
}

#[test]
fn rules_that_other_clients_could_not_keep_are_refused() {
    let (n, t, e) = (Expr::Field(1), Expr::Field(2), Expr::Field(4));
    assert!(refused_rule(matches(TextOperator::Regex, t.clone(), text("a+"))).contains("`ommi_regex`"));
    assert!(refused_rule(matches(TextOperator::IEq, t, text("a"))).contains("`ommi_fold`"));
    assert!(refused_rule(lt(e.clone(), number("1"))).contains("decimal(15, s)"));
    assert!(refused_rule(lt(Expr::Field(3), number("1234567890123456.7"))).contains("15 digits"));
    let sum = Expr::Arithmetic {
        operator: ArithmeticOperator::Add,
        left: Box::new(n),
        right: Box::new(int(1)),
        value_type: ValueType::I32,
    };
    assert!(refused_rule(lt(sum, int(10))).contains("`ommi_arith`"));
}

#[test]
fn indexes_are_named_after_table_and_fields() {
    let partial = IndexDef { condition: Some(is_null(Expr::Field(2))), ..IndexDef::unique([1]) };
    let descending =
        IndexDef { fields: vec![(1, Direction::Descending), (2, Direction::Ascending)], ..IndexDef::new([]) };
    let named = IndexDef { name: Some("my \"index\"".into()), ..IndexDef::new([2]) };
    let model = ModelBuilder::new("T")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("a", ValueType::I32))
        .field(FieldDef::new("b", ValueType::Text).nullable(true))
        .key(["id"])
        .unique(["a"])
        .index(partial)
        .index(descending)
        .index(named)
        .build()
        .unwrap();
    let indexes = create_indexes(&model, &SQLITE).unwrap();
    let texts: Vec<&str> = indexes.iter().map(|index| index.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            r#"CREATE UNIQUE INDEX IF NOT EXISTS "T_a_key" ON "T" ("a")"#,
            r#"CREATE UNIQUE INDEX IF NOT EXISTS "T_a_key_2" ON "T" ("a") WHERE "b" IS NULL"#,
            r#"CREATE INDEX IF NOT EXISTS "T_a_b_idx" ON "T" ("a" DESC, "b")"#,
            r#"CREATE INDEX IF NOT EXISTS "my ""index""" ON "T" ("b")"#,
        ]
    );
    let connection = connection();
    connection.execute_batch(&create_table(&model, &[], &SQLITE).unwrap()).unwrap();
    texts.iter().for_each(|text| connection.execute_batch(text).unwrap());
}

#[test]
fn indexes_that_would_share_a_name_are_refused() {
    let model = |name: &str, field: &str| {
        ModelBuilder::new(name)
            .field(FieldDef::new("id", ValueType::I64))
            .field(FieldDef::new(field, ValueType::I32))
            .key(["id"])
            .unique([field])
            .build()
            .unwrap()
    };
    assert!(check_index_names(&[model("a", "x"), model("b", "x")], &SQLITE).is_ok());
    let error = check_index_names(&[model("a", "b_c"), model("a_b", "c")], &SQLITE).unwrap_err();
    assert!(error.is_schema() && error.message().contains("`a_b_c_key`"), "{error}");
}

#[test]
fn tables_are_made_after_those_that_they_reference() {
    let names = |models: &[Arc<ModelDef>]| {
        creation_order(models).iter().map(|model| model.name().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[book(), author()]), ["Author", "Book"]);
    let circle = |name: &str, to: &str| {
        ModelBuilder::new(name)
            .field(FieldDef::new("id", ValueType::I64))
            .field(FieldDef::new("to", ValueType::I64).nullable(true))
            .key(["id"])
            .reference(ReferenceDef::new([1], ReferenceTarget::Name(to.into())))
            .build()
            .unwrap()
    };
    let models = [circle("A", "B"), circle("B", "C"), circle("C", "A")];
    assert_eq!(names(&models), ["C", "B", "A"]);
    let connection = connection();
    for model in creation_order(&models) {
        connection.execute_batch(&create_table(&model, &models, &SQLITE).unwrap()).unwrap();
    }
}

fn column(name: &str, column_type: &str, nullable: bool) -> ColumnInfo {
    ColumnInfo { name: name.into(), column_type: column_type.into(), nullable, default: None }
}

fn author_table() -> TableInfo {
    TableInfo {
        name: "Author".into(),
        columns: vec![
            column("id", "INTEGER", true),
            column("NAME", "varchar(20)", false),
            column("born", "DATE", true),
        ],
        key: vec!["id".into()],
        ..TableInfo::default()
    }
}

fn differences_of(table: &TableInfo) -> Vec<String> {
    differences(&author(), &[], table, &SQLITE).unwrap()
}

#[test]
fn a_table_that_holds_the_values_fits() {
    let mut table = author_table();
    assert_eq!(differences_of(&table), Vec::<String>::new());
    table.columns.push(column("note", "TEXT", true));
    table.columns.push(ColumnInfo { default: Some("0".into()), ..column("count", "INT", false) });
    assert_eq!(differences_of(&table), Vec::<String>::new());
    assert_eq!(missing_indexes(&author(), &table, &SQLITE).unwrap().len(), 1);
    let unique = IndexInfo { name: "own".into(), columns: vec![Some("NAME".into())], unique: true, partial: false };
    table.indexes.push(unique);
    assert_eq!(missing_indexes(&author(), &table, &SQLITE).unwrap(), []);
}

#[test]
fn each_difference_has_its_mend() {
    let mut table = author_table();
    table.columns[1] = column("name", "BLOB", false);
    table.columns[2] = column("born", "TEXT", false);
    table.columns.push(column("extra", "TEXT", false));
    table.key = vec![];
    let found = differences_of(&table);
    assert_eq!(
        found,
        [
            "`Author.id` allows null, and the field is required: ALTER TABLE \"Author\" RENAME TO \"Author_old\"; create Author anew; \
             INSERT INTO \"Author\" (\"id\", \"name\", \"born\") SELECT \"id\", \"name\", \"born\" FROM \"Author_old\"",
            "`Author.name` is of type BLOB, and text values need TEXT: ALTER TABLE \"Author\" RENAME COLUMN \"name\" TO \"name_old\"; \
             ALTER TABLE \"Author\" ADD COLUMN \"name\" TEXT NOT NULL DEFAULT ''; \
             UPDATE \"Author\" SET \"name\" = \"name_old\" WHERE \"name_old\" IS NOT NULL; ALTER TABLE \"Author\" DROP COLUMN \"name_old\"",
            "`Author.born` is not null, and the field is optional: ALTER TABLE \"Author\" RENAME COLUMN \"born\" TO \"born_old\"; \
             ALTER TABLE \"Author\" ADD COLUMN \"born\" TEXT; \
             UPDATE \"Author\" SET \"born\" = \"born_old\" WHERE \"born_old\" IS NOT NULL; ALTER TABLE \"Author\" DROP COLUMN \"born_old\"",
            "`Author.extra` is not null, has no default, and Author has no field for it: add the field, or \
             ALTER TABLE \"Author\" RENAME COLUMN \"extra\" TO \"extra_old\"; ALTER TABLE \"Author\" ADD COLUMN \"extra\" TEXT; \
             UPDATE \"Author\" SET \"extra\" = \"extra_old\" WHERE \"extra_old\" IS NOT NULL; ALTER TABLE \"Author\" DROP COLUMN \"extra_old\"",
            "the key of `Author` is missing, and (id) is needed: ALTER TABLE \"Author\" RENAME TO \"Author_old\"; create Author anew; \
             INSERT INTO \"Author\" (\"id\", \"name\", \"born\") SELECT \"id\", \"name\", \"born\" FROM \"Author_old\"",
        ]
    );
}

#[test]
fn the_mend_of_a_missing_or_wrong_column_runs() {
    let connection = connection();
    connection
        .execute_batch(r#"CREATE TABLE "Author" ("id" INTEGER PRIMARY KEY, "name" TEXT); INSERT INTO "Author" VALUES (1, 'U'), (2, NULL)"#)
        .unwrap();
    let mut table = author_table();
    table.columns.pop();
    table.columns[1] = column("name", "TEXT", true);
    let found = differences_of(&table);
    assert_eq!(found.len(), 2);
    assert_eq!(found[1], "`Author.born` is missing: ALTER TABLE \"Author\" ADD COLUMN \"born\" TEXT");
    for difference in found {
        connection.execute_batch(difference.split_once(": ").unwrap().1).unwrap();
    }
    let names: Vec<String> = connection
        .prepare(r#"SELECT "name" FROM "Author" WHERE "born" IS NULL ORDER BY "id""#)
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(names, ["U", ""]);
}

#[test]
fn references_that_are_not_kept_are_differences() {
    let models = [author(), book()];
    let columns = book()
        .fields()
        .iter()
        .map(|field| {
            use ommi_sql::SchemaDialect;
            column(&field.column, &SQLITE.column_type(&book(), field).unwrap(), field.nullable)
        })
        .collect();
    let mut table = TableInfo { name: "Book".into(), columns, key: vec!["id".into()], ..TableInfo::default() };
    let found = |table: &TableInfo| differences(&book(), &models, table, &SQLITE).unwrap();
    assert!(found(&table)[0].contains("the reference of `Book` from (author_id) to `Author` is missing"));
    table.references.push(ReferenceInfo {
        columns: vec!["author_id".into()],
        table: "Author".into(),
        target_columns: vec!["id".into()],
        on_delete: "NO ACTION".into(),
        on_update: "NO ACTION".into(),
    });
    assert_eq!(found(&table), Vec::<String>::new());
    table.references[0].on_delete = "CASCADE".into();
    assert!(found(&table)[0].contains("does CASCADE on delete, and RESTRICT is needed"));
}

#[test]
fn columns_that_would_change_values_are_not_accepted() {
    use ommi_sql::SchemaDialect;
    let reads =
        |declared: &str, value_type: ValueType| SQLITE.reads(declared, &author(), &FieldDef::new("x", value_type));
    assert!(reads("BIGINT", ValueType::I64) && reads("BOOLEAN", ValueType::Bool) && reads("", ValueType::Json));
    assert!(!reads("INTEGER", ValueType::U64) && reads("ANY", ValueType::U64));
    assert!(!reads("DECIMAL(10,2)", price()) && reads("TEXT", price()));
    assert!(reads("DATETIME", ValueType::Timestamp) && !reads("INTEGER", ValueType::Timestamp));
    assert!(reads("DOUBLE PRECISION", ValueType::F64) && !reads("NUMERIC", ValueType::F64));
    assert!(reads("JSON", list_of(ValueType::I64)) && !reads("JSON", ValueType::Json));
}

#[test]
fn a_view_needs_only_its_columns() {
    let view = ModelBuilder::new("Recent")
        .field(FieldDef::new("name", ValueType::Text))
        .field(FieldDef::new("count", ValueType::I64))
        .read_only()
        .build()
        .unwrap();
    let mut table = TableInfo {
        name: "Recent".into(),
        is_view: true,
        columns: vec![column("name", "TEXT", true), column("count", "", true), column("more", "TEXT", false)],
        ..TableInfo::default()
    };
    assert_eq!(differences(&view, &[], &table, &SQLITE).unwrap(), Vec::<String>::new());
    assert!(create_table(&view, &[], &SQLITE).unwrap_err().is_schema());
    table.name = "Author".into();
    let found = differences(&author(), &[], &table, &SQLITE).unwrap();
    assert!(found.iter().any(|difference| difference.contains("is a view")), "{found:?}");
}
