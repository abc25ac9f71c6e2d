//! What a driver does natively, and its limits.
//!
//! What is absent is *completed*: the engine reads more rows than it needs and does the rest with
//! identical results, says so in `explain`, and refuses with `Unsupported` under `strict`. An
//! operator that is *rechecked* is given to the driver, which may return a few rows too many
//! cheaply; the engine removes them. What the engine cannot complete is *unsupported*; each
//! field's doc says so.

use crate::model::ModelDef;
use crate::query::condition::ListOperator;
use crate::query::{AggregateFunction, Comparison, Condition, Expr, InList, RelatedNode, TextOperator};
use crate::value::ValueType;

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        /// A set of operators of the query language.
        #[derive(Clone, Copy, Default, PartialEq, Eq)]
        pub struct Operators(u64);

        impl Operators {
            $($(#[$doc])* pub const $name: Operators = Operators(1 << $bit);)*

            const NAMES: &'static [(Operators, &'static str)] = &[$((Operators::$name, stringify!($name))),*];
        }
    };
}

operators! {
    /// `eq`, `ne` with a constant.
    EQ = 0;
    /// `lt`, `le`, `gt`, `ge`, `between` with a constant.
    ORDER = 1;
    /// `in_`, `not_in`.
    IN = 2;
    /// `is_null`, `is_not_null`.
    NULL = 3;
    /// `contains`.
    CONTAINS = 4;
    /// `starts_with`.
    STARTS_WITH = 5;
    /// `ends_with`.
    ENDS_WITH = 6;
    /// `like`.
    LIKE = 7;
    /// `regex`.
    REGEX = 8;
    /// `icontains`, `istarts_with`, `iends_with`, `ieq`.
    FOLDED = 9;
    /// `ilike`.
    FOLDED_LIKE = 10;
    /// `contains` of a list.
    LIST_CONTAINS = 11;
    /// `overlaps` of a list.
    LIST_OVERLAPS = 12;
    /// Comparisons in which no side is a constant.
    BETWEEN_FIELDS = 13;
    /// Arithmetic and bit operations.
    ARITHMETIC = 14;
    /// Parts of dates and times.
    DATE_PART = 15;
    /// Paths into JSON.
    JSON_PATH = 16;
    /// Structural equality of JSON.
    JSON_EQ = 17;
    /// The number of elements of a list.
    LENGTH = 18;
    /// `eq` and `ne` of whole lists.
    LIST_EQ = 19;
    /// `|` of conditions.
    OR = 20;
    /// `!` of conditions.
    NOT = 21;
    /// Whether a condition is true, or is not, unknown being neither.
    IS_TRUE = 22;
}

impl Operators {
    /// No operators.
    pub const NONE: Operators = Operators(0);
    /// All operators.
    pub const ALL: Operators = Operators((1 << 23) - 1);

    /// The operators of both sets.
    pub const fn and(self, other: Operators) -> Operators {
        Operators(self.0 | other.0)
    }

    /// The operators of this set that are not in the other.
    pub const fn without(self, other: Operators) -> Operators {
        Operators(self.0 & !other.0)
    }

    /// Whether all operators of the other set are in this one.
    pub const fn contains(self, other: Operators) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the sets share an operator.
    pub const fn intersects(self, other: Operators) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The operators' names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(operator, _)| self.contains(*operator)).map(|(_, name)| *name)
    }

    /// The operators that an expression needs, those for related rows included.
    pub fn of_expr(expr: &Expr) -> Operators {
        match expr {
            Expr::Field(_) | Expr::Literal(_) | Expr::Parameter(_) | Expr::Inserted(_) | Expr::Joined { .. } => {
                Operators::NONE
            }
            Expr::Arithmetic { left, right, .. } => {
                Operators::ARITHMETIC.and(Operators::of_expr(left)).and(Operators::of_expr(right))
            }
            Expr::DatePart { of, .. } => Operators::DATE_PART.and(Operators::of_expr(of)),
            Expr::JsonPath { of, .. } => Operators::JSON_PATH.and(Operators::of_expr(of)),
            Expr::Length(of) => Operators::LENGTH.and(Operators::of_expr(of)),
            Expr::Aggregate { of, .. } => of.as_ref().map_or(Operators::NONE, |of| Operators::of_expr(of)),
            Expr::Related { link, condition, of } => {
                Operators::of_model(condition, link.target()).and(Operators::of_expr(of))
            }
        }
    }

    /// The operators that a condition over a model needs, those of its parts and those for related
    /// rows included.
    pub fn of_model(condition: &Condition, model: &ModelDef) -> Operators {
        Operators::of_condition(condition, &|expr| matches!(expr.value_type(model), Some(ValueType::Json)), &|expr| {
            matches!(expr.value_type(model), Some(ValueType::List(_)))
        })
    }

    /// The operators that a condition needs, those of its parts and those for related rows
    /// included.
    pub fn of_condition(
        condition: &Condition,
        is_json: &dyn Fn(&Expr) -> bool,
        is_list: &dyn Fn(&Expr) -> bool,
    ) -> Operators {
        let recurse = |part: &Condition| Operators::of_condition(part, is_json, is_list);
        match condition {
            Condition::Const(_) => Operators::NONE,
            Condition::Compare { operator, left, right } => {
                let constant = |expr: &Expr| matches!(expr, Expr::Literal(_) | Expr::Parameter(_));
                let mut needed = match operator {
                    Comparison::Eq | Comparison::Ne if is_json(left) || is_json(right) => Operators::JSON_EQ,
                    Comparison::Eq | Comparison::Ne if is_list(left) || is_list(right) => Operators::LIST_EQ,
                    Comparison::Eq | Comparison::Ne => Operators::EQ,
                    _ => Operators::ORDER,
                };
                if !constant(left) && !constant(right) {
                    needed = needed.and(Operators::BETWEEN_FIELDS);
                }
                needed.and(Operators::of_expr(left)).and(Operators::of_expr(right))
            }
            Condition::In { expr, list, .. } => {
                let mut needed = Operators::IN.and(Operators::of_expr(expr));
                if is_json(expr) {
                    needed = needed.and(Operators::JSON_EQ);
                }
                if is_list(expr) {
                    needed = needed.and(Operators::LIST_EQ);
                }
                if let InList::Values(values) = list {
                    needed = values.iter().fold(needed, |needed, value| needed.and(Operators::of_expr(value)));
                }
                needed
            }
            Condition::IsNull { expr, .. } => Operators::NULL.and(Operators::of_expr(expr)),
            Condition::Text { operator, expr, .. } => Operators::of_expr(expr).and(match operator {
                TextOperator::Contains => Operators::CONTAINS,
                TextOperator::StartsWith => Operators::STARTS_WITH,
                TextOperator::EndsWith => Operators::ENDS_WITH,
                TextOperator::Like => Operators::LIKE,
                TextOperator::Regex => Operators::REGEX,
                TextOperator::ILike => Operators::FOLDED_LIKE,
                _ => Operators::FOLDED,
            }),
            Condition::List { operator, expr, .. } => Operators::of_expr(expr).and(match operator {
                ListOperator::Contains => Operators::LIST_CONTAINS,
                ListOperator::Overlaps => Operators::LIST_OVERLAPS,
            }),
            Condition::And(parts) => parts.iter().map(recurse).fold(Operators::NONE, Operators::and),
            Condition::Or(parts) => parts.iter().map(recurse).fold(Operators::OR, Operators::and),
            Condition::Not(part) => Operators::NOT.and(recurse(part)),
            Condition::IsTrue { condition, .. } => Operators::IS_TRUE.and(recurse(condition)),
            Condition::Related { link, condition } => Operators::of_model(condition, link.target()),
        }
    }
}

impl std::fmt::Debug for Operators {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// How a driver answers an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// The driver answers it.
    Native,
    /// The driver returns a superset, the engine removes the rest.
    Rechecked,
    /// The engine answers it.
    Completed,
}

/// Filters.
#[derive(Clone, Copy, Debug, Default)]
pub struct FilterCapability {
    /// Operators that the driver answers. Absent: completed.
    pub native: Operators,
    /// Operators for which the driver returns a superset cheaply. Used only where the operator
    /// stands under `and` alone; under `or` and `not` it is completed.
    pub rechecked: Operators,
}

/// Orders and limits.
#[derive(Clone, Copy, Debug, Default)]
pub struct OrderCapability {
    /// `order_by` fields, nulls lowest. Absent: completed.
    pub fields: bool,
    /// `order_by` any expression that the filter operators allow. Absent: completed.
    pub expressions: bool,
    /// `nulls_first` and `nulls_last`. Absent: completed.
    pub nulls: bool,
    /// `limit`. Absent: completed.
    pub limit: bool,
    /// `offset`. Absent: completed.
    pub offset: bool,
}

/// Groups and aggregates.
#[derive(Clone, Copy, Debug, Default)]
pub struct AggregateCapability {
    /// `count` of rows. Absent: completed.
    pub count: bool,
    /// `sum`, `avg`, `min`, `max` and `count` of an expression, exact as the contract wants.
    /// Absent: completed.
    pub functions: bool,
    /// Aggregates over distinct values. Absent: completed.
    pub distinct: bool,
    /// `group_by` and `having`. Absent: completed.
    pub groups: bool,
    /// `select` of some fields or expressions. Absent: completed.
    pub projection: bool,
    /// `distinct` rows. Absent: completed.
    pub distinct_rows: bool,
}

/// Related rows. The operators that are used inside count as in any filter: where one is absent, the
/// whole is.
#[derive(Clone, Copy, Debug, Default)]
pub struct RelationCapability {
    /// Filters by related rows: whether there is one that passes a condition. Absent: completed,
    /// by a query of its own for the related rows.
    pub filters: bool,
    /// Values from related rows: of the one that there is, or an aggregate of all. Absent:
    /// completed, by a query of its own for the related rows.
    pub values: bool,
    /// Values from related rows that no index finds: see [`Link::is_indexed`](crate::model::Link::is_indexed). Absent: completed.
    pub unindexed_values: bool,
    /// Filters by related rows in updates and deletes. Absent: completed.
    pub writes: bool,
    /// Joins, whose rows are pairs. Absent: unsupported; relations by way of a link model are then
    /// loaded by a query more.
    pub joins: bool,
    /// A limit of each group of rows. Absent: completed.
    pub limit_by: bool,
}

/// Writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteCapability {
    /// `update` of the rows that pass a filter, in one operation. Absent: completed, row by row in
    /// a transaction where there are any.
    pub update_where: bool,
    /// Right-hand sides that are expressions. Absent: completed.
    pub update_expressions: bool,
    /// `delete` of the rows that pass a filter, in one operation. Absent: completed.
    pub delete_where: bool,
    /// Inserts that ignore or update rows that are there. Absent: completed, row by row in a
    /// transaction where there are any.
    pub upsert: bool,
}

/// Rules that the database keeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConstraintCapability {
    /// Unique groups. Absent: `create` refuses models that have them.
    pub unique: bool,
    /// Unique groups over some of the rows. Absent: `create` refuses models that have them.
    pub partial_unique: bool,
    /// References. Absent: `create` refuses models with enforced ones.
    pub references: bool,
    /// Checks. Absent: `create` refuses models that have them.
    pub checks: bool,
    /// Automatic integer keys. Absent: `create` refuses models that have them.
    pub auto_integers: bool,
}

/// Transactions.
#[derive(Clone, Copy, Debug, Default)]
pub struct TransactionCapability {
    /// Transactions at all. Absent: unsupported.
    pub transactions: bool,
    /// Reads outside of transactions that see a write of several rows wholly or not at all. Absent: they
    /// may see a part of one that is being committed; reads in transactions do not.
    pub snapshot_reads: bool,
    /// Savepoints, for nested transactions. Absent: unsupported.
    pub savepoints: bool,
    /// Transactions that only read. Absent: unsupported.
    pub read_only: bool,
    /// Repeatable read. Absent: unsupported.
    pub repeatable_read: bool,
    /// Serializable. Absent: unsupported.
    pub serializable: bool,
    /// Read-only serializable transactions that wait at their beginning until no conflict can meet
    /// them, or never meet one. Absent: unsupported.
    pub deferrable: bool,
}

/// Other operations.
#[derive(Clone, Copy, Debug, Default)]
pub struct OperationCapability {
    /// Statements in the database's own language. Absent: unsupported.
    pub raw: bool,
    /// That language is SQL. Absent: what `raw` takes, the driver documents.
    pub sql: bool,
    /// The database's own plan in `explain`. Absent: left out.
    pub explain: bool,
    /// Schemas in stored names. Absent: `create` refuses models that name one.
    pub schemas: bool,
    /// Embedded structs as sub-documents. Absent: they are flattened into columns.
    pub documents: bool,
}

/// The greatest numbers that the database can keep to. Inserts of any number of rows are the
/// driver's to split.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of an identifier: `create` refuses longer ones.
    pub identifier_bytes: usize,
    /// Parameters of a statement: a query with more constants is refused, and told of `in_`.
    pub parameters: usize,
    /// Bytes of one value: the driver refuses longer ones.
    pub value_bytes: usize,
    /// Elements of the list of an `in_` by which related rows are looked for: more are looked for in
    /// several statements.
    pub list_values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            identifier_bytes: usize::MAX,
            parameters: usize::MAX,
            value_bytes: usize::MAX,
            list_values: usize::MAX,
        }
    }
}

/// A part of a statement that a driver is asked about.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// A condition without `&`, `|` and `!`.
    Condition(&'a Condition),
    /// An expression, without those in it.
    Expr(&'a Expr),
    /// An expression that rows are ordered by.
    Order(&'a Expr),
}

/// Says of a part of a statement on a model whether the driver leaves it to the engine, though it
/// has the operators: where it depends on the types whether the database is exact.
pub type Except = fn(Part<'_>, &ModelDef) -> bool;

/// What a driver does natively, and its limits.
///
/// The least that a driver must do: read all rows of a model or the one of a key (`eq` on all
/// fields of the key, under `and`), insert rows, update and delete the row of a key, if need be only
/// where its version is the one said (`eq` on the version too): two writers of a version must not
/// both win.
#[derive(Clone, Copy, Debug, Default)]
pub struct Capabilities {
    /// Filters.
    pub filter: FilterCapability,
    /// Orders and limits.
    pub order: OrderCapability,
    /// Groups and aggregates.
    pub aggregate: AggregateCapability,
    /// Related rows.
    pub relation: RelationCapability,
    /// Writes.
    pub write: WriteCapability,
    /// Rules that the database keeps.
    pub constraint: ConstraintCapability,
    /// Transactions.
    pub transaction: TransactionCapability,
    /// Other operations.
    pub operation: OperationCapability,
    /// The greatest numbers that the database can keep to.
    pub limits: Limits,
    /// Parts of statements that are completed in spite of the rest.
    pub except: Option<Except>,
}

impl Capabilities {
    /// A driver that does everything natively, without limits.
    pub fn all() -> Self {
        Capabilities {
            filter: FilterCapability { native: Operators::ALL, rechecked: Operators::NONE },
            order: OrderCapability { fields: true, expressions: true, nulls: true, limit: true, offset: true },
            aggregate: AggregateCapability {
                count: true,
                functions: true,
                distinct: true,
                groups: true,
                projection: true,
                distinct_rows: true,
            },
            relation: RelationCapability {
                filters: true,
                values: true,
                unindexed_values: true,
                writes: true,
                joins: true,
                limit_by: true,
            },
            write: WriteCapability { update_where: true, update_expressions: true, delete_where: true, upsert: true },
            constraint: ConstraintCapability {
                unique: true,
                partial_unique: true,
                references: true,
                checks: true,
                auto_integers: true,
            },
            transaction: TransactionCapability {
                transactions: true,
                snapshot_reads: true,
                savepoints: true,
                read_only: true,
                repeatable_read: true,
                serializable: true,
                deferrable: true,
            },
            operation: OperationCapability { raw: true, sql: true, explain: true, schemas: true, documents: true },
            limits: Limits::default(),
            except: None,
        }
    }

    /// Whether the driver leaves an expression, or one in it, to the engine though it has the
    /// operators.
    pub fn excepts_expr(&self, expr: &Expr, model: &ModelDef) -> bool {
        let Some(except) = self.except else { return false };
        except(Part::Expr(expr), model)
            || match expr {
                Expr::Field(_) | Expr::Literal(_) | Expr::Parameter(_) | Expr::Inserted(_) | Expr::Joined { .. } => {
                    false
                }
                Expr::Related { link, condition, of } => {
                    self.excepts(condition, link.target()) || self.excepts_expr(of, link.target())
                }
                Expr::Arithmetic { left, right, .. } => {
                    self.excepts_expr(left, model) || self.excepts_expr(right, model)
                }
                Expr::DatePart { of, .. } | Expr::JsonPath { of, .. } | Expr::Length(of) => {
                    self.excepts_expr(of, model)
                }
                Expr::Aggregate { of, .. } => of.as_ref().is_some_and(|of| self.excepts_expr(of, model)),
            }
    }

    /// Whether the driver leaves a condition, or a part of it, to the engine though it has the
    /// operators.
    pub fn excepts(&self, condition: &Condition, model: &ModelDef) -> bool {
        let Some(except) = self.except else { return false };
        match condition {
            Condition::And(parts) | Condition::Or(parts) => parts.iter().any(|part| self.excepts(part, model)),
            Condition::Not(part) | Condition::IsTrue { condition: part, .. } => self.excepts(part, model),
            Condition::Related { link, condition: inner } => {
                except(Part::Condition(condition), model) || self.excepts(inner, link.target())
            }
            leaf => {
                let mut found = except(Part::Condition(leaf), model);
                leaf.each_expr(&mut |expr| found |= self.excepts_expr(expr, model));
                found
            }
        }
    }

    /// Whether the driver answers what is asked of related rows natively.
    pub fn has_related(&self, node: &RelatedNode<'_>) -> bool {
        let native = self.filter.native;
        // a driver without filters is asked for none, not even by a constant
        let mut able = !native.is_empty() && native.contains(Operators::of_model(node.condition, node.link.target()));
        node.condition.each_related(&mut |inner| able &= self.has_related(&inner));
        let Some(of) = node.of else { return able && self.relation.filters };
        of.each_related(&mut |inner| able &= self.has_related(&inner));
        if let Expr::Aggregate { function, of, distinct } = of {
            able &= self.has_aggregate(*function, of.is_none(), *distinct);
        }
        able &= self.relation.unindexed_values || node.link.is_indexed();
        able && self.relation.values && native.contains(Operators::of_expr(of))
    }

    /// Whether the driver has an aggregate function natively.
    pub fn has_aggregate(&self, function: AggregateFunction, of_rows: bool, distinct: bool) -> bool {
        let plain = match function {
            AggregateFunction::Count if of_rows => self.aggregate.count,
            _ => self.aggregate.functions,
        };
        plain && (!distinct || self.aggregate.distinct)
    }
}
