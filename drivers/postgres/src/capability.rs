//! What PostgreSQL does natively.

use ommi_core::driver::capability::{FilterCapability, Limits, OperationCapability};
use ommi_core::driver::{Capabilities, Operators};

use crate::dialect::IDENTIFIER_BYTES;

/// The most placeholders that are bound to a statement.
const PARAMETERS: usize = 32_767;
/// The longest value: PostgreSQL's own limit, less what stands around a value.
const VALUE_BYTES: usize = (1 << 30) - (1 << 16);

/// Everything is native but for tests that fold by Unicode, of which PostgreSQL answers a superset,
/// and the remainder of floats, which it lacks.
pub(crate) fn capabilities() -> Capabilities {
    let folding = Operators::FOLDED.and(Operators::FOLDED_LIKE);
    Capabilities {
        filter: FilterCapability {
            native: Operators::ALL.without(folding).without(Operators::FLOAT_REMAINDER),
            rechecked: folding,
        },
        operation: OperationCapability { raw: true, explain: true, schemas: true, documents: false },
        limits: Limits {
            parameters: PARAMETERS,
            value_bytes: VALUE_BYTES,
            identifier_bytes: IDENTIFIER_BYTES,
            ..Limits::default()
        },
        ..Capabilities::all()
    }
}
