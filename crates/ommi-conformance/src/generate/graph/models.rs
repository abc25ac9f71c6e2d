//! The models of generated graphs: every kind of relation between them.

use std::cmp::Ordering;

use ommi::prelude::*;
use ommi::query::Order;
use ommi::relation::eager::{Eager, With};
use ommi::{Filter, Plural, Relation, Single};

use super::answer::{Found, of_one, of_rows};
use super::tree::{Cond, Load, Operator, Quantifier, Related};

/// A value of a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
}

impl Cell {
    /// How the value compares with another; unknown, if one of them is null.
    pub(super) fn compare(&self, other: &Cell) -> Option<Ordering> {
        match (self, other) {
            (Cell::Null, _) | (_, Cell::Null) => None,
            _ => Some(self.cmp(other)),
        }
    }
}

/// What a field's type makes of a cell, and a cell of it.
pub(super) trait OfCell: Sized {
    fn of(cell: Option<&Cell>) -> Self;

    fn to_cell(&self) -> Cell;
}

impl OfCell for i64 {
    fn of(cell: Option<&Cell>) -> Self {
        match cell {
            Some(Cell::Int(value)) => *value,
            _ => 0,
        }
    }

    fn to_cell(&self) -> Cell {
        Cell::Int(*self)
    }
}

impl OfCell for String {
    fn of(cell: Option<&Cell>) -> Self {
        match cell {
            Some(Cell::Text(value)) => value.clone(),
            _ => String::new(),
        }
    }

    fn to_cell(&self) -> Cell {
        Cell::Text(self.clone())
    }
}

impl<T: OfCell> OfCell for Option<T> {
    fn of(cell: Option<&Cell>) -> Self {
        match cell {
            None | Some(Cell::Null) => None,
            cell => Some(T::of(cell)),
        }
    }

    fn to_cell(&self) -> Cell {
        self.as_ref().map_or(Cell::Null, T::to_cell)
    }
}

/// The fields of a link: those of the source, and those of the target that have the same values.
pub(super) type Pairs = &'static [(usize, usize)];

/// Pairs of any number, as those of a link.
const fn pairs<const N: usize>(of: &'static [(usize, usize); N]) -> Pairs {
    of
}

/// A relation, as the reference sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leads {
    pub(super) name: &'static str,
    pub(super) target: usize,
    pub(super) pairs: Pairs,
    /// The link model, the pairs from the owner to it, and those from it to the target.
    pub(super) through: Option<(usize, Pairs)>,
    pub(super) is_plural: bool,
}

/// A field, as the reference sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldType {
    Int,
    OptionalInt,
    Text,
    OptionalText,
}

impl FieldType {
    pub(super) fn is_optional(self) -> bool {
        matches!(self, FieldType::OptionalInt | FieldType::OptionalText)
    }
}

/// A model, as the reference sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) fields: &'static [(&'static str, FieldType)],
    /// The fields of the key, which come first.
    pub(super) key: usize,
    /// Fields that no two rows have the same value in.
    pub(super) unique: Option<usize>,
    pub(super) relations: &'static [Leads],
}

/// A model of the graphs.
pub(super) trait Graph: Model + Sized {
    fn of_row(row: &[Cell]) -> Self;

    fn row(&self) -> Vec<Cell>;

    fn compare(field: usize, operator: Operator, value: &Cell) -> Filter<Self>;

    fn order(field: usize, descending: bool) -> Order<Self>;

    fn related(related: &Related) -> Filter<Self>;

    fn load(load: &Load) -> Loads<Self>;

    /// The related rows, as they are loaded; asked for, if they are not.
    fn found<'a>(&'a self, load: &'a Load) -> Found<'a>;
}

/// Relations that a query loads.
pub(super) struct Loads<M>(Vec<Eager>, std::marker::PhantomData<fn() -> M>);

impl<M: Model> Loads<M> {
    fn one(relation: impl With<M>) -> Self {
        Loads(relation.eager(), std::marker::PhantomData)
    }

    /// Those of a list that are loaded eagerly.
    pub(super) fn all(loads: &[Load]) -> Self
    where
        M: Graph,
    {
        let eager = loads.iter().filter(|load| !load.is_lazy).flat_map(|load| M::load(load).0);
        Loads(eager.collect(), std::marker::PhantomData)
    }
}

impl<M: Model> With<M> for Loads<M> {
    fn eager(self) -> Vec<Eager> {
        self.0
    }
}

/// A condition as a filter.
pub(super) fn filter<M: Graph>(condition: &Cond) -> Filter<M> {
    match condition {
        Cond::All => M::all(),
        Cond::Compare(field, operator, value) => M::compare(*field, *operator, value),
        Cond::Related(related) => M::related(related),
        Cond::And(both) => filter::<M>(&both.0) & filter::<M>(&both.1),
        Cond::Or(both) => filter::<M>(&both.0) | filter::<M>(&both.1),
        Cond::Not(condition) => !filter::<M>(condition),
    }
}

/// Orders of a model.
pub(super) fn orders<M: Graph>(order: &[(usize, bool)]) -> Vec<Order<M>> {
    order.iter().map(|(field, descending)| M::order(*field, *descending)).collect()
}

trait Asked<M: Model> {
    fn asked(self, related: &Related) -> Filter<M>;
}

impl<M: Graph, T: Graph> Asked<M> for Relation<M, T, Single> {
    fn asked(self, related: &Related) -> Filter<M> {
        match &related.own {
            None => self.has(filter::<T>(&related.condition)),
            Some(own) => self.filter(filter::<T>(own)).has(filter::<T>(&related.condition)),
        }
    }
}

impl<M: Graph, T: Graph> Asked<M> for Relation<M, T, Plural> {
    fn asked(self, related: &Related) -> Filter<M> {
        let condition = || filter::<T>(&related.condition);
        match (&related.own, related.quantifier) {
            (None, Quantifier::Any) => self.any(condition()),
            (None, Quantifier::None) => self.none(condition()),
            (None, Quantifier::All) => self.all(condition()),
            (own, Quantifier::Count(operator, number)) => {
                let own = own.as_ref().map_or_else(T::all, filter::<T>);
                let count = self.filter(own).filter(condition()).count();
                match operator {
                    Operator::Eq | Operator::IsNull => count.eq(number),
                    Operator::Ne => count.ne(number),
                    Operator::Lt => count.lt(number),
                    Operator::Ge => count.ge(number),
                }
            }
            (Some(own), quantifier) => {
                let filtered = self.filter(filter::<T>(own));
                match quantifier {
                    Quantifier::None => filtered.none(condition()),
                    Quantifier::All => filtered.all(condition()),
                    _ => filtered.any(condition()),
                }
            }
        }
    }
}

fn load<M: Graph, T: Graph, C: ommi::query::relation::Count>(relation: Relation<M, T, C>, load: &Load) -> Loads<M> {
    let mut query = relation.filter(filter::<T>(&load.condition)).with(Loads::<T>::all(&load.with));
    for order in orders::<T>(&load.order) {
        query = query.order_by(order);
    }
    if let Some(limit) = load.limit {
        query = query.limit(limit);
    }
    Loads::one(query)
}

macro_rules! compare {
    ($model:ident $constant:ident int, $operator:expr, $value:expr) => {
        match ($operator, <i64 as OfCell>::of(Some($value))) {
            (Operator::Eq | Operator::IsNull, value) => $model::$constant.eq(value),
            (Operator::Ne, value) => $model::$constant.ne(value),
            (Operator::Lt, value) => $model::$constant.lt(value),
            (Operator::Ge, value) => $model::$constant.ge(value),
        }
    };
    ($model:ident $constant:ident optional_int, $operator:expr, $value:expr) => {
        match $operator {
            Operator::IsNull => $model::$constant.is_null(),
            operator => compare!($model $constant int, operator, $value),
        }
    };
    ($model:ident $constant:ident text, $operator:expr, $value:expr) => {
        match ($operator, <String as OfCell>::of(Some($value))) {
            (Operator::Eq | Operator::IsNull, value) => $model::$constant.eq(value),
            (Operator::Ne, value) => $model::$constant.ne(value),
            (Operator::Lt, value) => $model::$constant.lt(value),
            (Operator::Ge, value) => $model::$constant.ge(value),
        }
    };
    ($model:ident $constant:ident optional_text, $operator:expr, $value:expr) => {
        match $operator {
            Operator::IsNull => $model::$constant.is_null(),
            operator => compare!($model $constant text, operator, $value),
        }
    };
}

macro_rules! field_type {
    (int) => {
        FieldType::Int
    };
    (optional_int) => {
        FieldType::OptionalInt
    };
    (text) => {
        FieldType::Text
    };
    (optional_text) => {
        FieldType::OptionalText
    };
}

macro_rules! is_plural {
    (one) => {
        false
    };
    (many) => {
        true
    };
}

macro_rules! option {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

macro_rules! found {
    (one $field:expr, $load:expr) => {
        of_one(&$field, $load)
    };
    (many $field:expr, $load:expr) => {
        of_rows(&$field, $load)
    };
}

/// The shape of a model, and what is asked of it by numbers.
macro_rules! graph {
    (
        $model:ident $shape:ident ($key:literal key $(, unique $unique:literal)?)
        fields { $($index:literal $field:ident $constant:ident $kind:ident;)+ }
        relations { $($place:literal $relation:ident $name:ident $count:ident $target:literal [$($pair:expr),+]
            $(through $link:literal [$($second:expr),+])?;)* }
    ) => {
        pub(super) const $shape: Shape = Shape {
            name: stringify!($model),
            fields: &[$((stringify!($field), field_type!($kind))),+],
            key: $key,
            unique: option!($($unique)?),
            relations: &[$(Leads {
                name: stringify!($name),
                target: $target,
                pairs: &[$($pair),+],
                through: option!($(($link, pairs(&[$($second),+])))?),
                is_plural: is_plural!($count),
            }),*],
        };

        impl Graph for $model {
            fn of_row(row: &[Cell]) -> Self {
                $model { $($field: OfCell::of(row.get($index)),)+ ..Default::default() }
            }

            fn row(&self) -> Vec<Cell> {
                vec![$(self.$field.to_cell()),+]
            }

            fn compare(field: usize, operator: Operator, value: &Cell) -> Filter<Self> {
                match field {
                    $($index => compare!($model $constant $kind, operator, value),)+
                    _ => Self::all(),
                }
            }

            fn order(field: usize, descending: bool) -> Order<Self> {
                match (field, descending) {
                    $(($index, false) => $model::$constant.asc(),
                    ($index, true) => $model::$constant.desc(),)+
                    (_, false) => graph!(@first asc $model $($constant)+),
                    (_, true) => graph!(@first desc $model $($constant)+),
                }
            }

            fn related(related: &Related) -> Filter<Self> {
                match related.relation {
                    $($place => $model::$relation.asked(related),)*
                    _ => Self::all(),
                }
            }

            fn load(of: &Load) -> Loads<Self> {
                match of.relation {
                    $($place => load($model::$relation, of),)*
                    _ => Loads::all(&[]),
                }
            }

            fn found<'a>(&'a self, load: &'a Load) -> Found<'a> {
                match load.relation {
                    $($place => found!($count self.$name, load),)*
                    _ => Box::pin(async { Ok(Vec::new()) }),
                }
            }
        }
    };
    (@first $direction:ident $model:ident $first:ident $($rest:ident)*) => {
        $model::$first.$direction()
    };
}

// the references may dangle, and so have no need of a capability

#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "graph person")]
pub(super) struct Person {
    #[ommi(key)]
    id: i64,
    name: String,
    #[ommi(references = Person, unenforced)]
    mentor_id: Option<i64>,
    mentor: One<Option<Person>>,
    pupils: Many<Person>,
    profile: One<Option<Profile>>,
    #[ommi(by = author_id)]
    written: Many<Work>,
    #[ommi(by = editor_id)]
    edited: Many<Work>,
}

graph! {
    Person PERSON (1 key)
    fields { 0 id ID int; 1 name NAME text; 2 mentor_id MENTOR_ID optional_int; }
    relations {
        0 MENTOR mentor one 0 [(2, 0)];
        1 PUPILS pupils many 0 [(0, 2)];
        2 PROFILE profile one 1 [(0, 1)];
        3 WRITTEN written many 2 [(0, 3)];
        4 EDITED edited many 2 [(0, 4)];
    }
}

#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "graph profile")]
pub(super) struct Profile {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Person, unenforced, unique)]
    person_id: Option<i64>,
    bio: Option<String>,
    person: One<Option<Person>>,
}

graph! {
    Profile PROFILE (1 key, unique 1)
    fields { 0 id ID int; 1 person_id PERSON_ID optional_int; 2 bio BIO optional_text; }
    relations { 0 PERSON person one 0 [(1, 0)]; }
}

#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "graph work")]
pub(super) struct Work {
    #[ommi(key)]
    id: i64,
    title: String,
    pages: Option<i64>,
    #[ommi(references = Person, unenforced)]
    author_id: Option<i64>,
    #[ommi(references = Person, unenforced)]
    editor_id: Option<i64>,
    #[ommi(by = author_id)]
    author: One<Option<Person>>,
    #[ommi(by = editor_id)]
    editor: One<Option<Person>>,
    #[ommi(through = Tagging)]
    topics: Many<Topic>,
    copies: Many<Copied>,
}

graph! {
    Work WORK (1 key)
    fields {
        0 id ID int; 1 title TITLE text; 2 pages PAGES optional_int; 3 author_id AUTHOR_ID optional_int;
        4 editor_id EDITOR_ID optional_int;
    }
    relations {
        0 AUTHOR author one 0 [(3, 0)];
        1 EDITOR editor one 0 [(4, 0)];
        2 TOPICS topics many 3 [(0, 0)] through 4 [(1, 0)];
        3 COPIES copies many 5 [(0, 0)];
    }
}

#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "graph topic")]
pub(super) struct Topic {
    #[ommi(key)]
    name: String,
    weight: Option<i64>,
    #[ommi(through = Tagging)]
    works: Many<Work>,
}

graph! {
    Topic TOPIC (1 key)
    fields { 0 name NAME text; 1 weight WEIGHT optional_int; }
    relations { 0 WORKS works many 2 [(0, 1)] through 4 [(0, 0)]; }
}

#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "graph tagging")]
pub(super) struct Tagging {
    #[ommi(key, references = Work, unenforced)]
    work_id: i64,
    #[ommi(key, references = Topic, unenforced)]
    topic: String,
    weight: Option<i64>,
    work: One<Option<Work>>,
    of: One<Option<Topic>>,
}

graph! {
    Tagging TAGGING (2 key)
    fields { 0 work_id WORK_ID int; 1 topic TOPIC text; 2 weight WEIGHT optional_int; }
    relations {
        0 WORK work one 2 [(0, 0)];
        1 OF of one 3 [(1, 0)];
    }
}

#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "graph copy")]
pub(super) struct Copied {
    #[ommi(key, references = Work, unenforced)]
    work_id: i64,
    #[ommi(key)]
    number: i64,
    work: One<Option<Work>>,
    loans: Many<Loan>,
}

graph! {
    Copied COPIED (2 key)
    fields { 0 work_id WORK_ID int; 1 number NUMBER int; }
    relations {
        0 WORK work one 2 [(0, 0)];
        1 LOANS loans many 6 [(0, 1), (1, 2)];
    }
}

#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "graph loan", references((work_id, number) = Copied, unenforced))]
pub(super) struct Loan {
    #[ommi(key)]
    id: i64,
    work_id: Option<i64>,
    number: Option<i64>,
    copy: One<Option<Copied>>,
}

graph! {
    Loan LOAN (1 key)
    fields { 0 id ID int; 1 work_id WORK_ID optional_int; 2 number NUMBER optional_int; }
    relations { 0 COPY copy one 5 [(1, 0), (2, 1)]; }
}

/// All models.
pub(super) type Graphs = (Person, Profile, Work, Topic, Tagging, Copied, Loan);

/// Their shapes, by the number of the model.
pub(super) const SHAPES: [Shape; 7] = [PERSON, PROFILE, WORK, TOPIC, TAGGING, COPIED, LOAN];

/// Calls a generic function for the model of a number.
macro_rules! for_model {
    ($model:expr, $function:ident($($argument:expr),*)) => {
        match $model {
            0 => $function::<$crate::generate::graph::models::Person>($($argument),*).await,
            1 => $function::<$crate::generate::graph::models::Profile>($($argument),*).await,
            2 => $function::<$crate::generate::graph::models::Work>($($argument),*).await,
            3 => $function::<$crate::generate::graph::models::Topic>($($argument),*).await,
            4 => $function::<$crate::generate::graph::models::Tagging>($($argument),*).await,
            5 => $function::<$crate::generate::graph::models::Copied>($($argument),*).await,
            _ => $function::<$crate::generate::graph::models::Loan>($($argument),*).await,
        }
    };
}

pub(super) use for_model;
