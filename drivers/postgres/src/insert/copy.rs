//! Rows that are copied, in the binary form of `COPY`.

use std::pin::pin;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt;
use ommi_core::driver::{Encoder, Prepared};
use ommi_core::value::Cell;
use ommi_core::{Error, Result};
use tokio_postgres::CopyInSink;
use tokio_postgres::types::{IsNull, Type};

use super::Keyed;
use crate::connection::{Connection, StatementKey};
use crate::encode;
use crate::error::Outcome;
use crate::native::{COPYING, Insert};

/// How many bytes go in one message.
const MESSAGE: usize = 64 << 10;
/// The signature, no flags, and no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What stands where the next row would have its number of fields.
const TRAILER: i16 = -1;

/// Copies rows into their table, all or none.
pub(super) async fn copy(
    connection: &Connection,
    prepared: &Prepared,
    insert: &Insert,
    rows: &mut Keyed<'_>,
) -> Outcome<u64> {
    let request = connection.request();
    let copied = run(connection, prepared, insert, rows).await;
    request.answered();
    if copied.as_ref().is_err_and(crate::error::Failure::is_binary_mismatch) {
        insert.set_copies(false);
    }
    copied
}

async fn run(connection: &Connection, prepared: &Prepared, insert: &Insert, rows: &mut Keyed<'_>) -> Outcome<u64> {
    let client = connection.client();
    let key = StatementKey::new(prepared.id(), COPYING);
    let statement = connection.statements().get(client, key, &insert.copying(), &[], &[]).await?;
    let sink: CopyInSink<Bytes> = client.copy_in(&statement.statement).await?;
    let mut sink = pin!(sink);
    let mut message = Message { types: insert.types(), bytes: BytesMut::with_capacity(MESSAGE * 2), field: 0 };
    message.bytes.put_slice(HEADER);
    while rows.next < rows.rows.len() {
        message.begin_row()?;
        rows.encode(&mut message)?;
        if message.bytes.len() >= MESSAGE {
            let full = std::mem::replace(&mut message.bytes, BytesMut::with_capacity(MESSAGE * 2));
            sink.send(full.freeze()).await?;
        }
    }
    message.bytes.put_i16(TRAILER);
    sink.send(message.bytes.freeze()).await?;
    Ok(sink.finish().await?)
}

/// A message that is being written.
struct Message {
    types: Vec<Type>,
    bytes: BytesMut,
    field: usize,
}

impl Message {
    fn begin_row(&mut self) -> Result<()> {
        let fields = i16::try_from(self.types.len()).map_err(|_| Error::query("the row has too many fields"))?;
        self.bytes.put_i16(fields);
        self.field = 0;
        Ok(())
    }
}

impl Encoder for Message {
    #[inline]
    fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
        let Some(of) = self.types.get(self.field) else {
            return Err(Error::query("the row has more values than its model has fields"));
        };
        let at = self.bytes.len();
        self.bytes.put_i32(-1);
        if let IsNull::No = encode::write(cell, of, &mut self.bytes)? {
            let length = i32::try_from(self.bytes.len() - at - 4)
                .map_err(|_| Error::query("the value is larger than PostgreSQL's limit of 1 GB"))?;
            if let Some(place) = self.bytes.get_mut(at..at + 4) {
                place.copy_from_slice(&length.to_be_bytes());
            }
        }
        self.field += 1;
        Ok(())
    }
}
