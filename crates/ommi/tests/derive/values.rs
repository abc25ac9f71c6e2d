//! Enums and newtypes as values.

use ommi::prelude::*;
use ommi::value::{AutoValue, Cell, Datum, EnumType, ValueType};

use super::assert_round_trip;

#[derive(Value, Clone, PartialEq, Debug)]
#[ommi(rename_all = "kebab-case")]
enum Status {
    InTransit,
    #[ommi(rename = "here")]
    Arrived,
    r#Lost,
}

// no `Debug`, no `PartialEq`: a value needs neither
#[derive(Value, Clone)]
#[ommi(name = "hue")]
enum Color {
    Red,
}

#[derive(Value, Clone, Debug, PartialEq)]
#[ommi(integer)]
enum Level {
    Low = -1,
    Middle,
    High = 10,
    Higher,
}

#[derive(Value, Clone, Debug, Default, PartialEq)]
struct Email(String);

#[derive(Value, Clone, Debug, Default, PartialEq)]
#[ommi(auto)]
struct UserId(pub i64);

#[derive(Value, Clone, Debug, Default, PartialEq)]
struct Tags(Vec<String>);

#[derive(Value, Clone, Debug, Default, PartialEq)]
struct Price(Decimal);

#[derive(Model, Clone, Debug, PartialEq)]
struct User {
    #[ommi(key, auto)]
    id: UserId,
    #[ommi(max_length = 10, unique, default = Email("nobody".into()))]
    email: Email,
    #[ommi(default = Status::Arrived)]
    status: Status,
    past: Vec<Status>,
    level: Option<Level>,
    levels: Vec<Level>,
    tags: Tags,
    #[ommi(decimal(6, 2))]
    limit: Option<Price>,
    #[ommi(references = User)]
    friend: Option<UserId>,
}

fn user() -> User {
    User {
        id: UserId(1),
        email: Email("a@b.c".into()),
        status: Status::InTransit,
        past: vec![Status::Lost, Status::Arrived],
        level: Some(Level::Low),
        levels: vec![Level::Higher, Level::Middle],
        tags: Tags(vec!["x".into()]),
        limit: Some(Price(dec!(10.5))),
        friend: None,
    }
}

#[test]
fn enums_and_newtypes_come_back_as_they_went_in() {
    assert_round_trip(user());
}

#[test]
fn an_enum_is_the_text_of_its_variant() {
    let texts = [Status::InTransit, Status::Arrived, Status::Lost].map(|status| status.into_datum());
    assert_eq!(texts, ["in-transit", "here", "lost"].map(|text| Datum::Text(text.into())));
    assert_eq!(Status::decode(Cell::Text("here")).unwrap(), Status::Arrived);
    assert_eq!(Status::value_type(), ValueType::Enum(EnumType::new("Status", &["in-transit", "here", "lost"]).into()));
    assert_eq!(Color::value_type(), ValueType::Enum(EnumType::new("hue", &["Red"]).into()));
    let _ = vec![Color::Red].into_datum();
}

#[test]
fn a_text_that_is_no_variant_lists_those_that_are() {
    let error = Status::decode(Cell::Text("Arrived")).unwrap_err();
    assert!(error.is_decode());
    assert!(error.message().contains("`in-transit`, `here`, `lost`"), "{error}");
    assert!(Status::decode(Cell::Int(1)).unwrap_err().is_decode());
    assert!(Status::decode(Cell::Null).unwrap_err().message().contains("Option"));
}

#[test]
fn an_integer_enum_is_the_number_of_its_variant() {
    let numbers = [Level::Low, Level::Middle, Level::High, Level::Higher].map(|level| level.into_datum());
    assert_eq!(numbers, [-1, 0, 10, 11].map(Datum::Int));
    assert_eq!(Level::decode(Cell::Int(11)).unwrap(), Level::Higher);
    assert_eq!(Level::value_type(), ValueType::I64);
    let error = Level::decode(Cell::Int(5)).unwrap_err();
    assert!(error.is_decode() && error.message().contains("Level"), "{error}");
}

#[test]
fn a_newtype_is_stored_as_what_it_holds() {
    assert_eq!(Email("x".into()).into_datum(), Datum::Text("x".into()));
    assert_eq!(Tags::value_type(), ValueType::List(Box::new(ValueType::Text)));
    let fields = User::definition().fields();
    assert_eq!(fields[1].default, Some(Datum::Text("nobody".into())));
    assert_eq!(fields[2].default, Some(Datum::Text("here".into())));
    assert_eq!(fields[7].value_type.to_string(), "decimal(6, 2)");
}

#[test]
fn a_newtype_of_an_integer_may_be_automatic() {
    let mut user = User { id: UserId::default(), ..user() };
    assert!(user.is_unassigned());
    user.assign(5).unwrap();
    assert_eq!(user.id, UserId(5));
    assert_eq!(UserId::generate(), None);
}

#[test]
fn queries_take_values_of_the_own_type() {
    let _ = User::EMAIL.eq(Email("x".into())) & User::STATUS.ne(Status::Lost) & User::LEVEL.eq(Level::Low);
    let _ = User::LEVEL.gt(Some(Level::Middle)) | User::ID.in_([UserId(1), UserId(2)]);
}
