//! References, which the driver keeps.

use ommi::prelude::*;

use crate::harness::{REPLICA_SET, STANDALONE, close, open};

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Parent {
    #[ommi(key)]
    id: i64,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Child {
    #[ommi(key, auto)]
    id: i64,
    #[ommi(references = Parent)]
    parent_id: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_is_referenced_and_deleted_at_the_same_time() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<(Parent, Child)>().await.unwrap();
    for round in 0..15 {
        db.add(Parent { id: round }).await.unwrap();
        let (adds, deletes) = (db.clone(), db.clone());
        let add = tokio::spawn(async move { adds.add(Child { id: 0, parent_id: round }).await });
        let delete = tokio::spawn(async move { deletes.find(Parent::ID.eq(round)).delete().await });
        let (add, delete) = (add.await.unwrap(), delete.await.unwrap());
        for error in [add.as_ref().err(), delete.as_ref().err()].into_iter().flatten() {
            assert!(error.is_reference_violation(), "{error}");
        }
        let has_child = db.find(Child::PARENT_ID.eq(round)).count().await.unwrap() > 0;
        let has_parent = db.find(Parent::ID.eq(round)).count().await.unwrap() > 0;
        assert_eq!(has_child, has_parent, "a row was left without the one that it references");
        assert_ne!(add.is_ok(), delete.is_ok());
    }
    close(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_reference_the_same_row_are_added_at_once() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<(Parent, Child)>().await.unwrap();
    db.add(Parent { id: 1 }).await.unwrap();
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    db.add(Child { id: 0, parent_id: 1 }).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(db.find(Child::all()).count().await.unwrap(), 60);
    close(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_by_itself_refuses_enforced_references() {
    let Some((db, _)) = open(STANDALONE).await else { return };
    let error = db.create::<(Parent, Child)>().await.unwrap_err();
    assert!(error.is_unsupported() && error.message().contains("unenforced"), "{error}");
    assert!(db.transaction(async |_| Ok(())).await.unwrap_err().is_unsupported());
    close(db).await;
}
