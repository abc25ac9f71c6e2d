//! Layers that look on.

use std::sync::{Arc, Mutex, PoisonError};

use ommi::driver::Driver;
use ommi::layer::{Layer, Observation, Observer};
use ommi::prelude::*;

use super::{User, user};

/// Keeps the driver, the operation and the rows of every observation.
#[derive(Clone, Default)]
struct Seen(Arc<Notes>);

#[derive(Default)]
struct Notes(Mutex<Vec<(&'static str, &'static str, u64)>>);

impl Observer for Notes {
    fn span(&self, _: &'static str, _: &str) -> tracing::Span {
        tracing::Span::none()
    }

    fn observe(&self, observation: &Observation<'_>) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push((observation.driver, observation.operation, observation.rows));
    }
}

impl Layer for Seen {
    fn wrap(&self, driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
        self.0.wrap(driver)
    }
}

#[tokio::test]
async fn an_observer_is_told_of_the_driver_and_of_the_rows_of_a_stream() {
    let seen = Seen::default();
    let db = ommi::options("sqlite::memory:").layer(seen.clone()).connect().await.unwrap();
    db.create::<User>().await.unwrap();
    db.add_all((0..1000).map(|_| user("a", 1))).await.unwrap();
    seen.0.0.lock().unwrap().clear();
    db.find(User::all()).stream().await.unwrap().collect().await.unwrap();
    let mut dropped = db.find(User::all()).stream().await.unwrap();
    dropped.next().await.unwrap();
    drop(dropped);
    let notes = seen.0.0.lock().unwrap().clone();
    assert!(matches!(notes[..], [("sqlite", "stream", 1000), ("sqlite", "stream", 1..1000)]), "{notes:?}");
}
