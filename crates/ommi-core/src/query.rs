//! What is asked: filters, orders and statements, typed at the front and plain data behind.
//!
//! [`Condition`] and [`Expr`] are the query language as data; [`Filter`], [`Field`] and their kin
//! put a model's types around them. A [`Statement`](statement::Statement) is what the planner
//! gets: its constants are lifted out as parameters, so that queries of one shape share a plan.

pub mod aggregate;
pub mod assignment;
pub mod condition;
pub mod cursor;
pub mod expr;
pub mod expression;
pub mod extras;
pub mod field;
pub mod filter;
pub mod operand;
pub mod order;
pub mod pattern;
pub mod related;
pub mod relation;
pub mod select;
pub mod shape;
pub mod statement;

pub use self::aggregate::{Aggregate, count};
pub use self::assignment::{Assignment, AssignmentOf};
pub use self::condition::{Comparison, Condition, InList, ListOperator, TextOperator};
pub use self::cursor::Cursor;
pub use self::expr::{AggregateFunction, ArithmeticOperator, DatePart, Expr};
pub use self::expression::Expression;
pub use self::extras::{Extras, Join, LimitBy};
pub use self::field::{Embedded, Field, FieldOf};
pub use self::filter::{Filter, FilterOf, Having};
pub use self::operand::{KeyOperand, Operand};
pub use self::order::{Direction, Nulls, Order, OrderBy, OrderOf};
pub use self::related::RelatedNode;
pub use self::relation::{Plural, Relation, RelationQuery, Single};
pub use self::select::{Groups, Rows, Select, Whole};
pub use self::shape::{Parameters, Shape};
