//! Databases for tests.

use std::sync::atomic::{AtomicU64, Ordering};

use ommi::Db;
use ommi::mongodb::mongodb::Database;
use ommi::mongodb::mongodb::bson::Document;
use ommi_conformance::server::address;

pub(crate) const REPLICA_SET: &str = "OMMI_MONGODB_URL";
pub(crate) const STANDALONE: &str = "OMMI_MONGODB_STANDALONE_URL";

/// The hosts and the options of a server's URL, if the server is there.
pub(crate) fn parts(variable: &str) -> Option<(String, String)> {
    let url = address(variable)?;
    let (base, options) = url.split_once('?').unwrap_or((&url, ""));
    let (_, rest) = base.split_once("://")?;
    let hosts = rest.split('/').next()?;
    Some((hosts.to_owned(), options.to_owned()))
}

/// An empty database, and its URL, if the server is there.
pub(crate) async fn open(variable: &str) -> Option<(Db, String)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let (hosts, options) = parts(variable)?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let url = format!("mongodb://{hosts}/ommi_test_{}_{number}?{options}", std::process::id());
    let db = ommi::connect(&url).await.unwrap();
    native(&db, |database| Box::pin(async move { database.drop().await.unwrap() })).await;
    Some((db, url))
}

/// Removes a database, and closes it.
pub(crate) async fn close(db: Db) {
    native(&db, |database| Box::pin(async move { database.drop().await.unwrap() })).await;
    db.close().await.unwrap();
}

type Work<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + 'a>>;

/// Runs work with the driver's own handle.
pub(crate) async fn native<T: Send + 'static>(
    db: &Db,
    work: impl FnOnce(&Database) -> Work<'_, T> + Send + 'static,
) -> T {
    db.native(|database: &mut Database| tokio::runtime::Handle::current().block_on(work(database))).await.unwrap()
}

/// Writes documents as another program would.
pub(crate) async fn foreign(db: &Db, collection: &'static str, documents: Vec<Document>) {
    native(db, move |database| {
        let collection = database.collection::<Document>(collection);
        Box::pin(async move {
            collection.insert_many(documents).await.unwrap();
        })
    })
    .await;
}

/// The documents of a collection as they are stored.
pub(crate) async fn stored(db: &Db, collection: &'static str) -> Vec<Document> {
    native(db, move |database| {
        let collection = database.collection::<Document>(collection);
        Box::pin(async move {
            let mut found = Vec::new();
            let mut cursor = collection.find(Document::new()).await.unwrap();
            while cursor.advance().await.unwrap() {
                found.push(cursor.deserialize_current().unwrap());
            }
            found
        })
    })
    .await
}
