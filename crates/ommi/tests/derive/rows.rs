//! Writing and reading instances, and what is assigned before a write.

use ommi::model::Touch;
use ommi::prelude::*;
use ommi::value::Datum;
use serde::{Deserialize, Serialize};

use super::{StoredRow, assert_round_trip, decode, encode};

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Everything {
    #[ommi(key)]
    id: u64,
    flag: bool,
    small: i8,
    large: Option<u64>,
    single: f32,
    double: f64,
    price: Decimal,
    text: String,
    bytes: Vec<u8>,
    uuid: Uuid,
    date: Date,
    time: Time,
    naive: DateTime,
    instant: Timestamp,
    duration: Duration,
    json: Json,
    tags: Vec<String>,
    counts: Option<Vec<i32>>,
    #[ommi(skip)]
    skipped: u8,
}

// the default date of `jiff` is in the year 0, which no database need keep
fn everything() -> Everything {
    let date = Date::new(1, 1, 1).unwrap();
    Everything { date, naive: date.at(23, 59, 59, 999_999_000), ..Everything::default() }
}

#[test]
fn every_type_comes_back_as_it_went_in() {
    assert_round_trip(everything());
    assert_round_trip(Everything {
        id: u64::MAX,
        flag: true,
        small: i8::MIN,
        large: Some(u64::MAX),
        single: f32::MAX,
        double: f64::MIN_POSITIVE,
        price: dec!(-0.000000000000000000000001),
        text: "größer ☃".into(),
        bytes: vec![0, 255],
        uuid: Uuid::from_u128(7),
        date: Date::new(2024, 2, 29).unwrap(),
        tags: vec![String::new(), "a,b".into()],
        counts: Some(vec![i32::MIN, 0]),
        ..everything()
    });
}

#[test]
fn a_skipped_field_is_its_default_when_read() {
    let row = encode(&Everything { skipped: 7, ..everything() }).unwrap();
    assert_eq!(decode::<Everything>(&row).unwrap().skipped, 0);
}

#[test]
fn a_null_in_a_required_field_is_a_decode_error() {
    let mut row = encode(&everything()).unwrap();
    row.0[7] = Datum::Null;
    let error = decode::<Everything>(&row).unwrap_err();
    assert!(error.is_decode() && error.message().contains("Option"), "{error}");
}

#[test]
fn a_value_that_cannot_be_stored_names_its_model_and_field() {
    let error = encode(&Everything { text: "a\0b".into(), ..everything() }).unwrap_err();
    assert!(error.is_query());
    assert_eq!((error.model(), error.fields()), (Some("Everything"), &["text".to_owned()][..]));
}

#[test]
fn normalizing_cuts_finer_digits_and_negative_zero() {
    let mut everything = Everything {
        double: -0.0,
        time: Time::new(1, 2, 3, 4_005_006).unwrap(),
        instant: Timestamp::from_nanosecond(1_001).unwrap(),
        ..Everything::default()
    };
    everything.normalize();
    assert!(everything.double.is_sign_positive());
    assert_eq!(everything.time, Time::new(1, 2, 3, 4_005_000).unwrap());
    assert_eq!(everything.instant, Timestamp::from_nanosecond(1_000).unwrap());
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
enum Shape {
    Circle { radius: f64 },
    Nothing,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Drawing {
    #[ommi(key)]
    id: i32,
    #[ommi(json)]
    shape: Shape,
    #[ommi(json)]
    shapes: Option<Vec<Shape>>,
}

#[test]
fn json_fields_hold_what_serde_can_write() {
    assert_round_trip(Drawing { id: 1, shape: Shape::Circle { radius: 0.5 }, shapes: Some(vec![Shape::Nothing]) });
    let none = Drawing { id: 1, shape: Shape::Nothing, shapes: None };
    assert_eq!(encode(&none).unwrap().0[2], Datum::Null);
    assert_round_trip(none);
    let _: ommi::Field<Drawing, Option<Json>> = Drawing::SHAPES;
    assert!(Drawing::definition().fields()[2].nullable);
}

#[test]
fn json_is_read_from_text_too_and_a_misfit_is_a_decode_error() {
    let row = |text: &str| StoredRow(vec![Datum::Int(1), Datum::Text(text.into()), Datum::Null]);
    assert_eq!(decode::<Drawing>(&row("\"Nothing\"")).unwrap().shape, Shape::Nothing);
    assert!(decode::<Drawing>(&row("\"Square\"")).unwrap_err().is_decode());
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Counted {
    #[ommi(key, auto)]
    id: u8,
    #[ommi(version)]
    version: u16,
    #[ommi(created)]
    created: Timestamp,
    #[ommi(updated)]
    updated: Option<DateTime>,
    #[ommi(auto)]
    token: Uuid,
}

#[test]
fn an_automatic_integer_is_null_until_it_is_assigned() {
    let mut counted = Counted::default();
    assert!(counted.is_unassigned());
    assert_eq!(encode(&counted).unwrap().0[0], Datum::Null);
    counted.assign(200).unwrap();
    assert!(!counted.is_unassigned());
    assert_eq!(encode(&counted).unwrap().0[0], Datum::Int(200));
    assert!(counted.assign(256).unwrap_err().is_decode());
    assert_eq!(Counted::definition().auto(), Some(0));
}

#[test]
fn the_version_is_read_and_set() {
    let mut counted = Counted { version: 3, ..Counted::default() };
    assert_eq!(counted.version(), Some(3));
    counted.set_version(4).unwrap();
    assert_eq!(counted.version, 4);
    assert!(counted.set_version(1 << 16).unwrap_err().is_decode());
    assert_eq!(Drawing { id: 1, shape: Shape::Nothing, shapes: None }.version(), None);
    assert_eq!(Counted::definition().version(), Some(1));
}

#[test]
fn times_and_uuids_are_filled_in_before_a_write() {
    let first = Timestamp::from_microsecond(1_000_001).unwrap();
    let mut counted = Counted::default();
    counted.touch(Touch::Insert, first);
    assert_eq!(counted.created, first);
    assert_eq!(counted.updated, Some(DateTime::new(1970, 1, 1, 0, 0, 1, 1_000).unwrap()));
    assert!(!counted.token.is_nil());
    let before = counted.clone();
    counted.touch(Touch::Update, Timestamp::from_microsecond(2_000_000).unwrap());
    assert_eq!((counted.created, counted.token), (before.created, before.token));
    assert_ne!(counted.updated, before.updated);
}

#[test]
fn a_uuid_that_is_given_is_kept() {
    let token = Uuid::from_u128(1);
    let mut counted = Counted { token, ..Counted::default() };
    counted.touch(Touch::Insert, Timestamp::UNIX_EPOCH);
    assert_eq!(counted.token, token);
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Session {
    #[ommi(key, auto)]
    id: Option<Uuid>,
}

#[test]
fn a_uuid_key_is_made_by_the_engine_and_not_by_the_database() {
    let mut session = Session::default();
    assert!(!session.is_unassigned());
    session.touch(Touch::Insert, Timestamp::UNIX_EPOCH);
    assert!(session.id.is_some());
    let _: fn(Uuid) = |_: <Session as Model>::Key| {};
    assert_round_trip(session);
}
