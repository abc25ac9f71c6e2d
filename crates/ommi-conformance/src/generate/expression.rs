//! Random expressions and conditions over the fields of a table.

use std::sync::Arc;

use fastrand::Rng;
use ommi::model::Link;
use ommi::query::{
    AggregateFunction, ArithmeticOperator, Comparison, Condition, DatePart, Expr, ListOperator, TextOperator,
};
use ommi::value::json::{JsonCast, PathStep};
use ommi::value::{Datum, ValueType};

use super::family::Family;
use super::table::{Column, Table};
use super::value::{literal, one, percent, pick, text, value};

/// An expression with its type, and the column that it begins with.
#[derive(Clone)]
pub(super) struct Typed {
    pub(super) expr: Expr,
    pub(super) value_type: ValueType,
    at: usize,
}

/// How many links may be followed one after another.
const LINKS: u8 = 3;

/// Makes expressions over the fields of a table.
pub(super) struct Maker<'a> {
    pub(super) table: &'a Table,
    pub(super) rng: &'a mut Rng,
    /// The table's place in its family.
    place: usize,
    family: Option<&'a Family>,
    /// How many links may be followed one after another.
    links: u8,
}

fn field(at: usize) -> Expr {
    Expr::Field(u16::try_from(at).unwrap_or(u16::MAX))
}

const COMPARISONS: [Comparison; 6] =
    [Comparison::Eq, Comparison::Ne, Comparison::Lt, Comparison::Le, Comparison::Gt, Comparison::Ge];

impl<'a> Maker<'a> {
    /// A maker for the fields of a table.
    pub(super) fn new(table: &'a Table, rng: &'a mut Rng) -> Self {
        Maker { table, rng, place: 0, family: table.family.as_deref(), links: LINKS }
    }

    /// A link from the table, with the place of its target.
    fn link(&mut self) -> Option<(&'a Arc<Link>, usize)> {
        let family = self.family.filter(|_| self.links > 0)?;
        let own = family.definitions.get(self.place)?.id();
        let links: Vec<&'a Arc<Link>> = family.links.iter().filter(|link| link.source().id() == own).collect();
        let link = *pick(self.rng, &links)?;
        let target = family.definitions.iter().position(|of| of.id() == link.target().id())?;
        Some((link, target))
    }

    /// A maker for the fields of the target of a link.
    fn of_target(&mut self, place: usize) -> Option<Maker<'_>> {
        let family = self.family?;
        let table = family.tables.get(place)?;
        Some(Maker { table, rng: self.rng, place, family: Some(family), links: self.links - 1 })
    }

    /// A condition on related rows.
    fn related(&mut self) -> Option<Condition> {
        let (link, place) = self.link()?;
        let mut target = self.of_target(place)?;
        let depth = target.rng.u8(..3);
        let condition = match percent(target.rng, 15) {
            true => Condition::Const(true),
            false => target.condition(depth),
        };
        Some(Condition::Related { link: Arc::clone(link), condition: Box::new(condition) })
    }

    /// A value of related rows.
    fn related_value(&mut self) -> Option<Typed> {
        let (link, place) = self.link()?;
        let mut target = self.of_target(place)?;
        let of = match link.is_unique() && percent(target.rng, 60) {
            true => target.any()?.expr,
            false => target.aggregate(),
        };
        let condition = match percent(target.rng, 50) {
            true => Condition::Const(true),
            false => target.condition(1),
        };
        let value_type = of.value_type(link.target())?;
        let expr = Expr::Related { link: Arc::clone(link), condition: Box::new(condition), of: Box::new(of) };
        let at = self.table.columns.iter().position(|column| column.value_type == value_type).unwrap_or_default();
        Some(Typed { expr, value_type, at })
    }

    /// Whether sums and means of a type may be asked for: of related floats they would be compared,
    /// and they are equal only nearly.
    pub(super) fn sums(&self, of: &ValueType) -> bool {
        of.is_number() && !(of.is_float() && self.links < LINKS)
    }

    fn column(&self, at: usize) -> Option<&Column> {
        self.table.columns.get(at)
    }

    /// A field of those that pass a test.
    pub(super) fn field(&mut self, test: impl Fn(&Column) -> bool) -> Option<Typed> {
        let all: Vec<usize> =
            self.table.columns.iter().enumerate().filter(|(_, column)| test(column)).map(|(at, _)| at).collect();
        let at = *pick(self.rng, &all)?;
        Some(Typed { expr: field(at), value_type: self.column(at)?.value_type.clone(), at })
    }

    /// An expression: a field, or something made of one.
    pub(super) fn any(&mut self) -> Option<Typed> {
        let related = if percent(self.rng, 15) { self.related_value() } else { None };
        let plain = match related {
            Some(related) => related,
            None => self.field(|_| true)?,
        };
        if percent(self.rng, 60) {
            return Some(plain);
        }
        self.made_of(plain)
    }

    /// An expression that rows can be ordered and grouped by.
    pub(super) fn ordered(&mut self) -> Option<Typed> {
        for _ in 0..8 {
            match self.any() {
                Some(found) if found.value_type.is_ordered() => return Some(found),
                _ => {}
            }
        }
        self.field(|column| column.value_type.is_ordered())
    }

    fn made_of(&mut self, of: Typed) -> Option<Typed> {
        let inner = Box::new(of.expr.clone());
        let made = |expr, value_type| Some(Typed { expr, value_type, at: of.at });
        match &of.value_type {
            number if number.is_number() => {
                let depth = self.rng.u8(1..3);
                Some(self.arithmetic(of, depth))
            }
            ValueType::Date => made(Expr::DatePart { part: self.part(&DATE_PARTS), of: inner }, ValueType::I64),
            ValueType::Time => made(Expr::DatePart { part: self.part(&TIME_PARTS), of: inner }, ValueType::I64),
            ValueType::DateTime | ValueType::Timestamp => {
                let parts = if self.rng.bool() { &DATE_PARTS[..] } else { &TIME_PARTS[..] };
                made(Expr::DatePart { part: self.part(parts), of: inner }, ValueType::I64)
            }
            ValueType::List(_) => made(Expr::Length(inner), ValueType::I64),
            ValueType::Json => {
                let casts = [
                    (JsonCast::Text, ValueType::Text),
                    (JsonCast::Int, ValueType::I64),
                    (JsonCast::Float, ValueType::F64),
                    (JsonCast::Bool, ValueType::Bool),
                    (JsonCast::Json, ValueType::Json),
                ];
                let (cast, value_type) = pick(self.rng, &casts).cloned()?;
                made(Expr::JsonPath { of: inner, path: self.path(), cast }, value_type)
            }
            _ => Some(of),
        }
    }

    fn part(&mut self, parts: &[DatePart]) -> DatePart {
        pick(self.rng, parts).copied().unwrap_or(DatePart::Day)
    }

    fn path(&mut self) -> Vec<PathStep> {
        let steps = self.rng.usize(1..4);
        (0..steps)
            .map(|_| match percent(self.rng, 70) {
                true => PathStep::from(one(self.rng, &["a", "b", "a b", "", "$"])),
                false => PathStep::from(self.rng.u32(..3)),
            })
            .collect()
    }

    fn arithmetic(&mut self, left: Typed, depth: u8) -> Typed {
        let value_type = left.value_type.clone();
        let operators: &[ArithmeticOperator] = match value_type.is_integer() {
            true => &[
                ArithmeticOperator::Add,
                ArithmeticOperator::Add,
                ArithmeticOperator::Subtract,
                ArithmeticOperator::Multiply,
                ArithmeticOperator::Divide,
                ArithmeticOperator::Remainder,
                ArithmeticOperator::BitAnd,
                ArithmeticOperator::BitOr,
                ArithmeticOperator::BitXor,
                ArithmeticOperator::ShiftLeft,
                ArithmeticOperator::ShiftRight,
            ],
            false => &[
                ArithmeticOperator::Add,
                ArithmeticOperator::Subtract,
                ArithmeticOperator::Multiply,
                ArithmeticOperator::Divide,
                ArithmeticOperator::Remainder,
            ],
        };
        let operator = pick(self.rng, operators).copied().unwrap_or(ArithmeticOperator::Add);
        let same = self.field(|column| column.value_type == value_type);
        let right = match same {
            Some(same) if percent(self.rng, 40) => same.expr,
            // small numbers, or nearly every result would be out of range
            _ if value_type.is_integer() && percent(self.rng, 80) => literal(Datum::Int(self.rng.i64(0..4))),
            _ => literal(self.constant(&left)),
        };
        let (left, right) = if percent(self.rng, 85) { (left.expr, right) } else { (right, left.expr) };
        let expr =
            Expr::Arithmetic { operator, left: Box::new(left), right: Box::new(right), value_type: value_type.clone() };
        let at = self.table.columns.iter().position(|column| column.value_type == value_type).unwrap_or_default();
        let made = Typed { expr, value_type, at };
        if depth > 1 { self.arithmetic(made, depth - 1) } else { made }
    }

    /// A constant that an expression may be compared with.
    pub(super) fn constant(&mut self, with: &Typed) -> Datum {
        let pool = match self.table.columns.get(with.at) {
            Some(column) if column.value_type == with.value_type => &column.pool[..],
            _ => &[],
        };
        if matches!(&with.expr, Expr::Related { of, .. } if matches!(**of, Expr::Aggregate { function: AggregateFunction::Count, .. }))
        {
            return Datum::Int(self.rng.i64(..4));
        }
        match pick(self.rng, pool) {
            Some(common) if percent(self.rng, 75) => common.clone(),
            _ if matches!(with.expr, Expr::DatePart { .. } | Expr::Length(_)) => {
                Datum::Int(one(self.rng, &[0, 1, 2, 3, 7, 12, 23, 29, 31, 59, 1970, 2024, 9999]))
            }
            _ if matches!(with.expr, Expr::JsonPath { .. }) && with.value_type == ValueType::I64 => {
                Datum::Int(one(self.rng, &[0, 1, 2, 7]))
            }
            _ => value(self.rng, &with.value_type),
        }
    }

    /// A condition whose parts nest to a depth.
    pub(super) fn condition(&mut self, depth: u8) -> Condition {
        if depth == 0 || percent(self.rng, 30) {
            return self.leaf();
        }
        match self.rng.u8(..9) {
            0..3 => {
                let parts = self.rng.usize(2..4);
                Condition::And((0..parts).map(|_| self.condition(depth - 1)).collect())
            }
            3..6 => {
                let parts = self.rng.usize(2..4);
                Condition::Or((0..parts).map(|_| self.condition(depth - 1)).collect())
            }
            6 => self.condition(depth - 1).negate(),
            7 => Condition::IsTrue { condition: Box::new(self.condition(depth - 1)), negated: self.rng.bool() },
            _ => Condition::Not(Box::new(self.condition(depth - 1))),
        }
    }

    fn leaf(&mut self) -> Condition {
        if percent(self.rng, 30)
            && let Some(related) = self.related()
        {
            return related;
        }
        let Some(of) = self.any() else { return Condition::Const(true) };
        match self.rng.u8(..20) {
            0 => Condition::IsNull { expr: of.expr, negated: self.rng.bool() },
            1..5 => self.in_list(of),
            5..8 => self.between_fields(of),
            8 if percent(self.rng, 20) => Condition::Const(self.rng.bool()),
            _ => match &of.value_type {
                ValueType::Text if percent(self.rng, 75) => self.text_test(of),
                ValueType::List(_) if percent(self.rng, 75) => self.list_test(of),
                _ => self.comparison(of),
            },
        }
    }

    fn operator(&mut self, value_type: &ValueType) -> Comparison {
        let all = if value_type.is_ordered() { &COMPARISONS[..] } else { &COMPARISONS[..2] };
        pick(self.rng, all).copied().unwrap_or(Comparison::Eq)
    }

    fn comparison(&mut self, of: Typed) -> Condition {
        let operator = self.operator(&of.value_type);
        let constant = if percent(self.rng, 5) { Datum::Null } else { self.constant(&of) };
        match percent(self.rng, 90) {
            true => Condition::compare(of.expr, operator, literal(constant)),
            // a constant may stand on the left
            false if !constant.is_null() => Condition::Compare { operator, left: literal(constant), right: of.expr },
            false => Condition::compare(of.expr, operator, literal(constant)),
        }
    }

    fn between_fields(&mut self, of: Typed) -> Condition {
        let is_same = percent(self.rng, 75);
        let wanted = of.value_type.clone();
        let other = self.field(|column| match is_same {
            true => column.value_type == wanted,
            false => column.value_type.is_comparable_with(&wanted),
        });
        let Some(other) = other else { return self.comparison(of) };
        let other = match percent(self.rng, 20) && other.value_type.is_number() {
            true => self.arithmetic(other, 1),
            false => other,
        };
        let operator = self.operator(&of.value_type);
        Condition::Compare { operator, left: of.expr, right: other.expr }
    }

    fn in_list(&mut self, of: Typed) -> Condition {
        let count = match self.rng.u8(..10) {
            0 => 0,
            1 => 1,
            2..5 => self.rng.usize(9..40),
            _ => self.rng.usize(2..9),
        };
        let mut values: Vec<Expr> = (0..count).map(|_| literal(self.constant(&of))).collect();
        if percent(self.rng, 20) {
            values.push(literal(Datum::Null));
        }
        match self.rng.bool() {
            true => Condition::is_in(of.expr, values),
            false => Condition::is_not_in(of.expr, values),
        }
    }

    fn text_test(&mut self, of: Typed) -> Condition {
        let operators = [
            TextOperator::Contains,
            TextOperator::StartsWith,
            TextOperator::EndsWith,
            TextOperator::Like,
            TextOperator::Regex,
            TextOperator::IContains,
            TextOperator::IStartsWith,
            TextOperator::IEndsWith,
            TextOperator::ILike,
            TextOperator::IEq,
        ];
        let operator = pick(self.rng, &operators).copied().unwrap_or(TextOperator::Contains);
        let base = match self.constant(&of) {
            Datum::Text(text) => String::from(text),
            _ => text(self.rng),
        };
        let pattern = match operator {
            TextOperator::Like | TextOperator::ILike => self.like(&base),
            TextOperator::Regex => self.regex(&base),
            _ => self.piece(&base),
        };
        Condition::Text {
            operator,
            expr: of.expr,
            pattern: literal(Datum::Text(pattern.into())),
            negated: percent(self.rng, 25),
        }
    }

    /// A part of a text.
    fn piece(&mut self, of: &str) -> String {
        let characters: Vec<char> = of.chars().collect();
        let from = self.rng.usize(..=characters.len());
        let to = self.rng.usize(from..=characters.len());
        match percent(self.rng, 30) {
            true => of.to_owned(),
            false => characters.get(from..to).unwrap_or_default().iter().collect(),
        }
    }

    fn like(&mut self, of: &str) -> String {
        let mut pattern = String::new();
        if percent(self.rng, 40) {
            pattern.push('%');
        }
        for character in self.piece(of).chars() {
            match self.rng.u8(..10) {
                0 => pattern.push('_'),
                1 => pattern.push('%'),
                _ if matches!(character, '%' | '_' | '\\') => pattern.extend(['\\', character]),
                _ => pattern.push(character),
            }
        }
        if percent(self.rng, 40) {
            pattern.push('%');
        }
        pattern
    }

    fn regex(&mut self, of: &str) -> String {
        let mut pattern = String::new();
        if percent(self.rng, 25) {
            pattern.push('^');
        }
        for character in self.piece(of).chars() {
            match self.rng.u8(..12) {
                0 => pattern.push('.'),
                1 => pattern.push_str(one(self.rng, &[r"\d", r"\w", r"\s", "[a-c]", "[^a]", "(a|B|ß)", "[Ää]"])),
                _ if character.is_ascii_punctuation() => pattern.extend(['\\', character]),
                _ => pattern.push(character),
            }
            if percent(self.rng, 15) {
                pattern.push_str(one(self.rng, &["*", "+", "?", "{2}", "{0,3}", "{1,}"]));
            }
        }
        if percent(self.rng, 25) {
            pattern.push('$');
        }
        pattern
    }

    fn list_test(&mut self, of: Typed) -> Condition {
        let ValueType::List(item) = &of.value_type else { return self.comparison(of) };
        let common = match self.constant(&of) {
            Datum::List(items) => items,
            _ => Vec::new(),
        };
        let negated = percent(self.rng, 25);
        if self.rng.bool() {
            let wanted = match pick(self.rng, &common) {
                Some(wanted) if percent(self.rng, 70) => wanted.clone(),
                _ => value(self.rng, item),
            };
            return Condition::List {
                operator: ListOperator::Contains,
                expr: of.expr,
                argument: literal(wanted),
                negated,
            };
        }
        let mut wanted = common;
        if percent(self.rng, 50) {
            wanted.push(value(self.rng, item));
        }
        Condition::List {
            operator: ListOperator::Overlaps,
            expr: of.expr,
            argument: literal(Datum::List(wanted)),
            negated,
        }
    }
}

const DATE_PARTS: [DatePart; 4] = [DatePart::Year, DatePart::Month, DatePart::Day, DatePart::Weekday];
const TIME_PARTS: [DatePart; 3] = [DatePart::Hour, DatePart::Minute, DatePart::Second];
