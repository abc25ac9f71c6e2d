//! Structs whose fields are stored among those of a model.

use ommi::prelude::*;
use ommi::value::{Datum, ValueType};
use ommi::{Embedded, Field};

use super::{assert_round_trip, decode, encode};

#[derive(Value, Clone, Debug, Default, PartialEq)]
struct Position {
    latitude: f64,
    longitude: f64,
}

#[derive(Value, Clone, Debug, Default, PartialEq)]
#[ommi(rename_all = "PascalCase")]
struct Address {
    #[ommi(max_length = 80)]
    street_name: String,
    #[ommi(name = "town", default = "Kyiv")]
    city: Option<String>,
    #[ommi(embed)]
    position: Position,
    #[ommi(embed)]
    entrance: Option<Position>,
    #[ommi(skip)]
    checked: bool,
    #[ommi(json)]
    notes: Vec<String>,
    #[ommi(decimal(4, 1))]
    fee: Decimal,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(index(home.city, name = "by_city"))]
struct User {
    #[ommi(embed)]
    home: Address,
    #[ommi(key)]
    id: i64,
    #[ommi(embed, name = "office")]
    work: Option<Address>,
    name: String,
}

fn address() -> Address {
    Address {
        street_name: "Main".into(),
        city: None,
        position: Position { latitude: 1.0, longitude: 2.0 },
        entrance: None,
        checked: false,
        notes: vec!["a".into()],
        fee: dec!(1.5),
    }
}

#[test]
fn embedded_structs_come_back_as_they_went_in() {
    assert_round_trip(User { home: address(), id: 1, work: None, name: "x".into() });
    let entrance = Some(Position::default());
    assert_round_trip(User { work: Some(Address { entrance, ..address() }), ..User::default() });
}

#[test]
fn their_fields_are_flat_columns_and_nested_paths() {
    let definition = User::definition();
    let names: Vec<_> = definition.fields().iter().map(|field| &*field.name).collect();
    assert_eq!(
        names[..9],
        [
            "home.street_name",
            "home.city",
            "home.position.latitude",
            "home.position.longitude",
            "home.entrance.latitude",
            "home.entrance.longitude",
            "home.notes",
            "home.fee",
            "id",
        ]
    );
    assert_eq!(names.len(), 18);
    let field = |name: &str| definition.field(definition.index_of(name).unwrap()).unwrap();
    assert_eq!(&*field("home.street_name").column, "home_StreetName");
    assert_eq!(&*field("work.city").column, "office_town");
    assert_eq!(field("work.position.latitude").path, ["office", "Position", "latitude"].map(Box::from));
    assert_eq!(field("home.city").default, Some(Datum::Text("Kyiv".into())));
    assert_eq!(field("work.fee").value_type.to_string(), "decimal(4, 1)");
    assert!(field("work.fee").nullable && field("home.entrance.latitude").nullable && !field("home.fee").nullable);
    assert_eq!(definition.indexes()[0].fields[0].0, 1);
}

#[test]
fn constants_after_an_embedded_struct_count_its_fields() {
    assert_eq!((User::ID.index(), User::NAME.index()), (8, 17));
    assert_eq!(User::HOME.at(Address::FEE).index(), 7);
    assert_eq!(User::WORK.at(Address::STREET_NAME).index(), 9);
    assert_eq!(User::WORK.inside(Address::ENTRANCE).at(Position::LONGITUDE).index(), 14);
    let _: Embedded<Address, Position> = Address::POSITION;
}

#[test]
fn fields_of_an_optional_struct_may_be_null() {
    let _: Field<User, String> = User::HOME.at(Address::STREET_NAME);
    let _: Field<User, Option<String>> = User::WORK.at(Address::STREET_NAME);
    let _: Field<User, Option<String>> = User::WORK.at(Address::CITY);
    let _: Field<User, Option<f64>> = User::HOME.inside(Address::ENTRANCE).at(Position::LATITUDE);
    let _: Field<User, Option<f64>> = User::WORK.inside(Address::POSITION).at(Position::LATITUDE);
    let _ = User::WORK.at(Address::STREET_NAME).is_null() & User::WORK.at(Address::CITY).eq("Kyiv");
}

#[test]
fn an_absent_struct_is_all_nulls() {
    let row = encode(&User::default()).unwrap();
    assert!(row.0[9..17].iter().all(Datum::is_null));
    assert_eq!(decode::<User>(&row).unwrap().work, None);
    assert_eq!(User::definition().fields()[9].value_type, ValueType::Text);
}

#[test]
fn the_fields_of_embedded_structs_are_normalized() {
    let negative = Position { latitude: -0.0, longitude: 0.0 };
    let home = Address { entrance: Some(negative.clone()), position: negative, ..address() };
    let mut user = User { work: Some(home.clone()), home, ..User::default() };
    user.normalize();
    let work = user.work.unwrap();
    for position in [&user.home.position, user.home.entrance.as_ref().unwrap(), &work.position] {
        assert!(position.latitude.is_sign_positive());
    }
}
