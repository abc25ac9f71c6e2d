//! Automatic keys.

use std::collections::HashSet;

use ommi::mongodb::mongodb::bson::doc;
use ommi::prelude::*;

use crate::harness::{REPLICA_SET, STANDALONE, close, foreign, open};

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Ticket {
    #[ommi(key, auto)]
    id: i64,
    text: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_given_moves_the_counter_for_all_handles() {
    for variable in [REPLICA_SET, STANDALONE] {
        let Some((db, url)) = open(variable).await else { continue };
        db.create::<Ticket>().await.unwrap();
        let other = ommi::connect(&url).await.unwrap();
        assert_eq!(db.add(Ticket::default()).await.unwrap().id, 1);
        other.add(Ticket { id: 50, ..Default::default() }).await.unwrap();
        assert_eq!(db.add(Ticket::default()).await.unwrap().id, 51);
        assert_eq!(other.add(Ticket::default()).await.unwrap().id, 52);
        let rows = db.add_all([Ticket::default(), Ticket { id: 99, ..Default::default() }, Ticket::default()]).await;
        let mut ids: Vec<i64> = rows.unwrap().iter().map(|ticket| ticket.id).collect();
        assert_eq!(ids.remove(1), 99);
        assert!(ids.iter().all(|id| *id > 99), "{ids:?}");
        other.close().await.unwrap();
        close(db).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_other_programs_are_counted() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    foreign(&db, "Ticket", vec![doc! { "_id": 7_i64, "text": "a" }, doc! { "_id": 3_i64, "text": "b" }]).await;
    // without `create`, the first key that is given out looks at what is there
    assert_eq!(db.add(Ticket::default()).await.unwrap().id, 8);
    close(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_at_once_get_keys_of_their_own() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Ticket>().await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..20 {
                    ids.push(db.add(Ticket::default()).await.unwrap().id);
                }
                ids
            })
        })
        .collect();
    let mut all = HashSet::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    assert_eq!(all.len(), 160);
    close(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_that_is_dropped_by_another_model_counts_anew() {
    #[derive(Model, Clone, Debug, Default, PartialEq)]
    #[ommi(table = "Ticket")]
    struct Plain {
        #[ommi(key)]
        id: i64,
    }
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Ticket>().await.unwrap();
    db.add_all([Ticket::default(), Ticket::default()]).await.unwrap();
    db.drop::<Plain>().await.unwrap();
    db.create::<Ticket>().await.unwrap();
    assert_eq!(db.add(Ticket::default()).await.unwrap().id, 1);
    close(db).await;
}
