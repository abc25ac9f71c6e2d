//! Creating, checking, reading back and dropping tables.

use std::sync::Arc;

use ommi::model::{FieldDef, IndexDef, ModelBuilder, ModelDef, ReferenceDef, ReferenceTarget};
use ommi::prelude::*;
use ommi::query::Direction;
use ommi::value::{Datum, ValueType};

use crate::check::{Verdict, present, refused};
use crate::models::{Item, User, fill, item, matching, named, user};

cases! { "schema":
    creating_twice_changes_nothing needs AUTO_INTEGERS UNIQUE,
    creating_makes_what_is_missing_alone,
    tables_are_created_whatever_their_order needs REFERENCES,
    dropping_takes_the_named_tables_alone,
    dropping_what_is_absent_does_nothing,
    a_dropped_table_is_created_empty_again needs AUTO_INTEGERS UNIQUE,
    a_missing_table_is_a_schema_error,
    the_schema_is_read_back,
    indexes_are_read_back,
    references_are_read_back needs REFERENCES,
    an_extra_nullable_column_is_accepted,
    an_extra_required_column_is_refused,
    a_missing_column_is_listed,
    each_difference_is_listed,
    a_column_of_another_type_is_refused,
    a_key_of_another_field_is_refused,
    a_refused_create_makes_no_table,
    missing_indexes_of_an_existing_table_are_created,
    a_model_without_a_key_is_refused,
    fields_that_differ_by_case_alone_are_refused,
    models_that_share_a_table_by_case_are_refused,
    a_reference_to_an_unknown_model_is_refused,
    everything_wrong_with_a_model_is_listed_at_once,
    a_reference_of_another_type_is_refused,
    a_wide_table_is_created,
    a_table_of_a_subset_of_fields_is_read,
}

async fn creating_twice_changes_nothing(db: Db) -> Verdict {
    fill(&db, vec![user("a")]).await?;
    let before = db.inspect().await?;
    db.create::<(User, Item)>().await?;
    db.create::<(User, Item)>().await?;
    check_eq!(db.find(User::all()).count().await?, 1);
    check_eq!(before.table("User"), db.inspect().await?.table("User"));
    Ok(())
}

async fn creating_makes_what_is_missing_alone(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    db.create::<(Item, Small)>().await?;
    db.add(Small { id: 1, name: "s".into() }).await?;
    check_eq!(matching(&db, Item::all()).await?, [1]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Small {
    #[ommi(key)]
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Parent {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Grandparent)]
    grandparent_id: i64,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(index(desc(name), id))]
struct Grandparent {
    #[ommi(key)]
    id: i64,
    #[ommi(index)]
    name: String,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Child {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Parent, on_delete = cascade)]
    parent_id: Option<i64>,
}

async fn tables_are_created_whatever_their_order(db: Db) -> Verdict {
    db.create::<(Child, Grandparent, Parent)>().await?;
    db.add(Grandparent { id: 1, name: String::new() }).await?;
    db.add(Parent { id: 1, grandparent_id: 1 }).await?;
    db.add(Child { id: 1, parent_id: Some(1) }).await?;
    db.drop::<(Grandparent, Child, Parent)>().await?;
    check!(db.inspect().await?.tables.is_empty());
    Ok(())
}

async fn dropping_takes_the_named_tables_alone(db: Db) -> Verdict {
    db.create::<(Item, Small)>().await?;
    db.add(item(1, "a")).await?;
    db.drop::<Small>().await?;
    check_eq!(matching(&db, Item::all()).await?, [1]);
    check!(refused(db.find(Small::all()).count().await)?.is_schema());
    Ok(())
}

async fn dropping_what_is_absent_does_nothing(db: Db) -> Verdict {
    db.drop::<Small>().await?;
    fill(&db, named(&["a"])).await?;
    db.drop::<(Small, Item)>().await?;
    check!(db.inspect().await?.tables.is_empty());
    Ok(())
}

async fn a_dropped_table_is_created_empty_again(db: Db) -> Verdict {
    fill(&db, vec![user("a")]).await?;
    db.drop::<User>().await?;
    db.create::<User>().await?;
    check_eq!(db.find(User::all()).count().await?, 0);
    db.add(user("a")).await?;
    check_eq!(db.find(User::all()).count().await?, 1);
    Ok(())
}

async fn a_missing_table_is_a_schema_error(db: Db) -> Verdict {
    for error in [
        refused(db.find(Item::all()).all().await)?,
        refused(db.get::<Item>(1).await)?,
        refused(db.add(item(1, "a")).await)?,
        refused(db.find(Item::all()).update(Item::NAME.set("x")).await)?,
        refused(db.find(Item::all()).delete().await)?,
    ] {
        check!(error.is_schema(), "{error}");
        check_eq!(error.model(), Some("Item"));
    }
    Ok(())
}

async fn the_schema_is_read_back(db: Db) -> Verdict {
    db.create::<(Item, Small)>().await?;
    let schema = db.inspect().await?;
    check_eq!(schema.tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["Item", "Small"]);
    let table = present(schema.table("Item"))?;
    check_eq!(
        table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(),
        ["id", "name", "note", "quantity", "price"]
    );
    check_eq!(table.columns.iter().map(|column| column.nullable).collect::<Vec<_>>(), [false, false, true, true, true]);
    check_eq!(table.key, ["id"]);
    check!(!table.is_view);
    Ok(())
}

async fn indexes_are_read_back(db: Db) -> Verdict {
    db.create::<Grandparent>().await?;
    let schema = db.inspect().await?;
    let table = present(schema.table("Grandparent"))?;
    let columns = |index: &ommi::driver::IndexInfo| index.columns.iter().flatten().cloned().collect::<Vec<_>>();
    let mut indexes: Vec<_> = table.indexes.iter().map(|index| (columns(index), index.unique)).collect();
    indexes.sort();
    check_eq!(indexes, [(vec!["name".to_owned()], false), (vec!["name".into(), "id".into()], false)]);
    Ok(())
}

async fn references_are_read_back(db: Db) -> Verdict {
    db.create::<(Child, Parent, Grandparent)>().await?;
    let schema = db.inspect().await?;
    let references = &present(schema.table("Child"))?.references;
    check_eq!(references.len(), 1);
    let reference = present(references.first())?;
    check_eq!((&reference.columns[..], reference.table.as_str()), (&["parent_id".to_owned()][..], "Parent"));
    check_eq!(reference.target_columns, ["id"]);
    check_eq!(reference.on_delete.to_uppercase(), "CASCADE");
    Ok(())
}

/// A model over a table of that name, to see what another program might have made.
fn table(name: &str, fields: Vec<FieldDef>) -> Result<Arc<ModelDef>> {
    fields.into_iter().fold(ModelBuilder::new(name), ModelBuilder::field).key(["id"]).build()
}

fn id() -> FieldDef {
    FieldDef::new("id", ValueType::I64)
}

fn name() -> FieldDef {
    FieldDef::new("name", ValueType::Text)
}

async fn an_extra_nullable_column_is_accepted(db: Db) -> Verdict {
    let extra = FieldDef::new("extra", ValueType::Text).nullable(true);
    db.create_models(&[table("Small", vec![id(), name(), extra])?]).await?;
    db.create::<Small>().await?;
    db.add(Small { id: 1, name: "a".into() }).await?;
    check_eq!(db.get::<Small>(1).await?.name, "a");
    check_eq!(present(db.inspect().await?.table("Small"))?.columns.len(), 3);
    Ok(())
}

async fn an_extra_required_column_is_refused(db: Db) -> Verdict {
    db.create_models(&[table("Small", vec![id(), name(), FieldDef::new("extra", ValueType::Text)])?]).await?;
    let error = refused(db.create::<Small>().await)?;
    check!(error.is_schema(), "{error}");
    check!(error.message().contains("extra"), "{error}");
    Ok(())
}

async fn a_missing_column_is_listed(db: Db) -> Verdict {
    db.create_models(&[table("Small", vec![id()])?]).await?;
    let error = refused(db.create::<Small>().await)?;
    check!(error.is_schema(), "{error}");
    check!(error.message().contains("name"), "{error}");
    check_eq!(present(db.inspect().await?.table("Small"))?.columns.len(), 1);
    Ok(())
}

async fn each_difference_is_listed(db: Db) -> Verdict {
    let fields = vec![id(), FieldDef::new("name", ValueType::Text), FieldDef::new("must", ValueType::Text)];
    db.create_models(&[table("Item", fields)?]).await?;
    let error = refused(db.create::<Item>().await)?;
    check!(error.is_schema(), "{error}");
    for name in ["note", "quantity", "price", "must"] {
        check!(error.message().contains(name), "`{name}` is not in {error}");
    }
    Ok(())
}

async fn a_column_of_another_type_is_refused(db: Db) -> Verdict {
    db.create_models(&[table("Small", vec![id(), FieldDef::new("name", ValueType::F64)])?]).await?;
    let error = refused(db.create::<Small>().await)?;
    check!(error.is_schema() && error.message().contains("name"), "{error}");
    Ok(())
}

async fn a_key_of_another_field_is_refused(db: Db) -> Verdict {
    let other = ModelBuilder::new("Small").field(id()).field(name()).key(["name"]).build()?;
    db.create_models(&[other]).await?;
    let error = refused(db.create::<Small>().await)?;
    check!(error.is_schema() && error.message().contains("key"), "{error}");
    Ok(())
}

async fn a_refused_create_makes_no_table(db: Db) -> Verdict {
    db.create_models(&[table("Small", vec![id()])?]).await?;
    refused(db.create::<(Item, Small)>().await)?;
    check!(db.inspect().await?.table("Item").is_none(), "a table was made");
    Ok(())
}

async fn missing_indexes_of_an_existing_table_are_created(db: Db) -> Verdict {
    db.create_models(&[table("Grandparent", vec![id(), name()])?]).await?;
    db.create::<Grandparent>().await?;
    check_eq!(present(db.inspect().await?.table("Grandparent"))?.indexes.len(), 2);
    Ok(())
}

async fn a_model_without_a_key_is_refused(db: Db) -> Verdict {
    let model = ModelBuilder::new("Keyless").field(name()).finish();
    let error = refused(db.create_models(&[model]).await)?;
    check!(error.is_schema() && error.message().contains("key"), "{error}");
    Ok(())
}

async fn fields_that_differ_by_case_alone_are_refused(db: Db) -> Verdict {
    let model = ModelBuilder::new("Cased")
        .field(id())
        .field(name())
        .field(FieldDef::new("Name", ValueType::Text))
        .key(["id"])
        .finish();
    let error = refused(db.create_models(&[model]).await)?;
    check!(error.is_schema() && error.message().contains("Name") && error.message().contains("name"), "{error}");
    Ok(())
}

async fn models_that_share_a_table_by_case_are_refused(db: Db) -> Verdict {
    let error = refused(db.create_models(&[table("Small", vec![id()])?, table("SMALL", vec![id()])?]).await)?;
    check!(error.is_schema() && error.message().contains("SMALL"), "{error}");
    check!(db.inspect().await?.tables.is_empty());
    Ok(())
}

async fn a_reference_to_an_unknown_model_is_refused(db: Db) -> Verdict {
    let model = ModelBuilder::new("Lost")
        .field(id())
        .key(["id"])
        .reference(ReferenceDef::new([0], ReferenceTarget::Name("Nowhere".into())))
        .build()?;
    let error = refused(db.create_models(&[model]).await)?;
    check!(error.is_schema() && error.message().contains("Nowhere"), "{error}");
    Ok(())
}

async fn everything_wrong_with_a_model_is_listed_at_once(db: Db) -> Verdict {
    let model = ModelBuilder::new("Wrong")
        .field(FieldDef::new("text", ValueType::Text).auto())
        .field(FieldDef::new("TEXT", ValueType::Text))
        .field(FieldDef::new("data", ValueType::Json))
        .index(IndexDef::new([2]))
        .finish();
    let error = refused(db.create_models(&[model, table("Fine", vec![id()])?]).await)?;
    check!(error.is_schema(), "{error}");
    for part in ["no key", "automatic", "TEXT", "data"] {
        check!(error.message().contains(part), "`{part}` is not in {error}");
    }
    check!(db.inspect().await?.tables.is_empty());
    Ok(())
}

async fn a_reference_of_another_type_is_refused(db: Db) -> Verdict {
    let target = table("Target", vec![id()])?;
    let model = ModelBuilder::new("Pointer")
        .field(id())
        .field(FieldDef::new("target", ValueType::Text))
        .key(["id"])
        .reference(ReferenceDef::new([1], ReferenceTarget::Name("Target".into())))
        .build()?;
    let error = refused(db.create_models(&[target, model]).await)?;
    check!(error.is_schema() && error.message().contains("target"), "{error}");
    Ok(())
}

async fn a_wide_table_is_created(db: Db) -> Verdict {
    let fields = (0..200).map(|n| FieldDef::new(format!("field {n}"), ValueType::I64).nullable(n % 2 == 0));
    let model = fields.fold(ModelBuilder::new("Wide").field(id()), ModelBuilder::field).key(["id"]).build()?;
    db.create_models(std::slice::from_ref(&model)).await?;
    let row: Vec<Datum> = (0..201).map(Datum::Int).collect();
    db.model(&model).add_all(vec![row.clone()]).await?;
    check_eq!(db.model(&model).find(ommi::query::Condition::Const(true)).rows().await?, [row]);
    Ok(())
}

async fn a_table_of_a_subset_of_fields_is_read(db: Db) -> Verdict {
    fill(&db, named(&["a", "b"])).await?;
    let part = table("Item", vec![id(), name()])?;
    let by = ommi::query::OrderBy { expr: ommi::query::Expr::Field(0), direction: Direction::Descending, nulls: None };
    let rows = db.model(&part).find(ommi::query::Condition::Const(true)).order_by([by]).rows().await?;
    check_eq!(rows, [[Datum::Int(2), Datum::Text("b".into())], [Datum::Int(1), Datum::Text("a".into())]]);
    Ok(())
}
