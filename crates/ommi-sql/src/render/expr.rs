//! Expressions.

use ommi_core::model::FieldDef;
use ommi_core::query::{AggregateFunction, Expr};
use ommi_core::value::{Datum, ValueType};
use ommi_core::{Error, Result};

use super::Renderer;
use crate::operand::{Operand, Source};
use crate::slot::Slot;
use crate::sql::Sql;

impl Renderer<'_> {
    /// The type of an expression's values; `None` for a constant, which has that of what it is
    /// compared with.
    pub(super) fn type_of(&self, expr: &Expr) -> Option<ValueType> {
        match expr {
            Expr::Parameter(index) => self.parameters.get(usize::from(*index)).cloned(),
            expr => expr.value_type(self.model),
        }
    }

    /// Renders an expression. A constant is of the wanted type, or else of its own.
    pub(super) fn operand<'e>(&self, expr: &'e Expr, wanted: Option<&ValueType>) -> Result<Operand<'e>> {
        let computed = |sql, value_type| Operand { sql, value_type, nullable: true, source: Source::Computed };
        let value_type = match (self.type_of(expr), wanted, expr) {
            (Some(own), ..) => own,
            (None, Some(wanted), Expr::Literal(value)) if is_of(value, wanted) => wanted.clone(),
            (None, _, Expr::Literal(value)) => type_of_datum(value),
            (None, ..) => return Err(self.untyped(expr)),
        };
        Ok(match expr {
            Expr::Field(index) => {
                let text = self.read_column(*index)?;
                let nullable = self.field(*index)?.nullable;
                Operand { sql: Sql::primary(text), value_type, nullable, source: Source::Field }
            }
            Expr::Inserted(index) => Operand {
                sql: self.dialect.inserted(&self.column(*index)?),
                value_type,
                nullable: self.field(*index)?.nullable,
                source: Source::Field,
            },
            Expr::Parameter(index) => Operand {
                sql: Sql::primary(Slot::Value(*index).mark()),
                value_type,
                nullable: false,
                source: Source::Parameter(*index),
            },
            Expr::Literal(value) => Operand {
                sql: match value {
                    Datum::Null => Sql::primary("NULL"),
                    value => self.dialect.literal(value, &value_type)?,
                },
                value_type,
                nullable: value.is_null(),
                source: Source::Literal(value),
            },
            Expr::Joined { join, field, .. } => {
                let renderer = self.of_join(*join)?;
                let nullable = renderer.field(*field)?.nullable;
                let sql = Sql::primary(renderer.read_column(*field)?);
                Operand { sql, value_type, nullable, source: Source::Field }
            }
            Expr::Related { link, condition, of } => {
                let nullable = !matches!(**of, Expr::Aggregate { function: AggregateFunction::Count, .. });
                let make = || self.related_value(link, condition, of);
                let sql = match self.scope {
                    Some(scope) => scope.aliases.say(scope.own, expr, make)?,
                    None => make()?,
                };
                Operand { nullable, ..computed(sql, value_type) }
            }
            Expr::Arithmetic { operator, left, right, value_type: of } => {
                let left = self.operand(left, Some(of))?;
                let right = self.operand(right, Some(of))?;
                computed(self.dialect.arithmetic(*operator, &left, &right, of)?, value_type)
            }
            Expr::DatePart { part, of } => {
                let of = self.operand(of, None)?;
                let nullable = of.nullable;
                Operand { nullable, ..computed(self.dialect.date_part(*part, &of)?, value_type) }
            }
            Expr::JsonPath { of, path, cast } => {
                let of = self.operand(of, Some(&ValueType::Json))?;
                computed(self.dialect.json_path(&of, path, *cast)?, value_type)
            }
            Expr::Length(of) => {
                let of = self.operand(of, None)?;
                let nullable = of.nullable;
                Operand { nullable, ..computed(self.dialect.length(&of)?, value_type) }
            }
            Expr::Aggregate { function, of, distinct } => {
                let of = of.as_deref().map(|of| self.operand(of, None)).transpose()?;
                computed(self.dialect.aggregate(*function, of.as_ref(), *distinct)?, value_type)
            }
        })
    }

    pub(super) fn field(&self, index: u16) -> Result<&FieldDef> {
        self.model.field(index).ok_or_else(|| {
            Error::query(format!("the statement names the field {index}, which does not exist"))
                .with_model(self.model.name())
        })
    }

    fn untyped(&self, expr: &Expr) -> Error {
        let what = match expr {
            Expr::Parameter(index) => format!("the parameter {}, which does not exist", u32::from(*index) + 1),
            Expr::Field(index) | Expr::Inserted(index) => format!("the field {index}, which does not exist"),
            _ => "an expression whose type is not known".into(),
        };
        Error::query(format!("the statement has {what}")).with_model(self.model.name())
    }
}

/// Whether a constant takes the type of what it is compared with: a decimal that meets an integer,
/// or the other way round, does not.
fn is_of(value: &Datum, wanted: &ValueType) -> bool {
    match value {
        Datum::Decimal(_) => wanted.is_decimal(),
        Datum::Int(_) | Datum::UInt(_) => !wanted.is_decimal(),
        _ => true,
    }
}

/// The type that a constant has by itself.
fn type_of_datum(value: &Datum) -> ValueType {
    match value {
        Datum::Bool(_) => ValueType::Bool,
        Datum::Null | Datum::Int(_) => ValueType::I64,
        Datum::UInt(_) => ValueType::U64,
        Datum::Float(_) => ValueType::F64,
        Datum::Decimal(_) => ValueType::DECIMAL,
        Datum::Text(_) => ValueType::Text,
        Datum::Bytes(_) => ValueType::Bytes,
        Datum::Uuid(_) => ValueType::Uuid,
        Datum::Date(_) => ValueType::Date,
        Datum::Time(_) => ValueType::Time,
        Datum::DateTime(_) => ValueType::DateTime,
        Datum::Timestamp(_) => ValueType::Timestamp,
        Datum::Duration(_) => ValueType::Duration,
        Datum::Json(_) => ValueType::Json,
        Datum::List(items) => ValueType::List(Box::new(items.first().map_or(ValueType::Text, type_of_datum))),
    }
}
