//! PostgreSQL's own plan of a statement.

use std::sync::atomic::{AtomicU64, Ordering};

use ommi_core::driver::Call;
use tokio_postgres::SimpleQueryMessage;

use crate::connection::Connection;
use crate::error::Outcome;
use crate::native::Native;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// The server's plan, one step a line. Nothing is run.
///
/// The plan is that for any values, which are not in it: they may be secret.
pub(crate) async fn explain(connection: &Connection, call: Call<'_>) -> Outcome<String> {
    let native = Native::of(call.prepared)?;
    let name = format!("ommi_explained_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let types: Vec<&str> = native.types.iter().map(tokio_postgres::types::Type::name).collect();
    let list = |items: Vec<&str>| if items.is_empty() { String::new() } else { format!(" ({})", items.join(", ")) };
    let prepare = format!("PREPARE {name}{} AS {}", list(types), call.prepared.text());
    let explain = format!("EXPLAIN EXECUTE {name}{}", list(vec!["NULL"; native.types.len()]));
    let was_open = connection.is_in_transaction();
    // the setting is gone when what is begun here is rolled back; the prepared statement is not
    let (begin, end) = match was_open {
        true => ("SAVEPOINT ommi_explain", "ROLLBACK TO ommi_explain; RELEASE ommi_explain"),
        false => ("BEGIN", "ROLLBACK"),
    };
    connection.set_dirty(true);
    connection.batch(&format!("{begin}; SET LOCAL plan_cache_mode = force_generic_plan; {prepare}")).await?;
    let lines = lines(connection, &explain).await;
    connection.batch(&format!("{end}; DEALLOCATE {name}")).await?;
    connection.set_dirty(was_open);
    lines
}

async fn lines(connection: &Connection, text: &str) -> Outcome<String> {
    let request = connection.request();
    let answer = connection.client().simple_query(text).await;
    request.answered();
    let lines = answer?.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}
