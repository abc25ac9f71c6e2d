//! Values as keys of groups, sets and indexes.

use super::compare::binary_fraction;
use crate::value::{Date, DateTime, Datum, Decimal, Duration, Json, Time, Timestamp, Uuid};

/// A value in a form that hashes and sorts: values have the same key just if they are equal (null
/// is equal to null here, as in groups).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey(Key);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Null,
    Bool(bool),
    /// Any number that is an integer of up to 18 digits.
    Int(i64),
    /// A float that is no decimal, by its bits.
    Float(u64),
    /// Any number that is a decimal, without trailing zeros.
    Decimal(Decimal),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    Uuid(Uuid),
    Date(Date),
    Time(Time),
    DateTime(DateTime),
    Timestamp(Timestamp),
    Duration(Duration),
    List(Box<[Key]>),
    Object(Box<[(Box<str>, Key)]>),
    Json(Box<Key>),
}

impl GroupKey {
    /// The key of a value.
    pub fn new(value: &Datum) -> GroupKey {
        GroupKey(Key::of(value))
    }
}

impl From<&Datum> for GroupKey {
    fn from(value: &Datum) -> Self {
        GroupKey::new(value)
    }
}

impl Key {
    fn of(value: &Datum) -> Key {
        match value {
            Datum::Null => Key::Null,
            Datum::Bool(value) => Key::Bool(*value),
            Datum::Int(value) => Key::Int(*value),
            Datum::UInt(value) => Key::Decimal((*value).into()),
            Datum::Float(value) => Key::float(*value),
            Datum::Decimal(value) => Key::decimal(*value),
            Datum::Text(value) => Key::Text(value.clone()),
            Datum::Bytes(value) => Key::Bytes(value.clone()),
            Datum::Uuid(value) => Key::Uuid(*value),
            Datum::Date(value) => Key::Date(*value),
            Datum::Time(value) => Key::Time(*value),
            Datum::DateTime(value) => Key::DateTime(*value),
            Datum::Timestamp(value) => Key::Timestamp(*value),
            Datum::Duration(value) => Key::Duration(*value),
            Datum::Json(value) => Key::Json(Box::new(Key::json(value))),
            Datum::List(items) => Key::List(items.iter().map(Key::of).collect()),
        }
    }

    fn decimal(value: Decimal) -> Key {
        let value = value.normalize();
        match (value.scale(), i64::try_from(value.mantissa())) {
            (0, Ok(integer)) => Key::Int(integer),
            _ => Key::Decimal(value),
        }
    }

    fn float(value: f64) -> Key {
        if value.is_infinite() {
            return Key::Float(value.to_bits());
        }
        if value.fract() == 0.0 {
            // below 2^90 the cast is exact, and the decimal holds it
            if value.abs() < 2f64.powi(90)
                && let Ok(whole) = Decimal::try_from_i128_with_scale(value as i128, 0)
            {
                return Key::decimal(whole);
            }
            return Key::Float(value.to_bits());
        }
        // A float with a fraction is the decimal mantissa * 5^power / 10^power, if that has few
        // enough digits.
        let (mut mantissa, mut power) = binary_fraction(value);
        let zeros = mantissa.trailing_zeros().min(power);
        mantissa >>= zeros;
        power -= zeros;
        let exact = (power <= Decimal::MAX_SCALE).then(|| mantissa * 5u128.pow(power));
        let exact = exact.and_then(|mantissa| i128::try_from(mantissa).ok());
        match exact.and_then(|mantissa| Decimal::try_from_i128_with_scale(mantissa, power).ok()) {
            Some(exact) => Key::decimal(if value < 0.0 { -exact } else { exact }),
            None => Key::Float(value.to_bits()),
        }
    }

    fn json(value: &Json) -> Key {
        match value {
            Json::Null => Key::Null,
            Json::Bool(value) => Key::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Key::Int(value),
                (None, Some(value)) => Key::Decimal(value.into()),
                (None, None) => Key::float(number.as_f64().unwrap_or_default()),
            },
            Json::String(value) => Key::Text(value.as_str().into()),
            Json::Array(items) => Key::List(items.iter().map(Key::json).collect()),
            Json::Object(members) => {
                let mut members: Vec<(Box<str>, Key)> =
                    members.iter().map(|(name, value)| (name.as_str().into(), Key::json(value))).collect();
                members.sort();
                Key::Object(members.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::equal;
    use serde_json::json;

    #[test]
    fn values_share_a_key_just_if_they_are_equal() {
        let decimal = |text: &str| Datum::Decimal(crate::value::decimal::parse(text).unwrap());
        let document = |value| Datum::Json(Box::new(value));
        let values = [
            Datum::Int(0),
            Datum::Float(0.0),
            Datum::Float(-0.0),
            decimal("0.00"),
            decimal("1.5"),
            decimal("1.50"),
            Datum::Float(1.5),
            Datum::Float(-1.5),
            decimal("-1.5"),
            Datum::Float(0.1),
            decimal("0.1"),
            Datum::Int(i64::MAX),
            Datum::UInt(u64::MAX),
            decimal("18446744073709551615"),
            Datum::Float(9_223_372_036_854_775_808.0),
            Datum::UInt(1 << 63),
            Datum::Float(1e300),
            Datum::Float(f64::INFINITY),
            Datum::Float(f64::NEG_INFINITY),
            Datum::Float(4_503_599_627_370_496.0),
            Datum::Float(-4_503_599_627_370_496.0),
            Datum::Float(5e-324),
            Datum::Text("a".into()),
            Datum::Text("A".into()),
            document(json!("a")),
            document(json!({"a": 1, "b": [1.0]})),
            document(json!({"b": [1], "a": 1.0})),
            document(json!(null)),
            Datum::List(vec![Datum::Int(1)]),
            Datum::List(vec![Datum::Int(1), Datum::Int(1)]),
        ];
        for left in &values {
            for right in &values {
                let same = GroupKey::new(left) == GroupKey::new(right);
                assert_eq!(same, equal(left, right) == Some(true), "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn nulls_are_one_group() {
        assert_eq!(GroupKey::new(&Datum::Null), GroupKey::new(&Datum::Null));
        assert_ne!(GroupKey::new(&Datum::Null), GroupKey::new(&Datum::Json(Box::new(json!(null)))));
    }
}
