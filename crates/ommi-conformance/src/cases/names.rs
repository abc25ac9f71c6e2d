//! Names of tables and columns.

use ommi::model::{FieldDef, ModelBuilder};
use ommi::prelude::*;
use ommi::query::Condition;
use ommi::value::{Datum, ValueType};

use crate::check::{Verdict, present, refused};
use crate::models::fill;

cases! { "names":
    a_model_is_stored_under_its_own_name,
    a_model_is_stored_under_another_name_where_asked,
    fields_are_renamed_one_by_one_or_all_together,
    keywords_are_names,
    raw_identifiers_are_stored_without_their_mark,
    spaces_quotes_and_signs_are_part_of_names,
    names_of_any_script_are_names,
    names_keep_their_case,
    unique_groups_and_indexes_over_odd_names_work needs UNIQUE,
    errors_give_the_field_and_not_the_column needs UNIQUE,
    a_name_with_a_nul_character_is_refused,
    an_empty_name_is_refused,
    long_names_work_or_are_refused_before_anything_is_made,
    a_model_named_like_another_ones_index_works,
    a_constant_is_renamed,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[expect(non_camel_case_types, reason = "the name is what is tested")]
struct camelCase_Model {
    #[ommi(key)]
    id: i64,
}

async fn a_model_is_stored_under_its_own_name(db: Db) -> Verdict {
    db.create::<camelCase_Model>().await?;
    check!(db.inspect().await?.table("camelCase_Model").is_some());
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(table = "stored things")]
struct Thing {
    #[ommi(key)]
    id: i64,
    #[ommi(name = "the name")]
    name: String,
}

async fn a_model_is_stored_under_another_name_where_asked(db: Db) -> Verdict {
    fill(&db, vec![Thing { id: 1, name: "x".into() }]).await?;
    let schema = db.inspect().await?;
    let table = present(schema.table("stored things"))?;
    check!(table.column("the name").is_some() && table.column("name").is_none());
    check_eq!(db.find(Thing::NAME.eq("x")).update(Thing::NAME.set("y")).await?, 1);
    check_eq!(db.get::<Thing>(1).await?.name, "y");
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(rename_all = "camelCase")]
struct Renamed {
    #[ommi(key)]
    row_id: i64,
    first_name: String,
    #[ommi(name = "last_name")]
    last_name: String,
}

async fn fields_are_renamed_one_by_one_or_all_together(db: Db) -> Verdict {
    let row = Renamed { row_id: 1, first_name: "a".into(), last_name: "b".into() };
    fill(&db, vec![row.clone()]).await?;
    let schema = db.inspect().await?;
    let columns: Vec<_> = present(schema.table("Renamed"))?.columns.iter().map(|column| column.name.as_str()).collect();
    check_eq!(columns, ["rowId", "firstName", "last_name"]);
    check_eq!(db.find(Renamed::FIRST_NAME.eq("a")).one().await?, row);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(index(group, desc(limit)))]
struct Order {
    #[ommi(key)]
    select: i64,
    from: String,
    group: Option<i32>,
    limit: i32,
    user: String,
    default: bool,
    null: Option<String>,
}

async fn keywords_are_names(db: Db) -> Verdict {
    let row =
        Order { select: 1, from: "x".into(), group: Some(2), limit: 3, user: "u".into(), default: true, null: None };
    fill(&db, vec![row.clone(), Order { select: 2, ..row.clone() }]).await?;
    let found =
        db.find(Order::GROUP.eq(2) & Order::NULL.is_null()).order_by(Order::SELECT.desc()).limit(1).one().await?;
    check_eq!(found.select, 2);
    let groups = db
        .find(Order::all())
        .group_by(Order::FROM)
        .select((Order::FROM, count()))
        .having(Order::LIMIT.max().eq(3))
        .all()
        .await?;
    check_eq!(groups, [("x".into(), 2)]);
    db.find(Order::DEFAULT.eq(true)).update((Order::LIMIT.set(Order::LIMIT + 1), Order::USER.set(Order::FROM))).await?;
    check_eq!(db.get::<Order>(1).await?, Order { limit: 4, user: "x".into(), ..row });
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Raw {
    #[ommi(key)]
    id: i64,
    r#type: String,
    r#match: Option<bool>,
}

async fn raw_identifiers_are_stored_without_their_mark(db: Db) -> Verdict {
    let row = Raw { id: 1, r#type: "t".into(), r#match: Some(true) };
    fill(&db, vec![row.clone()]).await?;
    let schema = db.inspect().await?;
    check!(present(schema.table("Raw"))?.column("type").is_some());
    check_eq!(db.find(Raw::TYPE.eq("t") & Raw::MATCH.eq(true)).one().await?, row);
    Ok(())
}

/// Writes and reads a table whose table and columns have odd names.
async fn works(db: &Db, names: &[&str]) -> Verdict {
    for name in names {
        let model = ModelBuilder::new(*name)
            .field(FieldDef::new("id", ValueType::I64))
            .field(FieldDef::new(*name, ValueType::Text))
            .key(["id"])
            .unique([*name])
            .build()?;
        db.create_models(std::slice::from_ref(&model)).await?;
        let things = db.model(&model);
        let row = vec![Datum::Int(1), Datum::Text("x".into())];
        check_eq!(things.add_all(vec![row.clone()]).await?, [row.clone()]);
        let by_name = Condition::compare(
            ommi::query::Expr::Field(1),
            ommi::query::Comparison::Eq,
            Datum::Text("x".into()).into(),
        );
        check_eq!(things.find(by_name.clone()).rows().await?, [row], "the rows of {name:?}");
        check_eq!(things.find(by_name.clone()).update(vec![(1, Datum::Text("y".into()).into())]).await?, 1);
        check_eq!(things.find(by_name.negate()).delete().await?, 1);
        let schema = db.inspect().await?;
        check!(present(schema.table(name))?.column(name).is_some(), "{name:?} is not in the schema");
        db.drop_models(std::slice::from_ref(&model)).await?;
    }
    Ok(())
}

async fn spaces_quotes_and_signs_are_part_of_names(db: Db) -> Verdict {
    let names = [
        "two words",
        " ",
        "quo\"te",
        "\"",
        "'",
        "`",
        "[x]",
        "a;b",
        "--",
        "100%",
        "a\\b",
        "$1",
        "?1",
        ":x",
        "@x",
        "a,b",
        "(",
        "\n",
        "1st",
        "*",
        "x\"; DROP TABLE y; --",
    ];
    works(&db, &names).await
}

async fn names_of_any_script_are_names(db: Db) -> Verdict {
    works(&db, &["naïve", "日本語", "Ünïcødé", "\u{1F600}", "таблица", "e\u{301}"]).await
}

async fn names_keep_their_case(db: Db) -> Verdict {
    works(&db, &["lower", "UPPER", "MixedCase"]).await
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(table = "odd \"table\"", unique(first, second), index(second, name = "an odd \"index\""))]
struct Odd {
    #[ommi(key)]
    id: i64,
    #[ommi(name = "a column's name")]
    first: String,
    #[ommi(name = "an \"other\"")]
    second: String,
}

fn odd(id: i64, first: &str, second: &str) -> Odd {
    Odd { id, first: first.into(), second: second.into() }
}

async fn unique_groups_and_indexes_over_odd_names_work(db: Db) -> Verdict {
    fill(&db, vec![odd(1, "a", "b"), odd(2, "a", "c")]).await?;
    check!(refused(db.add(odd(3, "a", "b")).await)?.is_unique_violation());
    db.upsert(odd(9, "a", "c")).on((Odd::FIRST, Odd::SECOND)).do_nothing().await?;
    check_eq!(db.find(Odd::SECOND.starts_with("c")).count().await?, 1);
    Ok(())
}

async fn errors_give_the_field_and_not_the_column(db: Db) -> Verdict {
    fill(&db, vec![odd(1, "a", "b")]).await?;
    let error = refused(db.add(odd(2, "a", "b")).await)?;
    check_eq!((error.model(), error.fields()), (Some("Odd"), &["first".to_owned(), "second".to_owned()][..]));
    Ok(())
}

async fn a_name_with_a_nul_character_is_refused(db: Db) -> Verdict {
    let model = ModelBuilder::new("Nul").field(FieldDef::new("a\0b", ValueType::I64)).key(["a\0b"]).finish();
    check!(refused(db.create_models(&[model]).await)?.is_schema());
    let model = ModelBuilder::new("N\0l").field(FieldDef::new("a", ValueType::I64)).key(["a"]).finish();
    check!(refused(db.create_models(&[model]).await)?.is_schema());
    Ok(())
}

async fn an_empty_name_is_refused(db: Db) -> Verdict {
    let model = ModelBuilder::new("").field(FieldDef::new("a", ValueType::I64)).key(["a"]).finish();
    check!(refused(db.create_models(&[model]).await)?.is_schema());
    let model = ModelBuilder::new("A").field(FieldDef::new("", ValueType::I64)).key([""]).finish();
    check!(refused(db.create_models(&[model]).await)?.is_schema());
    Ok(())
}

async fn long_names_work_or_are_refused_before_anything_is_made(db: Db) -> Verdict {
    let limit = db.driver().capabilities().limits.identifier_bytes;
    let longest = "n".repeat(limit.min(2000));
    works(&db, &[&longest]).await?;
    if limit < 2000 {
        let name = format!("{longest}n");
        let model = ModelBuilder::new(name.as_str()).field(FieldDef::new("a", ValueType::I64)).key(["a"]).build()?;
        check!(refused(db.create_models(&[model]).await)?.is_unsupported());
        check!(db.inspect().await?.tables.is_empty());
    }
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(index(name, name = "Thing_name"))]
struct Indexed {
    #[ommi(key)]
    id: i64,
    name: String,
}

async fn a_model_named_like_another_ones_index_works(db: Db) -> Verdict {
    db.create::<(Indexed, Thing)>().await?;
    db.add(Indexed { id: 1, name: "a".into() }).await?;
    db.add(Thing { id: 1, name: "a".into() }).await?;
    check_eq!(db.find(Thing::all()).count().await?, 1);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Clashing {
    #[ommi(key, constant = KEY)]
    id: i64,
    #[ommi(constant = TITLE_FIELD)]
    title: String,
}

impl Clashing {
    const ID: i64 = 7;
    const TITLE: &'static str = "mine";
}

async fn a_constant_is_renamed(db: Db) -> Verdict {
    fill(&db, vec![Clashing { id: Clashing::ID, title: Clashing::TITLE.into() }]).await?;
    check_eq!(db.find(Clashing::KEY.eq(7) & Clashing::TITLE_FIELD.eq("mine")).count().await?, 1);
    Ok(())
}
