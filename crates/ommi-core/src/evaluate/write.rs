//! The rows that writes make.

use super::expr::Evaluator;
use crate::error::{ConstraintKind, Error, Result};
use crate::model::{FieldDef, ModelDef};
use crate::query::{Condition, Expr};
use crate::value::{Datum, ValueType, decimal};

use super::arithmetic::{float, whole};
use super::compare::{decimal as as_decimal, integer};

/// The row that assignments make of a row: all right-hand sides see the old values.
///
/// `inserted` is the row that an upsert would have inserted. The new row is not yet checked.
///
/// # Errors
///
/// `Query` if a value is outside the type of its field.
pub fn assign(
    model: &ModelDef,
    assignments: &[(u16, Expr)],
    row: &[Datum],
    parameters: &[Datum],
    inserted: Option<&[Datum]>,
) -> Result<Vec<Datum>> {
    let mut evaluator = Evaluator::new(parameters);
    if let Some(inserted) = inserted {
        evaluator = evaluator.with_inserted(inserted);
    }
    let mut new = row.to_vec();
    for (index, expr) in assignments {
        let value = evaluator.value(expr, row)?.into_owned();
        let (Some(field), Some(slot)) = (model.field(*index), new.get_mut(usize::from(*index))) else {
            return Err(Error::query(format!("the model has no field {index} to assign to")).with_model(model.name()));
        };
        *slot = fit(field, value).map_err(|error| error.with_model(model.name()))?;
    }
    Ok(new)
}

/// Brings a value to the form in which a field stores it: numbers to the field's type, decimals to
/// its scale, times to microseconds.
///
/// A decimal that does not fit the size of the field stays as it is: [`check_row`] refuses it.
///
/// # Errors
///
/// `Query` if the value is outside the type of the field, or of another kind.
pub fn fit(field: &FieldDef, mut value: Datum) -> Result<Datum> {
    value.normalize();
    let outside = |value: &dyn std::fmt::Display| {
        let field_type = &field.value_type;
        Error::query(format!("{value} is outside `{}`, which is of type {field_type}", field.name))
            .with_fields([&*field.name])
    };
    if let Some((least, greatest)) = field.value_type.integer_range() {
        return match integer(&value) {
            Some(number) if (least..=greatest).contains(&number) => Ok(whole(number)),
            Some(number) => Err(outside(&number)),
            None if value.is_null() => Ok(value),
            None => Err(wrong_kind(field, &value)),
        };
    }
    match (&field.value_type, value) {
        (_, Datum::Null) => Ok(Datum::Null),
        (ValueType::F32, value) => {
            let wide = float(&value).ok_or_else(|| wrong_kind(field, &value))?;
            let single = wide as f32;
            match single.is_infinite() && wide.is_finite() {
                true => Err(outside(&wide)),
                false => Ok(Datum::Float(single.into())),
            }
        }
        (ValueType::F64, value) => float(&value).map(Datum::Float).ok_or_else(|| wrong_kind(field, &value)),
        (ValueType::Decimal(size), value) => {
            let number = as_decimal(&value).ok_or_else(|| wrong_kind(field, &value))?;
            Ok(Datum::Decimal(match size {
                Some(size) => decimal::fit(number, *size).unwrap_or(number),
                None => number.normalize(),
            }))
        }
        (ValueType::Enum(of), Datum::Text(text)) => match of.variants.iter().any(|variant| **variant == *text) {
            true => Ok(Datum::Text(text)),
            false => Err(Error::query(format!("`{text}` is not a variant of {}", of.name)).with_fields([&*field.name])),
        },
        (ValueType::Bool, value @ Datum::Bool(_))
        | (ValueType::Text, value @ Datum::Text(_))
        | (ValueType::Bytes, value @ Datum::Bytes(_))
        | (ValueType::Uuid, value @ Datum::Uuid(_))
        | (ValueType::Date, value @ Datum::Date(_))
        | (ValueType::Time, value @ Datum::Time(_))
        | (ValueType::DateTime, value @ Datum::DateTime(_))
        | (ValueType::Timestamp, value @ Datum::Timestamp(_))
        | (ValueType::Duration, value @ Datum::Duration(_))
        | (ValueType::Json, value @ Datum::Json(_)) => Ok(value),
        (ValueType::List(item), Datum::List(items)) => {
            let item = FieldDef::new(field.name.clone(), (**item).clone());
            items.into_iter().map(|value| fit(&item, value)).collect::<Result<_>>().map(Datum::List)
        }
        (_, value) => Err(wrong_kind(field, &value)),
    }
}

#[cold]
fn wrong_kind(field: &FieldDef, value: &Datum) -> Error {
    Error::query(format!(
        "`{}` is of type {} and cannot hold {}",
        field.name,
        field.value_type,
        value.cell().type_name()
    ))
    .with_fields([&*field.name])
}

/// Checks a whole row: what its fields can keep, and the rules of the model.
///
/// # Errors
///
/// `Query` for what no field can keep, `Constraint` for null in a required field, a value that
/// does not fit its field, or a check that does not hold.
pub fn check_row(model: &ModelDef, row: &[Datum]) -> Result<()> {
    for (field, value) in model.fields().iter().zip(row) {
        field.check(value.cell()).map_err(|error| error.with_model(model.name()))?;
    }
    let evaluator = Evaluator::new(&[]);
    for check in model.checks() {
        if evaluator.condition(&check.condition, row)? == Some(false) {
            return Err(Error::constraint(
                ConstraintKind::Check,
                format!("the check `{}` does not hold for the row", check.name),
            )
            .with_model(model.name())
            .with_fields(checked_fields(model, &check.condition)));
        }
    }
    Ok(())
}

/// The names of the fields that a condition reads.
fn checked_fields<'a>(model: &'a ModelDef, condition: &Condition) -> Vec<&'a str> {
    let mut names = Vec::new();
    condition.each_expr(&mut |expr| {
        expr.each_field(&mut |index| {
            let name = model.field_name(index);
            if !names.contains(&name) {
                names.push(name);
            }
        });
    });
    names
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{CheckDef, ModelBuilder};
    use crate::query::{ArithmeticOperator, Comparison};
    use crate::value::DecimalSize;

    fn dec(text: &str) -> Datum {
        Datum::Decimal(decimal::parse(text).unwrap())
    }

    fn model() -> Arc<ModelDef> {
        let size = DecimalSize { precision: 5, scale: 2 };
        ModelBuilder::new("Item")
            .field(FieldDef::new("id", ValueType::I64))
            .field(FieldDef::new("a", ValueType::I8))
            .field(FieldDef::new("b", ValueType::I8).nullable(true))
            .field(FieldDef::new("price", ValueType::Decimal(Some(size))))
            .key(["id"])
            .check(CheckDef {
                name: "a_below_b".into(),
                condition: Condition::Compare { operator: Comparison::Lt, left: Expr::Field(1), right: Expr::Field(2) },
            })
            .build()
            .unwrap()
    }

    fn row(a: i64, b: Option<i64>, price: &str) -> Vec<Datum> {
        vec![Datum::Int(1), Datum::Int(a), b.map_or(Datum::Null, Datum::Int), dec(price)]
    }

    fn add(left: Expr, right: Expr, value_type: ValueType) -> Expr {
        Expr::Arithmetic { operator: ArithmeticOperator::Add, left: Box::new(left), right: Box::new(right), value_type }
    }

    #[test]
    fn right_hand_sides_see_the_old_values() {
        let swap = [(1, Expr::Field(2)), (2, Expr::Field(1))];
        let new = assign(&model(), &swap, &row(1, Some(2), "1.00"), &[], None).unwrap();
        assert_eq!(new, row(2, Some(1), "1.00"));
    }

    #[test]
    fn an_upsert_sees_both_rows() {
        let inserted = row(40, Some(50), "2.00");
        let sum = [(1, add(Expr::Field(1), Expr::Inserted(1), ValueType::I8))];
        let new = assign(&model(), &sum, &row(2, Some(3), "1.00"), &[], Some(&inserted)).unwrap();
        assert_eq!(new[1], Datum::Int(42));
    }

    #[test]
    fn values_outside_the_field_are_refused() {
        let model = model();
        let set = |expr| assign(&model, &[(1, expr)], &row(1, Some(2), "1.00"), &[Datum::Int(300)], None);
        let error = set(Expr::Parameter(0)).unwrap_err();
        assert!(error.is_query() && error.fields() == ["a"], "{error}");
        assert!(set(add(Expr::Field(1), Expr::Literal(Datum::Int(127)), ValueType::I64)).unwrap_err().is_query());
        assert!(set(Expr::Literal(Datum::Text("1".into()))).unwrap_err().is_query());
    }

    #[test]
    fn decimals_take_the_scale_of_their_field() {
        let model = model();
        let set = |value: Datum| {
            assign(&model, &[(3, Expr::Literal(value))], &row(1, None, "1.00"), &[], None).unwrap().remove(3)
        };
        let shown = |value: Datum| if let Datum::Decimal(value) = value { value.to_string() } else { panic!() };
        assert_eq!(shown(set(dec("2.5"))), "2.50");
        assert_eq!(shown(set(Datum::Int(3))), "3.00");
        assert_eq!(shown(set(dec("1.234"))), "1.234");
    }

    #[test]
    fn floats_are_rounded_to_their_field() {
        let single = FieldDef::new("f", ValueType::F32);
        assert_eq!(fit(&single, Datum::Float(0.1)).unwrap(), Datum::Float(0.1f32.into()));
        assert!(fit(&single, Datum::Float(1e300)).unwrap_err().is_query());
        assert_eq!(fit(&single, Datum::Float(f64::INFINITY)).unwrap(), Datum::Float(f64::INFINITY));
        let zero = fit(&FieldDef::new("f", ValueType::F64), Datum::Float(-0.0)).unwrap();
        assert!(matches!(zero, Datum::Float(value) if value.is_sign_positive()));
    }

    #[test]
    fn a_check_that_does_not_hold_is_named_with_its_fields() {
        let model = model();
        check_row(&model, &row(1, Some(2), "1.00")).unwrap();
        let error = check_row(&model, &row(2, Some(1), "1.00")).unwrap_err();
        assert_eq!(error.constraint_kind(), Some(ConstraintKind::Check));
        assert_eq!(error.fields(), ["a", "b"]);
        assert_eq!(error.model(), Some("Item"));
        assert!(error.message().contains("`a_below_b`"), "{error}");
    }

    #[test]
    fn a_check_that_is_unknown_passes() {
        check_row(&model(), &row(2, None, "1.00")).unwrap();
    }

    #[test]
    fn fields_refuse_null_and_what_does_not_fit() {
        let mut without_a = row(1, None, "1.00");
        without_a[1] = Datum::Null;
        let error = check_row(&model(), &without_a).unwrap_err();
        assert_eq!(error.constraint_kind(), Some(ConstraintKind::NotNull));
        let error = check_row(&model(), &row(1, None, "1000")).unwrap_err();
        assert_eq!((error.constraint_kind(), error.fields()), (Some(ConstraintKind::Check), &["price".to_owned()][..]));
    }
}
