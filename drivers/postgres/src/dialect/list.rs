//! Lists, which are arrays.

use ommi_core::query::ListOperator;
use ommi_core::value::ValueType;
use ommi_core::{Error, Result};
use ommi_sql::{Operand, Sql};

use super::{array_element, type_name};

/// Both arrays, as arrays of one type.
pub(super) fn of_one_type(
    left: &Operand<'_>,
    left_element: &ValueType,
    right: &Operand<'_>,
    right_element: &ValueType,
) -> (String, String) {
    let (one, other) = (array_element(left_element), array_element(right_element));
    if one == other {
        return (left.primary(), right.primary());
    }
    let common = if left_element.is_float() { "double precision" } else { "numeric" };
    (format!("CAST({} AS {common}[])", left.argument()), format!("CAST({} AS {common}[])", right.argument()))
}

/// Whether a value is among those of a list.
pub(super) fn in_list(operand: &Operand<'_>, list: &Operand<'_>, negated: bool) -> Sql {
    let test = if negated { "<> ALL" } else { "= ANY" };
    let elements = match &operand.value_type {
        // arrays of one array would have to be of one length: they come as texts
        of @ ValueType::List(_) => {
            format!("SELECT CAST(ommi_item AS {}) FROM unnest({}) AS ommi(ommi_item)", type_name(of), list.argument())
        }
        _ => list.argument().to_owned(),
    };
    Sql::comparison(format!("{} {test} ({elements})", operand.term()))
}

pub(super) fn test(operator: ListOperator, list: &Operand<'_>, argument: &Operand<'_>) -> Result<Sql> {
    let ValueType::List(element) = &list.value_type else {
        return Err(Error::query(format!("a value of type {} is no list", list.value_type)));
    };
    match operator {
        ListOperator::Contains => {
            let found = match list.is_field() {
                true => format!("{} = ANY ({})", argument.term(), list.argument()),
                // a query that gives an array would be one of values
                false => {
                    format!("{} = ANY (CAST({} AS {}))", argument.term(), list.argument(), type_name(&list.value_type))
                }
            };
            // null is not known to be in a list, not even in an empty one
            Ok(match argument.nullable {
                true => Sql::primary(format!("CASE WHEN {} IS NOT NULL THEN {found} END", argument.term())),
                false => Sql::comparison(found),
            })
        }
        ListOperator::Overlaps => {
            let ValueType::List(other) = &argument.value_type else {
                return Err(Error::query(format!("a value of type {} is no list", argument.value_type)));
            };
            let (left, right) = of_one_type(list, element, argument, other);
            Ok(Sql::comparison(format!("{left} && {right}")))
        }
    }
}
