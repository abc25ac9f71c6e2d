//! Relation fields as parts of plain structs.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use ommi::prelude::*;

#[derive(Model, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
struct Shelf {
    #[ommi(key)]
    id: i64,
    #[serde(default, skip_serializing_if = "Many::is_unloaded")]
    boxes: Many<Crate>,
}

#[derive(Model, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
struct Crate {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Shelf, unenforced)]
    shelf_id: Option<i64>,
    #[serde(default, skip_serializing_if = "One::is_unloaded")]
    shelf: One<Option<Shelf>>,
    #[ommi(references = Crate, unenforced)]
    next_id: Option<i64>,
    next: One<Option<Crate>>,
}

async fn shelves() -> Db {
    let db = ommi::testing::database::<(Shelf, Crate)>().await.unwrap();
    db.add_all([1, 2].map(|id| Shelf { id, ..Default::default() })).await.unwrap();
    let new = |id, shelf_id, next_id| Crate { id, shelf_id, next_id, ..Default::default() };
    db.add_all([new(5, Some(1), Some(6)), new(6, None, Some(5))]).await.unwrap();
    db
}

#[test]
fn they_take_no_more_than_16_bytes_and_go_everywhere() {
    fn goes_everywhere<T: Send + Sync + Unpin + Default + Clone + 'static>() {}
    goes_everywhere::<One<Shelf>>();
    goes_everywhere::<One<Option<Crate>>>();
    goes_everywhere::<Many<Shelf>>();
    fn is_send<T: Send>(_: T) {}
    let shelf = Shelf::default();
    is_send(shelf.boxes.get());
    is_send(shelf.boxes.get_one_only());
    assert!(size_of::<One<Shelf>>() <= 16);
    assert!(size_of::<One<Option<Shelf>>>() <= 16);
    assert!(size_of::<Many<Shelf>>() <= 16);
}

#[tokio::test]
async fn they_are_equal_and_do_not_count_in_orders_and_hashes() {
    let db = shelves().await;
    let read = db.get::<Crate>(5).await.unwrap();
    read.shelf.get().await.unwrap();
    let made = Crate { id: 5, shelf_id: Some(1), next_id: Some(6), ..Default::default() };
    assert_eq!(read, made);
    assert_eq!(read.cmp(&made), Ordering::Equal);
    let hash = |of: &Crate| {
        let mut hasher = DefaultHasher::new();
        of.hash(&mut hasher);
        hasher.finish()
    };
    assert_eq!(hash(&read), hash(&made));
    let mut given = made.clone();
    given.shelf.set(Some(Shelf { id: 9, ..Default::default() }));
    assert_eq!(given, made);
    #[expect(clippy::mutable_key_type, reason = "what changes in a relation does not count in its hash")]
    let all: HashSet<Crate> = [read, made, given].into();
    assert_eq!(all.len(), 1);
}

#[tokio::test]
async fn they_go_through_serde_and_come_back_detached() {
    let db = shelves().await;
    let read = db.get::<Crate>(5).await.unwrap();
    let unloaded = serde_json::to_string(&read).unwrap();
    // a field without the attribute is null where nothing is loaded
    assert_eq!(unloaded, r#"{"id":5,"shelf_id":1,"next_id":6,"next":null}"#);
    read.shelf.get().await.unwrap();
    let loaded = serde_json::to_string(&read).unwrap();
    assert_eq!(loaded, r#"{"id":5,"shelf_id":1,"shelf":{"id":1},"next_id":6,"next":null}"#);
    for text in [unloaded, loaded] {
        let back: Crate = serde_json::from_str(&text).unwrap();
        assert_eq!(back, read);
        assert!(back.next.get().await.unwrap_err().is_detached());
    }
    let many = db.find(Shelf::ID.eq(1)).with(Shelf::BOXES).one().await.unwrap();
    let text = serde_json::to_string(&many).unwrap();
    assert_eq!(text, r#"{"id":1,"boxes":[{"id":5,"shelf_id":1,"next_id":6,"next":null}]}"#);
    assert_eq!(serde_json::from_str::<Shelf>(&text).unwrap(), many);
}

#[tokio::test]
async fn debug_says_what_is_loaded_and_ends_on_circles() {
    let db = shelves().await;
    let first = db.get::<Crate>(5).await.unwrap();
    assert_eq!(
        format!("{first:?}"),
        "Crate { id: 5, shelf_id: Some(1), shelf: not loaded, next_id: Some(6), next: not loaded }"
    );
    let second = first.next.get().await.unwrap().unwrap();
    let third = second.next.get().await.unwrap().unwrap();
    assert_eq!(third, &first);
    third.next.get().await.unwrap();
    third.shelf.get().await.unwrap();
    assert_eq!(
        format!("{third:?}"),
        "Crate { id: 5, shelf_id: Some(1), shelf: loaded, next_id: Some(6), next: loaded }"
    );
    assert!(format!("{first:#?}").contains("next: loaded"));
    assert_eq!(format!("{:?}", first.shelf.get()), "Get(loading)");
    assert_eq!(format!("{:?}", first.next.get()), "Get(ready)");
}

#[tokio::test]
async fn what_is_read_outlives_its_siblings_and_its_handle() {
    let db = shelves().await;
    let mut all = db.find(Crate::all()).order_by(Crate::ID.asc()).all().await.unwrap();
    let kept = all.remove(0);
    drop(all);
    drop(db);
    let loaded = kept.next.get().await.unwrap().unwrap().clone();
    drop(kept);
    assert_eq!(loaded.id, 6);
    assert_eq!(loaded.next.get().await.unwrap().unwrap().id, 5);
}
