//! PostgreSQL's own plan of a statement.

use std::pin::pin;

use futures_util::TryStreamExt;
use ommi_core::driver::Call;
use ommi_core::value::Cell;

use crate::connection::Connection;
use crate::encode::{Parameter, parameters};
use crate::error::Outcome;
use crate::native::Native;

/// The server's plan, one step a line. Nothing is run.
pub(crate) async fn explain(connection: &Connection, call: Call<'_>) -> Outcome<String> {
    let native = Native::of(call.prepared)?;
    let mut parameters = parameters(&native.slots, call.parameters, call.prepared.parameters())?;
    // the plan of an insert does not depend on its row
    parameters.resize_with(native.types.len(), || Parameter::Cell(Cell::Null));
    let text = format!("EXPLAIN {}", call.prepared.text());
    let request = connection.request();
    let lines = async {
        let typed = parameters.iter().map(Parameter::lent).zip(native.types.iter().cloned());
        let rows = connection.client().query_typed_raw(&text, typed).await?;
        let mut rows = pin!(rows);
        let mut lines = Vec::new();
        while let Some(row) = rows.try_next().await? {
            lines.push(row.try_get::<_, String>(0)?);
        }
        Ok(lines.join("\n"))
    };
    let lines = lines.await;
    request.answered();
    lines
}
