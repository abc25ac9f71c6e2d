//! What PostgreSQL does natively.

use ommi_core::ModelDef;
use ommi_core::driver::capability::{FilterCapability, Limits, OperationCapability, Part};
use ommi_core::driver::{Capabilities, Operators};
use ommi_core::query::{ArithmeticOperator, Condition, Expr, TextOperator};

use crate::dialect::IDENTIFIER_BYTES;

/// The most placeholders that are bound to a statement.
const PARAMETERS: usize = 32_767;
/// The longest value: PostgreSQL's own limit, less what stands around a value.
const VALUE_BYTES: usize = (1 << 30) - (1 << 16);

/// Everything is native but for tests that fold by Unicode, of which PostgreSQL answers a superset,
/// and what [`except`] names.
pub(crate) fn capabilities() -> Capabilities {
    let folding = Operators::FOLDED.and(Operators::FOLDED_LIKE);
    Capabilities {
        filter: FilterCapability { native: Operators::ALL.without(folding), rechecked: folding },
        operation: OperationCapability { raw: true, sql: true, explain: true, schemas: true, documents: false },
        limits: Limits {
            parameters: PARAMETERS,
            value_bytes: VALUE_BYTES,
            identifier_bytes: IDENTIFIER_BYTES,
            ..Limits::default()
        },
        except: Some(except),
        ..Capabilities::all()
    }
}

/// What PostgreSQL lacks, or would understand otherwise than the contract says.
fn except(part: Part<'_>, _: &ModelDef) -> bool {
    match part {
        // PostgreSQL has no remainder of floats
        Part::Expr(Expr::Arithmetic { operator: ArithmeticOperator::Remainder, value_type, .. }) => {
            value_type.is_float()
        }
        // patterns are checked and translated when they are bound; those of each row are not
        Part::Condition(Condition::Text { operator, pattern, .. }) => {
            let is_plain =
                matches!(operator, TextOperator::Contains | TextOperator::StartsWith | TextOperator::EndsWith);
            !is_plain && !matches!(pattern, Expr::Parameter(_))
        }
        Part::Expr(_) | Part::Condition(_) | Part::Order(_) => false,
    }
}
