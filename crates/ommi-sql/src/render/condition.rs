//! Conditions, in three-valued logic.

use ommi_core::query::{Comparison, Condition, Expr, InList, ListOperator};
use ommi_core::value::{Datum, ValueType};
use ommi_core::{Error, Result};

use super::Renderer;
use crate::dialect::Dialect;
use crate::operand::{Operand, Source};
use crate::sql::{Precedence, Sql};

/// A condition that is known already, or has to be asked.
pub(crate) enum Truth {
    /// It is the same for every row.
    Const(bool),
    /// It depends on the row.
    Asked(Sql),
}

impl Truth {
    pub(crate) fn into_sql(self, dialect: &dyn Dialect) -> Sql {
        match self {
            Truth::Const(value) => dialect.boolean(value),
            Truth::Asked(sql) => sql,
        }
    }
}

impl Renderer<'_> {
    pub(crate) fn condition(&self, condition: &Condition) -> Result<Truth> {
        Ok(Truth::Asked(match condition {
            Condition::Const(value) => return Ok(Truth::Const(*value)),
            Condition::And(parts) => return self.join(parts, false),
            Condition::Or(parts) => return self.join(parts, true),
            Condition::Not(part) => return self.not(part),
            Condition::IsTrue { condition, negated } => match self.condition(condition)? {
                Truth::Const(value) => return Ok(Truth::Const(value != *negated)),
                Truth::Asked(sql) => self.dialect.is_true(&sql, *negated),
            },
            Condition::Related { link, condition } => return self.has_related(link, condition),
            Condition::Compare { operator, left, right } => self.compare(*operator, left, right)?,
            Condition::In { expr, list, negated } => self.is_in(expr, list, *negated)?,
            Condition::IsNull { expr, negated } => {
                let term = self.operand(expr, None)?.term();
                Sql::comparison(format!("{term} IS{} NULL", if *negated { " NOT" } else { "" }))
            }
            Condition::Text { operator, expr, pattern, negated } => {
                let (text, pattern) = self.pair(expr, pattern)?;
                self.dialect.text(*operator, &text, &pattern)?.negated(*negated)
            }
            Condition::List { operator, expr, argument, negated } => {
                // a bare column could be taken for one of the rows that a list is unfolded into
                let renderer = self.qualified();
                let list = renderer.operand(expr, None)?;
                let wanted = match (&list.value_type, operator) {
                    (ValueType::List(element), ListOperator::Contains) => (**element).clone(),
                    (list, _) => list.clone(),
                };
                let argument = renderer.operand(argument, Some(&wanted))?;
                self.dialect.list(*operator, &list, &argument)?.negated(*negated)
            }
        }))
    }

    /// All of the parts, or any of them.
    fn join(&self, parts: &[Condition], any: bool) -> Result<Truth> {
        let mut asked = Vec::new();
        for part in parts {
            match self.condition(part)? {
                // what decides the whole: false under `and`, true under `or`, unknown parts or not
                Truth::Const(value) if value == any => return Ok(Truth::Const(any)),
                Truth::Const(_) => {}
                Truth::Asked(sql) => asked.push(sql),
            }
        }
        let joined = if any { Sql::any(asked) } else { Sql::all(asked) };
        Ok(joined.map_or(Truth::Const(!any), Truth::Asked))
    }

    /// The opposite. A comparison becomes the opposite one, which indexes may serve: unknown stays
    /// unknown, and there is no NaN.
    fn not(&self, condition: &Condition) -> Result<Truth> {
        if let Condition::Compare { operator, left, right } = condition {
            return Ok(Truth::Asked(self.compare(opposite(*operator), left, right)?));
        }
        Ok(match self.condition(condition)? {
            Truth::Const(value) => Truth::Const(!value),
            Truth::Asked(sql) => Truth::Asked(sql.negate()),
        })
    }

    /// Both operands, constants being of the other's type.
    fn pair<'e>(&self, left: &'e Expr, right: &'e Expr) -> Result<(Operand<'e>, Operand<'e>)> {
        let (left_type, right_type) = (self.type_of(left), self.type_of(right));
        Ok((self.operand(left, right_type.as_ref())?, self.operand(right, left_type.as_ref())?))
    }

    fn compare(&self, operator: Comparison, left: &Expr, right: &Expr) -> Result<Sql> {
        let (left, right) = match (self.type_of(left), self.type_of(right)) {
            // may be compared element by element
            (Some(ValueType::List(one)), Some(ValueType::List(other))) if one != other => {
                self.qualified().pair(left, right)?
            }
            _ => self.pair(left, right)?,
        };
        let is_equality = matches!(operator, Comparison::Eq | Comparison::Ne);
        for of in [&left.value_type, &right.value_type] {
            if !is_equality && !of.is_ordered() {
                return Err(Error::query(format!("values of type {of} have no order")).with_model(self.model.name()));
            }
        }
        self.dialect.compare(operator, &left, &right)
    }

    fn is_in(&self, expr: &Expr, list: &InList, negated: bool) -> Result<Sql> {
        let operand = self.operand(expr, None)?;
        let of = &operand.value_type;
        match list {
            InList::Values(values) => {
                let values = values.iter().map(|value| self.operand(value, Some(of))).collect::<Result<Vec<_>>>()?;
                self.in_values(&operand, &values, negated)
            }
            InList::Whole(Expr::Literal(Datum::List(items))) => {
                let values = items
                    .iter()
                    .map(|item| {
                        Ok(Operand {
                            sql: self.dialect.literal(item, of)?,
                            value_type: of.clone(),
                            nullable: false,
                            source: Source::Literal(item),
                        })
                    })
                    .collect::<Result<Vec<_>>>()?;
                self.in_values(&operand, &values, negated)
            }
            InList::Whole(list) => {
                // a bare column could be taken for one of the rows that the list is unfolded into
                let operand = if *of == ValueType::Json { self.qualified().operand(expr, None)? } else { operand };
                let of = &operand.value_type;
                let list = self.operand(list, Some(&ValueType::List(Box::new(of.clone()))))?;
                if !matches!(list.value_type, ValueType::List(_)) {
                    return Err(Error::query(format!("a value of type {} is no list to be in", list.value_type))
                        .with_model(self.model.name()));
                }
                self.dialect.in_list(&operand, &list, negated)
            }
        }
    }

    fn in_values(&self, operand: &Operand<'_>, values: &[Operand<'_>], negated: bool) -> Result<Sql> {
        match values {
            [] => Err(Error::query("a list to be in is empty").with_model(self.model.name())),
            [value] => {
                let operator = if negated { Comparison::Ne } else { Comparison::Eq };
                self.dialect.compare(operator, operand, value)
            }
            values => self.dialect.in_values(operand, values, negated),
        }
    }
}

/// The comparison that holds where another does not.
fn opposite(operator: Comparison) -> Comparison {
    match operator {
        Comparison::Eq => Comparison::Ne,
        Comparison::Ne => Comparison::Eq,
        Comparison::Lt => Comparison::Ge,
        Comparison::Ge => Comparison::Lt,
        Comparison::Gt => Comparison::Le,
        Comparison::Le => Comparison::Gt,
    }
}

/// `in` as comparisons with each of the values, for types that the database compares by a
/// function.
///
/// # Errors
///
/// Those of the dialect's comparison.
pub fn in_as_comparisons(
    dialect: &dyn Dialect,
    operand: &Operand<'_>,
    values: &[Operand<'_>],
    negated: bool,
) -> Result<Sql> {
    let operator = if negated { Comparison::Ne } else { Comparison::Eq };
    let parts = values.iter().map(|value| dialect.compare(operator, operand, value)).collect::<Result<Vec<_>>>()?;
    let joined = if negated { Sql::all(parts) } else { Sql::any(parts) };
    Ok(joined.unwrap_or_else(|| Sql::new(dialect.boolean(negated).text(), Precedence::Primary)))
}
