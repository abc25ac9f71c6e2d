//! The warning of relations that are loaded for one owner at a time.

use std::fmt;
use std::sync::{Arc, Mutex};

use ommi::prelude::*;
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::{Author, Book, library};

/// The warnings of relations, each as its fields.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<Warning>>>);

/// The fields of a warning.
type Warning = Vec<(&'static str, String)>;

struct Fields<'a>(&'a mut Warning);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() == Level::WARN && metadata.target().contains("relation")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Vec::new();
        event.record(&mut Fields(&mut fields));
        self.0.lock().unwrap().push(fields);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The warnings of a piece of work, which runs as a task of its own.
async fn warnings(work: impl Future<Output = ()> + Send + 'static) -> Vec<Warning> {
    let heard = Warnings::default();
    tokio::spawn(work.with_subscriber(heard.clone())).await.unwrap();
    let heard = heard.0.lock().unwrap();
    heard.clone()
}

async fn many_books() -> Db {
    let db = ommi::connect("sqlite::memory:").await.unwrap();
    library(&db).await.unwrap();
    let book = |number| Book { title: format!("{number}"), author_id: 1, ..Default::default() };
    db.add_all((0..40).map(book)).await.unwrap();
    db
}

#[tokio::test]
async fn a_loop_that_reads_owners_singly_is_warned_of_once_with_its_place() {
    let db = many_books().await;
    let line = line!() + 4;
    let heard = warnings(async move {
        for id in 1..=40 {
            let book = db.get::<Book>(id).await.unwrap();
            book.author.get().await.unwrap();
        }
    })
    .await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    let value = |name| heard[0].iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str());
    assert_eq!((value("model"), value("relation")), (Some("Book"), Some("author")));
    let place = value("at").unwrap();
    assert!(place.contains(&format!("warnings.rs:{line}:")), "{place}");
    assert!(value("message").unwrap().contains("with("), "{heard:?}");
}

#[tokio::test]
async fn a_loop_over_one_result_is_not_warned_of() {
    let db = many_books().await;
    let heard = warnings(async move {
        for book in db.find(Book::all()).all().await.unwrap() {
            assert_eq!(book.author.get().await.unwrap().id, book.author_id);
        }
    })
    .await;
    assert!(heard.is_empty(), "{heard:?}");
}

#[tokio::test]
async fn a_few_single_loads_are_not_warned_of() {
    let db = many_books().await;
    let heard = warnings(async move {
        for id in 1..=5 {
            db.get::<Book>(id).await.unwrap().author.get().await.unwrap();
        }
        for id in 1..=5 {
            db.get::<Book>(id).await.unwrap().author.get().await.unwrap();
        }
    })
    .await;
    assert!(heard.is_empty(), "{heard:?}");
}

#[tokio::test]
async fn a_loop_of_get_one_only_is_warned_of() {
    let db = many_books().await;
    let heard = warnings(async move {
        for author in db.find(Author::all()).all().await.unwrap() {
            author.books.get_one_only().await.unwrap();
        }
        for book in db.find(Book::all()).all().await.unwrap() {
            book.tags.get_one_only().await.unwrap();
        }
    })
    .await;
    // three authors are no loop that costs
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(heard[0].contains(&("relation", "tags".to_owned())), "{heard:?}");
}
