//! What SQLite does natively.

use ommi_core::driver::Capabilities;
use ommi_core::driver::capability::{Limits, OperationCapability};

use crate::native::PARAMETERS;

/// The longest value: SQLite's own default.
const VALUE_BYTES: usize = 1_000_000_000;

/// Everything is native: SQLite itself does most of it exactly, and functions that the driver
/// registers do the rest.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities {
        operation: OperationCapability { raw: true, sql: true, explain: true, schemas: false, documents: false },
        limits: Limits { parameters: PARAMETERS, value_bytes: VALUE_BYTES, ..Limits::default() },
        ..Capabilities::all()
    }
}
