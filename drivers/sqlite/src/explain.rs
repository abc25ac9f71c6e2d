//! SQLite's own plan of a statement.

use std::collections::HashMap;

use ommi_core::driver::Call;

use crate::error::Outcome;
use crate::held::Held;

/// SQLite's plan, one step a line, steps of steps indented. Nothing is run.
pub(crate) async fn explain<H: Held>(mut held: H, call: Call<'_>) -> Outcome<String> {
    let connection = held.connection()?;
    connection.watch().begin_short();
    let mut statement = connection.sqlite().prepare(&format!("EXPLAIN QUERY PLAN {}", call.prepared.text()))?;
    let mut rows = statement.raw_query();
    let mut depths: HashMap<i64, usize> = HashMap::new();
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, parent, detail): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
        let depth = depths.get(&parent).map_or(0, |depth| depth + 1);
        depths.insert(id, depth);
        lines.push(format!("{}{detail}", "  ".repeat(depth)));
    }
    Ok(lines.join("\n"))
}
