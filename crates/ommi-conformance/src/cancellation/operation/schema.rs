//! Tables.

use std::sync::Arc;

use ommi::driver::BoxFuture;
use ommi::model::{FieldDef, IndexDef, ModelBuilder, ModelDef};
use ommi::prelude::*;
use ommi::value::ValueType;

use super::operations;
use crate::cancellation::cut::cut;

/// A table that an operation has for itself.
fn table(first: i64) -> Result<Arc<ModelDef>> {
    ModelBuilder::new(format!("made_{first}"))
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("name", ValueType::Text))
        .key(["id"])
        .index(IndexDef::new([1]))
        .build()
}

/// Whether the table is there.
async fn is_there(db: &Db, first: i64) -> Result<bool> {
    Ok(db.inspect().await?.table(&format!("made_{first}")).is_some())
}

/// Creates what a drop may have left half done, and drops it.
fn create_and_drop(db: Db, first: i64) -> BoxFuture<'static, Result<()>> {
    Box::pin(async move {
        let model = [table(first)?];
        db.create_models(&model).await?;
        check!(is_there(&db, first).await?);
        db.drop_models(&model).await?;
        check!(!is_there(&db, first).await?);
        Ok(())
    })
}

operations! {
    "create", again create_and_drop => |db, first, cut| {
        let model = [table(first)?];
        cut!(cut, db.create_models(&model));
        check!(is_there(&db, first).await?);
        Ok(true)
    }
    "drop", again create_and_drop => |db, first, cut| {
        let model = [table(first)?];
        db.create_models(&model).await?;
        cut!(cut, db.drop_models(&model));
        check!(!is_there(&db, first).await?);
        Ok(true)
    }
    "inspect" => |db, _, cut| {
        let schema = cut!(cut, db.inspect());
        check!(schema.table("Item").is_some());
        Ok(true)
    }
}
