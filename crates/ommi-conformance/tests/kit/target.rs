//! Databases for cases.

use ommi::prelude::*;
use ommi_conformance::Target;

use crate::Targets;

#[test]
fn an_argument_may_have_a_name() {
    let named = |argument| Target::from_argument(argument, true).unwrap().name().to_owned();
    assert_eq!(named("memory="), "memory");
    assert_eq!(named("SQLite=sqlite:///tmp/{n}.db?readers=2"), "SQLite");
    assert_eq!(named("memory:?capabilities=none"), "memory:");
    assert_eq!(named("postgres://ada:secret@host/db?a=b"), "postgres://ada:***@host/db");
}

#[test]
fn tables_are_dropped_only_where_that_is_allowed() {
    assert!(Target::from_argument("postgres://host/db", false).unwrap_err().is_config());
    assert!(Target::from_argument("sqlite://one.db", false).unwrap_err().is_config());
    for safe in ["memory:", "sqlite::memory:", "sqlite:///tmp/{n}.db"] {
        assert!(Target::from_argument(safe, false).is_ok());
    }
}

#[derive(Model, Clone)]
struct User {
    #[ommi(key)]
    id: i64,
}

#[derive(Model, Clone)]
struct Item {
    #[ommi(key)]
    id: i64,
    #[ommi(references = User)]
    owner: i64,
}

#[tokio::test]
async fn a_database_of_its_own_is_emptied_for_each_case() {
    let targets = Targets::new("emptied");
    let url = format!("sqlite://{}/one.db", targets.directory.display());
    let target = Target::from_argument(&url, true).unwrap();
    for _ in 0..2 {
        let db = target.open().await.unwrap();
        assert!(db.inspect().await.unwrap().tables.is_empty());
        db.create::<(User, Item)>().await.unwrap();
        db.add(User { id: 1 }).await.unwrap();
        db.add(Item { id: 1, owner: 1 }).await.unwrap();
        db.close().await.unwrap();
    }
}
