//! Models without a Rust type.

use std::sync::Arc;

use ommi::Result;
use ommi::model::{FieldDef, ModelBuilder, ModelDef};
use ommi::query::{Condition, Expr};
use ommi::value::{Datum, ValueType};

use super::databases;

fn thing() -> Result<Arc<ModelDef>> {
    ModelBuilder::new("Thing")
        .field(FieldDef::new("id", ValueType::I64).auto())
        .field(FieldDef::new("size", ValueType::I8))
        .field(FieldDef::new("name", ValueType::Text))
        .key(["id"])
        .build()
}

fn row(size: i64, name: &str) -> Vec<Datum> {
    vec![Datum::Null, Datum::Int(size), Datum::Text(name.into())]
}

#[tokio::test]
async fn a_limit_is_counted_and_never_forgotten_by_a_write() {
    for db in databases().await.unwrap() {
        let model = thing().unwrap();
        db.create_models(std::slice::from_ref(&model)).await.unwrap();
        let things = db.model(&model);
        things.add_all(vec![row(1, "a"), row(2, "b"), row(3, "c")]).await.unwrap();
        let all = || things.find(Condition::Const(true));
        assert_eq!(all().limit(2).count().await.unwrap(), 2);
        assert_eq!(all().offset(2).count().await.unwrap(), 1);
        assert!(all().limit(1).delete().await.unwrap_err().is_query());
        assert!(all().distinct().delete().await.unwrap_err().is_query());
        let sizes = vec![(1, Expr::Literal(Datum::Int(9)))];
        assert!(all().offset(1).update(sizes).await.unwrap_err().is_query());
        assert!(all().having(Condition::Const(false)).rows().await.unwrap_err().is_query());
        assert_eq!(all().count().await.unwrap(), 3);
    }
}

#[tokio::test]
async fn values_take_the_type_of_their_field_or_are_refused() {
    for db in databases().await.unwrap() {
        let model = thing().unwrap();
        db.create_models(std::slice::from_ref(&model)).await.unwrap();
        let things = db.model(&model);
        let wrong = vec![Datum::Null, Datum::Bool(true), Datum::Text("a".into())];
        for row in [row(300, "a"), wrong] {
            let error = things.add_all(vec![row]).await.unwrap_err();
            assert!(error.is_query() && error.fields() == ["size"], "{error}");
        }
        let update = things.find(Condition::Const(true)).update(vec![(1, Expr::Literal(Datum::Int(300)))]);
        assert!(update.await.unwrap_err().is_query());
    }
}
