//! What a field can be compared with or set to.

use super::expr::Expr;
use super::expression::Expression;
use super::field::Field;
use crate::model::Model;
use crate::value::{Datum, Decimal, Value};

/// A value, a field or an expression that fits a field of `M` of type `V`.
#[diagnostic::on_unimplemented(
    message = "a `{V}` field of `{M}` cannot be compared with or set to `{Self}`",
    label = "expected a value of type `{V}`, or a `{V}` field of `{M}`"
)]
pub trait Operand<M, V> {
    /// The operand as data.
    fn into_operand(self) -> Expr;
}

/// A constant in the form in which it is compared and stored.
#[inline]
fn literal(value: impl Value) -> Expr {
    let mut datum = value.into_datum();
    datum.normalize();
    Expr::Literal(datum)
}

impl<M, V: Value> Operand<M, V> for V {
    #[inline]
    fn into_operand(self) -> Expr {
        literal(self)
    }
}

impl<M, V: Value> Operand<M, Option<V>> for V {
    #[inline]
    fn into_operand(self) -> Expr {
        literal(self)
    }
}

impl<M, V: Value> Operand<M, V> for &V {
    fn into_operand(self) -> Expr {
        let mut datum = Datum::from_cell(self.cell());
        datum.normalize();
        Expr::Literal(datum)
    }
}

impl<M, V: Value> Operand<M, Option<V>> for &V {
    fn into_operand(self) -> Expr {
        <&V as Operand<M, V>>::into_operand(self)
    }
}

impl<M> Operand<M, String> for &str {
    fn into_operand(self) -> Expr {
        Expr::Literal(Datum::Text(self.into()))
    }
}

impl<M> Operand<M, Option<String>> for &str {
    fn into_operand(self) -> Expr {
        Expr::Literal(Datum::Text(self.into()))
    }
}

impl<M> Operand<M, Vec<u8>> for &[u8] {
    fn into_operand(self) -> Expr {
        Expr::Literal(Datum::Bytes(self.into()))
    }
}

impl<M> Operand<M, Option<Vec<u8>>> for &[u8] {
    fn into_operand(self) -> Expr {
        Expr::Literal(Datum::Bytes(self.into()))
    }
}

macro_rules! decimals {
    ($($t:ty)*) => { $(
        impl<M> Operand<M, Decimal> for $t {
            fn into_operand(self) -> Expr {
                Expr::Literal(Datum::Decimal(self.into()))
            }
        }

        impl<M> Operand<M, Option<Decimal>> for $t {
            fn into_operand(self) -> Expr {
                Expr::Literal(Datum::Decimal(self.into()))
            }
        }
    )* };
}

decimals!(i8 i16 i32 i64 u8 u16 u32 u64);

macro_rules! expressions {
    ($($t:ident)*) => { $(
        impl<M: Model, V: Value> Operand<M, V> for $t<M, V> {
            fn into_operand(self) -> Expr {
                self.into_expr()
            }
        }

        impl<M: Model, V: Value> Operand<M, Option<V>> for $t<M, V> {
            fn into_operand(self) -> Expr {
                self.into_expr()
            }
        }

        impl<M: Model, V: Value> Operand<M, V> for $t<M, Option<V>> {
            fn into_operand(self) -> Expr {
                self.into_expr()
            }
        }
    )* };
}

expressions!(Field Expression);

/// A value of the key of `M`: of the key's field, or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a key of `{M}`",
    label = "the key of `{M}` is of type `{K}`",
    note = "a key of several fields is given as a tuple, in the order of the fields; a model without a key is found by `find`"
)]
pub trait KeyOperand<M, K> {
    /// The values of the key's fields.
    fn into_key(self) -> Vec<Expr>;
}

impl<M, V: Value, X: Operand<M, V>> KeyOperand<M, V> for X {
    fn into_key(self) -> Vec<Expr> {
        vec![self.into_operand()]
    }
}

macro_rules! composite {
    ($(($($v:ident $x:ident $i:tt),+))*) => { $(
        impl<M, $($v: Value, $x: Operand<M, $v>),+> KeyOperand<M, ($($v,)+)> for ($($x,)+) {
            fn into_key(self) -> Vec<Expr> {
                vec![$(self.$i.into_operand()),+]
            }
        }
    )* };
}

composite! {
    (A1 A2 0, B1 B2 1)
    (A1 A2 0, B1 B2 1, C1 C2 2)
    (A1 A2 0, B1 B2 1, C1 C2 2, D1 D2 3)
    (A1 A2 0, B1 B2 1, C1 C2 2, D1 D2 3, E1 E2 4)
    (A1 A2 0, B1 B2 1, C1 C2 2, D1 D2 3, E1 E2 4, F1 F2 5)
}
