//! URLs, options and closing.

use std::sync::Arc;

use ommi_core::Result;
use ommi_core::driver::{ConnectOptions, Connector, Driver, Raw};
use ommi_memory::MemoryConnector;

use crate::fixture::*;

async fn connect(url: &str) -> Result<Arc<dyn Driver>> {
    MemoryConnector.connect(&ConnectOptions::from_url(url)?).await
}

#[tokio::test]
async fn each_connection_is_a_database_of_its_own() {
    let (first, second) = (connect("memory:").await.unwrap(), connect("memory://").await.unwrap());
    first.create(&[user()]).await.unwrap();
    assert_eq!(first.inspect().await.unwrap().tables.len(), 1);
    assert!(second.inspect().await.unwrap().tables.is_empty());
}

#[tokio::test]
async fn capabilities_can_be_switched_off() {
    let all = connect("memory:?capabilities=all").await.unwrap();
    assert!(all.capabilities().transaction.savepoints && !all.capabilities().operation.raw);
    let none = connect("memory:?capabilities=none").await.unwrap();
    assert!(none.capabilities().filter.native.is_empty() && !none.capabilities().transaction.transactions);
    assert!(none.capabilities().constraint.references && none.capabilities().constraint.auto_integers);
}

#[tokio::test]
async fn wrong_urls_and_options_say_what_is_possible() {
    for (url, says) in [
        ("memory:users", "`users`"),
        ("memory:?capabilities=some", "`all` or `none`"),
        ("memory:?pool=4", "`capabilities`"),
        ("memory:?acquire_timeout=soon", "duration"),
    ] {
        let error = connect(url).await.err().unwrap();
        assert!(error.is_config());
        assert!(error.message().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_closed_database_answers_no_more() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    driver.close().await.unwrap();
    assert!(on(&driver).find(&user, anything()).await.unwrap_err().is_connection());
    assert!(on(&driver).insert(&user, vec![a_user(None, "a", None)]).await.unwrap_err().is_connection());
    assert!(driver.create(&[user]).await.unwrap_err().is_connection());
}

#[tokio::test]
async fn what_the_driver_lacks_is_unsupported() {
    let driver = connect("memory:").await.unwrap();
    let raw = Raw { text: "select".into(), parameters: Vec::new() };
    assert!(driver.raw(&raw, Box::new(Collected::new(0))).await.err().unwrap().is_unsupported());
    assert!(driver.native(Box::new(|_| Box::new(()))).await.err().unwrap().is_unsupported());
}
