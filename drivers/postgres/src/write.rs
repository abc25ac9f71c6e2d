//! Updates and deletes.

use std::pin::pin;

use ommi_core::driver::{Call, RowsMatched};
use tokio_postgres::types::{ToSql, Type};

use crate::connection::{Connection, StatementKey};
use crate::encode::{Parameter, parameters};
use crate::error::Outcome;
use crate::native::Native;
use crate::read::key_of;

/// Updates or deletes.
pub(crate) async fn execute(connection: &Connection, call: Call<'_>) -> Outcome<RowsMatched> {
    let native = Native::of(call.prepared)?;
    let parameters = parameters(&native.slots, call.parameters, call.prepared.parameters())?;
    run(connection, key_of(&call), call.prepared.text(), &native.types, &parameters).await
}

/// Runs a write, and says how many rows it touched.
pub(crate) async fn run(
    connection: &Connection,
    key: StatementKey,
    text: &str,
    types: &[Type],
    parameters: &[Parameter<'_>],
) -> Outcome<u64> {
    let request = connection.request();
    let mut rows = request.wait(pin!(attempt(connection, key, text, types, parameters))).await;
    if let Err(failure) = &rows
        && connection.forget_stale(failure, key)
    {
        // the server refused to begin: nothing was written
        rows = Box::pin(attempt(connection, key, text, types, parameters)).await;
    }
    request.answered();
    rows
}

async fn attempt(
    connection: &Connection,
    key: StatementKey,
    text: &str,
    types: &[Type],
    parameters: &[Parameter<'_>],
) -> Outcome<u64> {
    let client = connection.client();
    if !connection.prepares() {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> =
            parameters.iter().map(|parameter| parameter as _).zip(types.iter().cloned()).collect();
        return Ok(client.execute_typed(text, &typed).await?);
    }
    let statement = connection.statements().get(client, key, text, types, &[]).await?;
    Ok(client.execute_raw(&statement.statement, parameters.iter().map(Parameter::lent)).await?)
}
