//! What MongoDB does natively.

use ommi_core::driver::Capabilities;
use ommi_core::driver::capability::{
    ConstraintCapability, Limits, OperationCapability, Part, RelationCapability, TransactionCapability,
};
use ommi_core::model::ModelDef;
use ommi_core::query::condition::InList;
use ommi_core::query::{AggregateFunction, Comparison, Condition, Expr, ListOperator, TextOperator};
use ommi_core::value::ValueType;

use crate::aggregate::sums_floats;
use crate::arithmetic::is_exact;
use crate::encode::VALUE_BYTES;
use crate::layout::is_moment;
use crate::related::is_beyond;
use crate::server::Server;

/// The most bytes of a namespace: the database's name, a dot and the collection's.
const NAMESPACE: usize = 255;

/// What the server does natively.
pub(crate) fn capabilities(server: &Server, database: &str) -> Capabilities {
    let has = server.has_transactions;
    Capabilities {
        constraint: ConstraintCapability { references: has, ..Capabilities::all().constraint },
        transaction: TransactionCapability {
            transactions: has,
            // a read that takes long goes on with what was committed meanwhile
            snapshot_reads: false,
            savepoints: false,
            read_only: has,
            repeatable_read: has,
            serializable: false,
            deferrable: false,
        },
        operation: OperationCapability { raw: true, sql: false, explain: true, schemas: false, documents: true },
        limits: Limits {
            identifier_bytes: NAMESPACE.saturating_sub(database.len() + 1),
            value_bytes: VALUE_BYTES,
            ..Limits::default()
        },
        relation: RelationCapability {
            filters: true,
            values: true,
            // a look-up without an index reads the collection anew for each row
            unindexed_values: false,
            writes: false,
            // two queries by keys are faster than a look-up for each row
            joins: false,
            limit_by: true,
        },
        except: Some(except),
        ..Capabilities::all()
    }
}

/// What the server compares or computes otherwise than the contract says.
fn except(part: Part<'_>, model: &ModelDef) -> bool {
    let is_bytes = |expr: &Expr| matches!(expr.value_type(model), Some(ValueType::Bytes));
    match part {
        // bytes are compared by their length first
        Part::Order(expr) => is_bytes(expr),
        Part::Expr(Expr::Arithmetic { operator, value_type, .. }) => !is_exact(*operator, value_type),
        Part::Expr(Expr::Aggregate {
            function: AggregateFunction::Min | AggregateFunction::Max, of: Some(of), ..
        }) => is_bytes(of),
        // the engine cannot read the rows anew if the server finds that it cannot sum them
        Part::Expr(Expr::Related { link, of, .. }) => sums_floats(of, link.target()),
        Part::Expr(_) => false,
        Part::Condition(Condition::Related { link, .. }) => is_beyond(link),
        Part::Condition(Condition::Compare { operator, left, right }) => {
            !matches!(operator, Comparison::Eq | Comparison::Ne) && (is_bytes(left) || is_bytes(right))
        }
        Part::Condition(Condition::Text { operator, pattern, .. }) => {
            let is_pattern =
                !matches!(operator, TextOperator::Contains | TextOperator::StartsWith | TextOperator::EndsWith);
            // the pattern of each row would have to be translated by the server
            is_pattern && !matches!(pattern, Expr::Parameter(_))
        }
        Part::Condition(Condition::List { operator: ListOperator::Contains, expr, argument, .. }) => {
            let of_moments = matches!(expr.value_type(model), Some(ValueType::List(item)) if is_moment(&item));
            of_moments && !matches!(argument, Expr::Parameter(_))
        }
        Part::Condition(Condition::In { list: InList::Values(values), .. }) => {
            !values.iter().all(|value| matches!(value, Expr::Parameter(_)))
        }
        Part::Condition(_) => false,
    }
}
