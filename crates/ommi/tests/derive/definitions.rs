//! The definition of a model, by the attributes of its struct and its fields.

use ommi::model::{OnChange, ReferenceTarget};
use ommi::prelude::*;
use ommi::query::{Condition, Direction};
use ommi::value::{Datum, DecimalSize, ValueType};
use ommi::{Field, NoKey};

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Author {
    #[ommi(key, auto)]
    id: i64,
    #[ommi(max_length = 80, index)]
    name: String,
    #[ommi(unique)]
    email: String,
    born: Option<Date>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(table = "library.books", rename_all = "camelCase")]
#[ommi(unique(title, edition), index(author_id, desc(published_on), name = "by_author", where = Self::PRICE.gt(0)))]
#[ommi(check(sane_edition = Self::EDITION.ge(1), dated = Self::PUBLISHED_ON.is_not_null()))]
struct Book {
    #[ommi(key, auto)]
    id: i64,
    title: String,
    edition: u16,
    #[ommi(decimal(10, 2), check = Self::PRICE.ge(0), default = dec!(9.99))]
    price: Decimal,
    #[ommi(references = Author, on_delete = cascade, on_update = restrict)]
    author_id: i64,
    #[ommi(references = Author::EMAIL, unenforced)]
    editor_email: Option<String>,
    #[ommi(name = "date")]
    published_on: Option<Date>,
    #[ommi(index(desc))]
    rating: Option<f64>,
    #[ommi(skip)]
    cached: std::sync::OnceLock<u8>,
    #[ommi(json)]
    notes: Vec<(String, i32)>,
    r#type: String,
    #[ommi(constant = SORT_KEY, unique = "shelf", default = "a")]
    key: String,
    #[ommi(unique = "shelf", index = "place")]
    row: i32,
    #[ommi(index = "place")]
    column: i32,
}

#[test]
fn each_stored_field_has_a_constant_with_its_index() {
    let constants = [
        Book::ID.index(),
        Book::TITLE.index(),
        Book::EDITION.index(),
        Book::PRICE.index(),
        Book::AUTHOR_ID.index(),
        Book::EDITOR_EMAIL.index(),
        Book::PUBLISHED_ON.index(),
        Book::RATING.index(),
        Book::NOTES.index(),
        Book::TYPE.index(),
        Book::SORT_KEY.index(),
        Book::ROW.index(),
        Book::COLUMN.index(),
    ];
    assert!(constants.iter().copied().eq(0..13));
    let _: Field<Book, Option<Date>> = Book::PUBLISHED_ON;
    let _: Field<Book, Json> = Book::NOTES;
}

#[test]
fn names_are_kept_unless_an_attribute_changes_them() {
    let stored = |name: &str| {
        let definition = Book::definition();
        definition.field(definition.index_of(name).unwrap()).unwrap().column.to_string()
    };
    assert_eq!(Book::definition().table().to_string(), "library.books");
    assert_eq!(&**Book::definition().name(), "Book");
    assert_eq!(stored("author_id"), "authorId");
    assert_eq!(stored("published_on"), "date");
    assert_eq!(stored("type"), "type");
    assert_eq!(Author::definition().table().to_string(), "Author");
    assert_eq!(Author::definition().fields()[3].column, "born".into());
}

#[test]
fn fields_have_their_types_and_rules() {
    let [id, name, _, born] = Author::definition().fields() else { panic!("four fields") };
    assert!(id.auto && !id.nullable);
    assert_eq!((name.max_length, &name.value_type), (Some(80), &ValueType::Text));
    assert_eq!((born.nullable, &born.value_type), (true, &ValueType::Date));
    let book = Book::definition();
    let price = book.field(Book::PRICE.index()).unwrap();
    assert_eq!(price.value_type, ValueType::Decimal(Some(DecimalSize { precision: 10, scale: 2 })));
    assert_eq!(price.default, Some(Datum::Decimal(dec!(9.99))));
    assert_eq!(book.field(Book::SORT_KEY.index()).unwrap().default, Some(Datum::Text("a".into())));
    assert_eq!(book.field(Book::NOTES.index()).unwrap().value_type, ValueType::Json);
    assert_eq!(book.problems(), [] as [String; 0]);
}

#[test]
fn indexes_come_from_fields_groups_and_the_struct() {
    let found: Vec<_> = Book::definition()
        .indexes()
        .iter()
        .map(|index| {
            let fields: Vec<_> =
                index.fields.iter().map(|(field, direction)| (*field, *direction == Direction::Descending)).collect();
            (index.unique, fields, index.name.as_deref(), index.condition.is_some())
        })
        .collect();
    assert_eq!(
        found,
        [
            (false, vec![(7, true)], None, false),
            (true, vec![(10, false), (11, false)], None, false),
            (false, vec![(11, false), (12, false)], None, false),
            (true, vec![(1, false), (2, false)], None, false),
            (false, vec![(4, false), (6, true)], Some("by_author"), true),
        ]
    );
}

#[test]
fn checks_have_names_and_conditions() {
    let checks: Vec<_> = Book::definition().checks().iter().map(|check| &*check.name).collect();
    assert_eq!(checks, ["price_check", "sane_edition", "dated"]);
    assert_eq!(Book::definition().checks()[0].condition, *Book::PRICE.ge(0).condition());
    assert!(!matches!(Book::definition().checks()[2].condition, Condition::Const(_)));
}

#[test]
fn references_lead_to_a_key_or_to_a_field() {
    let [author, editor] = Book::definition().references() else { panic!("two references") };
    assert_eq!((author.on_delete, author.on_update, author.enforced), (OnChange::Cascade, OnChange::Restrict, true));
    assert_eq!(author.target_indexes(Author::definition()), Some(vec![0]));
    assert!(matches!(author.target, ReferenceTarget::Model(_)));
    assert!(!editor.enforced);
    assert_eq!(editor.fields, [5]);
    assert_eq!(editor.target_indexes(Author::definition()), Some(vec![2]));
    let models = [Author::definition().clone(), Book::definition().clone()];
    ommi::model::validate(&models).unwrap();
}

#[derive(Model, Clone)]
#[ommi(references((time_hour, origin) = Weather, unenforced), references((a, b) = Weather(time_hour, origin)))]
#[ommi(name = "Trip", rename_all = "SCREAMING_SNAKE_CASE")]
struct Flight {
    #[ommi(key)]
    time_hour: Timestamp,
    #[ommi(key, name = "Carrier")]
    carrier: String,
    #[ommi(key)]
    flight: i32,
    origin: Option<String>,
    a: Timestamp,
    b: String,
    #[ommi(references = Self::FLIGHT, unenforced)]
    previous: Option<i32>,
}

#[derive(Model, Clone)]
struct Weather {
    #[ommi(key)]
    time_hour: Timestamp,
    #[ommi(key)]
    origin: String,
}

#[test]
fn keys_and_references_may_be_composite() {
    let flight = Flight::definition();
    assert_eq!(flight.key(), [0, 1, 2]);
    assert_eq!(flight.table().to_string(), "Trip");
    assert_eq!(flight.fields()[0].column, "TIME_HOUR".into());
    assert_eq!(flight.fields()[1].column, "Carrier".into());
    let _: fn(<Flight as Model>::Key) = |_: (Timestamp, String, i32)| {};
    let [previous, whole, named] = flight.references() else { panic!("three references") };
    assert_eq!((&*previous.fields, previous.target_indexes(flight)), (&[6][..], Some(vec![2])));
    assert_eq!(whole.target_indexes(Weather::definition()), Some(vec![0, 1]));
    assert_eq!(named.fields, [4, 5]);
    assert_eq!(named.target_indexes(Weather::definition()), Some(vec![0, 1]));
    assert!(named.enforced && !whole.enforced);
}

#[derive(Model, Clone)]
#[ommi(read_only, table = "author_totals")]
struct AuthorTotal {
    author_id: i64,
    books: i64,
}

#[test]
fn a_view_has_no_key() {
    let _: fn(NoKey) = |_: <AuthorTotal as Model>::Key| {};
    assert!(AuthorTotal::definition().key().is_empty());
    assert_eq!(AuthorTotal::definition().problems(), [] as [String; 0]);
    assert_eq!((AuthorTotal::AUTHOR_ID.index(), AuthorTotal::BOOKS.index()), (0, 1));
}

#[derive(Model, Clone)]
struct Node {
    #[ommi(key)]
    id: Uuid,
    #[ommi(references = Node)]
    parent: Option<Uuid>,
    #[ommi(references = Twin)]
    twin: Option<i64>,
}

#[derive(Model, Clone)]
struct Twin {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Node::ID)]
    node: Uuid,
}

#[test]
fn models_may_reference_themselves_and_each_other() {
    ommi::model::validate(&[Node::definition().clone(), Twin::definition().clone()]).unwrap();
}
