//! Derives in places and with names that are easy to get wrong.

use ommi::Model as _;

use super::super::public;
use super::assert_round_trip;

/// Nothing of the prelude is in scope, and its names mean other things.
#[no_implicit_prelude]
mod without_a_prelude {
    struct Option;
    struct Result;
    struct Vec;
    struct Box;
    struct String;
    trait Clone {}
    trait Default {}
    trait Send {}

    impl Clone for (Option, Result, Vec, Box, String) {}
    impl Default for (Option, Result) {}
    impl Send for (Option, Result) {}

    fn unused<T: Clone, U: Default + Send>() {}

    #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq, ::ommi::Value)]
    pub(super) struct Place {
        pub(super) name: ::std::string::String,
        pub(super) note: ::core::option::Option<i32>,
    }

    #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq, ::ommi::Value)]
    pub(super) enum Some {
        Ok,
        None,
    }

    #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq, ::ommi::Value)]
    #[ommi(auto)]
    pub(super) struct Err(pub(super) i64);

    #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq, ::ommi::Model)]
    #[ommi(unique(text, some, where = Self::TEXT.ne("")), check(short = Self::TEXT.ne("x")))]
    pub(super) struct Bare {
        #[ommi(key, auto)]
        pub(super) id: Err,
        #[ommi(max_length = 3, default = "a")]
        pub(super) text: ::std::string::String,
        pub(super) some: ::core::option::Option<Some>,
        #[ommi(embed)]
        pub(super) place: ::core::option::Option<Place>,
        #[ommi(json)]
        pub(super) list: ::std::vec::Vec<u8>,
        #[ommi(created)]
        pub(super) created: ::ommi::Timestamp,
        #[ommi(auto)]
        pub(super) token: ::ommi::Uuid,
        #[ommi(version)]
        pub(super) version: i64,
        #[ommi(references = Bare, on_delete = set_null)]
        pub(super) next: ::core::option::Option<Err>,
    }

    pub(super) fn use_all() {
        unused::<(Option, Result, Vec, Box, String), (Option, Result)>();
    }
}

#[test]
fn generated_code_needs_no_prelude() {
    use without_a_prelude::{Bare, Err, Place, Some};
    without_a_prelude::use_all();
    let place = Option::Some(Place { name: "x".into(), note: None });
    let mut bare = Bare {
        id: Err(1),
        text: "t".into(),
        some: Option::Some(Some::Ok),
        place,
        list: vec![1],
        created: ommi::Timestamp::UNIX_EPOCH,
        token: ommi::Uuid::nil(),
        version: 0,
        next: None,
    };
    bare.touch(ommi::model::Touch::Insert, ommi::Timestamp::UNIX_EPOCH);
    assert_round_trip(bare.clone());
    assert_round_trip(Bare { some: Option::Some(Some::None), place: None, ..bare });
}

#[derive(ommi::Model, Clone, Debug, PartialEq)]
#[allow(non_snake_case, reason = "a name in another case is what is tested")]
struct r#Struct {
    #[ommi(key)]
    r#type: i64,
    row: i32,
    self_: i32,
    decode: i32,
    encode: i32,
    value: f64,
    cell: ommi::Json,
    touch: String,
    number: u8,
    index: Vec<bool>,
    r#fn: Option<i32>,
    OddName: i32,
}

#[test]
fn fields_may_be_named_like_anything() {
    assert_round_trip(r#Struct {
        r#type: 1,
        row: 2,
        self_: 3,
        decode: 4,
        encode: 5,
        value: 6.0,
        cell: ommi::Json::Null,
        touch: "8".into(),
        number: 9,
        index: vec![true],
        r#fn: None,
        OddName: 12,
    });
    let _ = (r#Struct::TYPE, r#Struct::ROW, r#Struct::SELF_, r#Struct::FN, r#Struct::ODD_NAME, r#Struct::INDEX);
}

#[test]
fn structs_may_stand_in_a_function() {
    #[derive(ommi::Value, Clone, Debug, PartialEq)]
    enum Inner {
        One,
    }

    #[derive(ommi::Model, Clone, Debug, PartialEq)]
    struct Local {
        #[ommi(key)]
        id: i64,
        inner: Inner,
        #[ommi(references = Other)]
        other: i64,
    }

    #[derive(ommi::Model, Clone, Debug, PartialEq)]
    struct Other {
        #[ommi(key)]
        id: i64,
    }

    assert_round_trip(Local { id: 1, inner: Inner::One, other: 1 });
    assert_eq!(Other::ID.index(), 0);
}

mod reexporting {
    pub(super) mod deep {
        pub(crate) use ommi as mapper;
    }
}

#[derive(ommi::Model, Clone, Debug, PartialEq)]
#[ommi(crate = reexporting::deep::mapper)]
struct Elsewhere {
    #[ommi(key)]
    id: i64,
}

#[derive(ommi::Value, Clone, Debug, PartialEq)]
#[ommi(crate = reexporting::deep::mapper)]
enum ElsewhereToo {
    One,
}

#[test]
fn the_crate_may_have_another_path() {
    assert_round_trip(Elsewhere { id: 1 });
    assert_eq!(<ElsewhereToo as ommi::Value>::into_datum(ElsewhereToo::One), ommi::value::Datum::Text("One".into()));
}

macro_rules! model {
    ($name:ident { $($field:ident: $of:ty,)* }) => {
        #[derive(ommi::Model, Clone, Debug, PartialEq)]
        struct $name {
            #[ommi(key)]
            id: i64,
            $($field: $of,)*
        }
    };
}

model!(FromMacro { maybe: Option<i32>, name: String, });

#[test]
fn models_may_be_written_by_macros() {
    assert!(FromMacro::definition().fields()[1].nullable);
    assert_round_trip(FromMacro { id: 1, maybe: Some(1), name: "x".into() });
}

#[test]
fn constants_have_the_visibility_of_their_fields() {
    let _ = public::Open::ID.eq(1) & public::Open::SECRET.eq("x") & public::hidden();
    let _ = public::Open::ANCIENT;
}
