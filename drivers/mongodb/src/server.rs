//! What the server is.

use mongodb::Database;
use mongodb::bson::{Document, doc};
use ommi_core::Result;

use crate::error::{Work, from_mongo, too_old};

/// The oldest version whose expressions the driver's filters need: 5.0.
const OLDEST_WIRE_VERSION: i64 = 13;

/// What the server is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    /// Whether it is a replica set or a sharded cluster, and so has transactions.
    pub(crate) has_transactions: bool,
}

impl Server {
    /// Asks the server.
    ///
    /// # Errors
    ///
    /// `Connection` if none answers, `Config` for a wrong password, `Unsupported` if it is too old.
    pub(crate) async fn ask(database: &Database) -> Result<Server> {
        let hello = database.run_command(doc! { "hello": 1 }).await;
        let hello = hello.map_err(|error| from_mongo(error, Work::Read, None))?;
        let wire = whole(&hello, "maxWireVersion").unwrap_or_default();
        if wire < OLDEST_WIRE_VERSION {
            return Err(too_old(&format!("the server is of wire version {wire}")));
        }
        let has_transactions = hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
        // a wrong password shows only where the database itself is asked for
        let listed =
            database.run_command(doc! { "listCollections": 1, "nameOnly": true, "authorizedCollections": true }).await;
        listed.map_err(|error| from_mongo(error, Work::Read, None))?;
        Ok(Server { has_transactions })
    }
}

fn whole(document: &Document, name: &str) -> Option<i64> {
    match document.get(name)? {
        mongodb::bson::Bson::Int32(value) => Some((*value).into()),
        mongodb::bson::Bson::Int64(value) => Some(*value),
        mongodb::bson::Bson::Double(value) => Some(*value as i64),
        _ => None,
    }
}
