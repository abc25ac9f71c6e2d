//! Typed expressions, and the operators that fields and expressions share.

use std::marker::PhantomData;
use std::ops::{Add, Div, Mul, Rem, Sub};

use super::aggregate::Aggregate;
use super::condition::{Comparison, Condition, ListOperator, TextOperator};
use super::expr::{AggregateFunction, ArithmeticOperator, DatePart, Expr};
use super::field::Field;
use super::filter::Filter;
use super::operand::Operand;
use super::order::{Direction, Order};
use crate::model::Model;
use crate::value::json::{JsonCast, PathStep};
use crate::value::list::Element;
use crate::value::{Datum, Json, Value, kind};

/// An expression over the fields of `M` that gives a `V`: `Book::PRICE * 2`.
#[must_use = "an expression does nothing until it is compared, ordered by, selected or assigned"]
#[derive(Clone, Debug)]
pub struct Expression<M, V> {
    expr: Expr,
    types: PhantomData<fn() -> (M, V)>,
}

impl<M, V> Expression<M, V> {
    pub(crate) fn new(expr: Expr) -> Self {
        Expression { expr, types: PhantomData }
    }

    pub(crate) fn into_expr(self) -> Expr {
        self.expr
    }
}

/// What can be looked for in a text or a list.
#[diagnostic::on_unimplemented(
    message = "a field of `{Self}` values cannot contain `{A}`",
    label = "`contains` looks for a text in a text field, or for an element in a `Vec` field"
)]
pub trait CanContain<A> {
    #[doc(hidden)]
    const OF_LIST: bool;

    #[doc(hidden)]
    fn argument(argument: A) -> Datum;
}

fn text_test(operator: TextOperator, expr: Expr, pattern: &str, negated: bool) -> Condition {
    Condition::Text { operator, expr, pattern: Expr::Literal(Datum::Text(pattern.into())), negated }
}

macro_rules! texts {
    ($($t:ty)*) => { $(
        impl CanContain<$t> for kind::Text {
            const OF_LIST: bool = false;

            fn argument(argument: $t) -> Datum {
                Datum::Text(Box::from(AsRef::<str>::as_ref(&argument)))
            }
        }
    )* };
}

texts!(&str &String String);

impl<T: Element> CanContain<T> for kind::List<T> {
    const OF_LIST: bool = true;

    fn argument(argument: T) -> Datum {
        argument.into_datum()
    }
}

impl<T: Element> CanContain<&T> for kind::List<T> {
    const OF_LIST: bool = true;

    fn argument(argument: &T) -> Datum {
        Datum::from_cell(argument.cell())
    }
}

impl CanContain<&str> for kind::List<String> {
    const OF_LIST: bool = true;

    fn argument(argument: &str) -> Datum {
        Datum::Text(argument.into())
    }
}

fn contains<K: CanContain<A>, A>(expr: Expr, argument: A, negated: bool) -> Condition {
    let mut argument = K::argument(argument);
    argument.normalize();
    let argument = Expr::Literal(argument);
    match K::OF_LIST {
        true => Condition::List { operator: ListOperator::Contains, expr, argument, negated },
        false => Condition::Text { operator: TextOperator::Contains, expr, pattern: argument, negated },
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident = $operator:ident $(where $bound:ident)?;)*) => { $(
        $(#[$doc])*
        #[inline]
        pub fn $name(self, value: impl Operand<M, V>) -> Filter<M> $(where V::Kind: kind::$bound)? {
            Filter::from_condition(Condition::compare(self.into_expr(), Comparison::$operator, value.into_operand()))
        }
    )* };
}

macro_rules! text_tests {
    ($($(#[$doc:meta])* $name:ident = $operator:ident, $negated:literal;)*) => { $(
        $(#[$doc])*
        pub fn $name(self, text: impl AsRef<str>) -> Filter<M> where V::Kind: kind::IsText {
            Filter::from_condition(text_test(TextOperator::$operator, self.into_expr(), text.as_ref(), $negated))
        }
    )* };
}

macro_rules! date_parts {
    ($($(#[$doc:meta])* $name:ident = $part:ident where $bound:ident;)*) => { $(
        $(#[$doc])*
        pub fn $name(self) -> Expression<M, V::Wrap<i64>> where V::Kind: kind::$bound {
            Expression::new(Expr::DatePart { part: DatePart::$part, of: Box::new(self.into_expr()) })
        }
    )* };
}

macro_rules! bit_operations {
    ($($(#[$doc:meta])* $name:ident = $operator:ident;)*) => { $(
        $(#[$doc])*
        pub fn $name(self, other: impl Operand<M, V>) -> Expression<M, V> where V::Kind: kind::IsInteger {
            arithmetic(ArithmeticOperator::$operator, self.into_expr(), other.into_operand())
        }
    )* };
}

macro_rules! aggregates {
    ($($(#[$doc:meta])* $name:ident = $function:ident -> $kind:ident;)*) => { $(
        $(#[$doc])*
        pub fn $name(
            self,
        ) -> Aggregate<M, V::Wrap<<V::Kind as kind::IsNumber>::$kind>, Option<<V::Kind as kind::IsNumber>::$kind>>
        where
            V::Kind: kind::IsNumber,
        {
            Aggregate::new(AggregateFunction::$function, Some(self.into_expr()), false)
        }
    )* };
}

fn arithmetic<M, V: Value>(operator: ArithmeticOperator, left: Expr, right: Expr) -> Expression<M, V> {
    Expression::new(Expr::Arithmetic {
        operator,
        left: Box::new(left),
        right: Box::new(right),
        value_type: V::value_type(),
    })
}

macro_rules! operators {
    ($($t:ident)*) => { $(
        impl<M: Model, V: Value> $t<M, V> {
            comparisons! {
                /// The values are equal; `eq(None)` means is null.
                eq = Eq;
                /// The values differ; `ne(None)` means is not null, and null differs from nothing.
                ne = Ne;
                /// The value is less.
                lt = Lt where IsOrdered;
                /// The value is less or equal.
                le = Le where IsOrdered;
                /// The value is greater.
                gt = Gt where IsOrdered;
                /// The value is greater or equal.
                ge = Ge where IsOrdered;
            }

            /// The value is at least `low` and at most `high`.
            pub fn between(self, low: impl Operand<M, V>, high: impl Operand<M, V>) -> Filter<M>
            where
                V::Kind: kind::IsOrdered,
            {
                let expr = self.into_expr();
                let from = Condition::compare(expr.clone(), Comparison::Ge, low.into_operand());
                let to = Condition::compare(expr, Comparison::Le, high.into_operand());
                Filter::from_condition(from.and(to))
            }

            /// The value is one of some, any number of them; `None` among them means is null, none
            /// of them matches nothing.
            pub fn in_<X: Operand<M, V>>(self, values: impl IntoIterator<Item = X>) -> Filter<M> {
                let values = values.into_iter().map(Operand::into_operand);
                Filter::from_condition(Condition::is_in(self.into_expr(), values))
            }

            /// The value is none of some, any number of them; `None` among them means is not null,
            /// none of them matches everything.
            pub fn not_in<X: Operand<M, V>>(self, values: impl IntoIterator<Item = X>) -> Filter<M> {
                let values = values.into_iter().map(Operand::into_operand);
                Filter::from_condition(Condition::is_not_in(self.into_expr(), values))
            }

            /// The value is null.
            pub fn is_null(self) -> Filter<M> {
                Filter::from_condition(Condition::IsNull { expr: self.into_expr(), negated: false })
            }

            /// The value is not null.
            pub fn is_not_null(self) -> Filter<M> {
                Filter::from_condition(Condition::IsNull { expr: self.into_expr(), negated: true })
            }

            /// The text has the argument in it, every character plain; or the list has it as an
            /// element.
            pub fn contains<A>(self, argument: A) -> Filter<M>
            where
                V::Kind: CanContain<A>,
            {
                Filter::from_condition(contains::<V::Kind, A>(self.into_expr(), argument, false))
            }

            /// The text does not have the argument in it, or the list has no such element.
            pub fn not_contains<A>(self, argument: A) -> Filter<M>
            where
                V::Kind: CanContain<A>,
            {
                Filter::from_condition(contains::<V::Kind, A>(self.into_expr(), argument, true))
            }

            text_tests! {
                /// The text begins with the argument, every character plain.
                starts_with = StartsWith, false;
                /// The text ends with the argument, every character plain.
                ends_with = EndsWith, false;
                /// The whole text matches a pattern of `%` (any characters) and `_` (one
                /// character); `\` escapes `%`, `_` and `\`.
                like = Like, false;
                /// The whole text does not match the pattern of [`Self::like`].
                not_like = Like, true;
                /// A match of a regular expression is in the text: literals, classes, groups, `|`,
                /// greedy quantifiers up to 255; `^` and `$` are the ends of the text, `.` excludes
                /// a new line, `\d \w \s` are ASCII.
                regex = Regex, false;
                /// [`Self::contains`] of a text, folded by Unicode simple folding.
                icontains = IContains, false;
                /// [`Self::starts_with`], folded by Unicode simple folding.
                istarts_with = IStartsWith, false;
                /// [`Self::ends_with`], folded by Unicode simple folding.
                iends_with = IEndsWith, false;
                /// [`Self::like`], folded by Unicode simple folding.
                ilike = ILike, false;
                /// The texts are the same, folded by Unicode simple folding.
                ieq = IEq, false;
            }

            date_parts! {
                /// The year; of an instant, in UTC.
                year = Year where HasDate;
                /// The month, 1 to 12.
                month = Month where HasDate;
                /// The day of the month, 1 to 31.
                day = Day where HasDate;
                /// The day of the week, Monday 1 to Sunday 7.
                weekday = Weekday where HasDate;
                /// The hour, 0 to 23; of an instant, in UTC.
                hour = Hour where HasTime;
                /// The minute, 0 to 59.
                minute = Minute where HasTime;
                /// The second without its fraction, 0 to 59.
                second = Second where HasTime;
            }

            bit_operations! {
                /// The bits that are set in both.
                bit_and = BitAnd;
                /// The bits that are set in either.
                bit_or = BitOr;
                /// The bits that are set in just one.
                bit_xor = BitXor;
                /// The bits moved up.
                shift_left = ShiftLeft;
                /// The bits moved down, the sign kept.
                shift_right = ShiftRight;
            }

            /// The list shares an element with another.
            pub fn overlaps<X>(self, items: impl IntoIterator<Item = X>) -> Filter<M>
            where
                V::Kind: kind::IsList + CanContain<X>,
            {
                let items = items.into_iter().map(|item| {
                    let mut item = <V::Kind as CanContain<X>>::argument(item);
                    item.normalize();
                    item
                });
                Filter::from_condition(Condition::List {
                    operator: ListOperator::Overlaps,
                    expr: self.into_expr(),
                    argument: Expr::Literal(Datum::List(items.collect())),
                    negated: false,
                })
            }

            /// The number of elements of the list.
            pub fn len(self) -> Expression<M, V::Wrap<i64>>
            where
                V::Kind: kind::IsList,
            {
                Expression::new(Expr::Length(Box::new(self.into_expr())))
            }

            /// The list has no elements.
            pub fn is_empty(self) -> Filter<M>
            where
                V::Kind: kind::IsList,
            {
                let length = Expr::Length(Box::new(self.into_expr()));
                Filter::from_condition(Condition::compare(length, Comparison::Eq, Expr::Literal(Datum::Int(0))))
            }

            /// The part of the JSON document at a member's name or an element's index.
            pub fn at(self, step: impl Into<PathStep>) -> JsonPath<M>
            where
                V::Kind: kind::IsJson,
            {
                JsonPath { of: self.into_expr(), path: vec![step.into()], model: PhantomData }
            }

            /// From the least to the greatest, null lowest.
            pub fn asc(self) -> Order<M>
            where
                V::Kind: kind::IsOrdered,
            {
                Order::new(self.into_expr(), Direction::Ascending)
            }

            /// From the greatest to the least, null lowest.
            pub fn desc(self) -> Order<M>
            where
                V::Kind: kind::IsOrdered,
            {
                Order::new(self.into_expr(), Direction::Descending)
            }

            aggregates! {
                /// The exact sum of the values that are not null; null where there are none.
                sum = Sum -> Sum;
                /// The mean of the values that are not null: of integers and decimals exact with 12
                /// digits after the point, half even; null where there are none.
                avg = Avg -> Avg;
            }

            /// The least value; null where there are none.
            pub fn min(self) -> Aggregate<M, V, Option<V::Plain>>
            where
                V::Kind: kind::IsOrdered,
            {
                Aggregate::new(AggregateFunction::Min, Some(self.into_expr()), false)
            }

            /// The greatest value; null where there are none.
            pub fn max(self) -> Aggregate<M, V, Option<V::Plain>>
            where
                V::Kind: kind::IsOrdered,
            {
                Aggregate::new(AggregateFunction::Max, Some(self.into_expr()), false)
            }

            /// How many values are not null.
            pub fn count(self) -> Aggregate<M, i64, i64> {
                Aggregate::new(AggregateFunction::Count, Some(self.into_expr()), false)
            }

            /// How many different values there are, null excluded.
            pub fn count_distinct(self) -> Aggregate<M, i64, i64>
            where
                V::Kind: kind::IsGroupable,
            {
                Aggregate::new(AggregateFunction::Count, Some(self.into_expr()), true)
            }
        }

        arithmetic_operators!($t: V; Add add Add, Sub sub Subtract, Mul mul Multiply);
        // a division by zero gives null
        arithmetic_operators!($t: Option<V::Plain>; Div div Divide, Rem rem Remainder);
    )* };
}

macro_rules! arithmetic_operators {
    ($t:ident: $out:ty; $($trait:ident $method:ident $operator:ident),*) => { $(
        impl<M: Model, V: Value, X: Operand<M, V>> $trait<X> for $t<M, V>
        where
            V::Kind: kind::IsNumber,
        {
            type Output = Expression<M, $out>;

            fn $method(self, other: X) -> Expression<M, $out> {
                arithmetic(ArithmeticOperator::$operator, self.into_expr(), other.into_operand())
            }
        }
    )* };
}

operators!(Field Expression);

/// A path into a JSON document: `Event::DATA.at("user").at("tags").at(0).text()`.
///
/// What the path leads to is read as one type; a value of another type, or none, is null.
#[must_use = "a path does nothing until it is read as a type: `.text()`, `.int()`, `.json()`, .."]
#[derive(Clone, Debug)]
pub struct JsonPath<M> {
    of: Expr,
    path: Vec<PathStep>,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> JsonPath<M> {
    /// A step deeper: a member's name or an element's index.
    pub fn at(mut self, step: impl Into<PathStep>) -> Self {
        self.path.push(step.into());
        self
    }

    fn read<V: Value>(self, cast: JsonCast) -> Expression<M, Option<V>> {
        Expression::new(Expr::JsonPath { of: Box::new(self.of), path: self.path, cast })
    }

    /// The string there.
    pub fn text(self) -> Expression<M, Option<String>> {
        self.read(JsonCast::Text)
    }

    /// The number there, if it is an integer of 64 bits, however it is written.
    pub fn int(self) -> Expression<M, Option<i64>> {
        self.read(JsonCast::Int)
    }

    /// The number there.
    pub fn float(self) -> Expression<M, Option<f64>> {
        self.read(JsonCast::Float)
    }

    /// The boolean there.
    pub fn bool(self) -> Expression<M, Option<bool>> {
        self.read(JsonCast::Bool)
    }

    /// Whatever is there, JSON null included.
    pub fn json(self) -> Expression<M, Option<Json>> {
        self.read(JsonCast::Json)
    }
}
