//! Servers that tests need and a machine may not have, and databases of one's own on them.

use std::io::Write;

use ommi::driver::RedactedUrl;
use ommi::{Error, Result};

use crate::target::drop_all_tables;

/// The address of a server, by the environment variable that holds it; `dev/services env` sets
/// those of the servers that it has started.
///
/// `None` if it is not set: the test that asks is skipped, and standard error says so, past the
/// capture of the test harness.
///
/// # Panics
///
/// If it is not set and `CI` is `true`: there a skipped test is a failed one.
pub fn address(variable: &str) -> Option<String> {
    let address = std::env::var(variable).ok().filter(|address| !address.is_empty());
    if address.is_none() {
        let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!ci, "{variable} is not set, and in CI no test is skipped");
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        // a message that can't be written is no fault of the test
        let _ = writeln!(std::io::stderr(), "skipped: {test}, because {variable} is not set");
    }
    address
}

/// A database of one's own on a server.
#[derive(Clone)]
pub struct Database {
    server: String,
    name: String,
    url: String,
}

/// What PostgreSQL answers who asks for a database that it does not have.
const UNKNOWN_DATABASE: &str = "3D000";

impl Database {
    /// The database of a name on the server of a URL. It is made where it is not there, and kept as
    /// it is where it is.
    ///
    /// The name is a plain word. The URL leads to a database that exists, unless the server makes
    /// databases by itself when something is written to them.
    ///
    /// # Errors
    ///
    /// `Config` if the URL has no place for a name, and those of the server.
    pub async fn on(server: &str, name: &str) -> Result<Database> {
        let url = beside(server, name)
            .ok_or_else(|| Error::config(format!("`{}` names no database on a server", RedactedUrl(server))))?;
        let database = Database { server: server.to_owned(), name: name.to_owned(), url };
        match ommi::connect(&database.url).await {
            Ok(db) => db.close().await?,
            Err(error) if error.code() == Some(UNKNOWN_DATABASE) => {
                database.ask_server(format!("CREATE DATABASE {name}")).await?;
            }
            Err(error) => return Err(error),
        }
        Ok(database)
    }

    /// The URL of the database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Drops the database with all that is in it. Handles on it must be closed.
    ///
    /// # Errors
    ///
    /// Those of the server.
    pub async fn drop(self) -> Result<()> {
        let db = ommi::connect(&self.url).await?;
        let has_sql = db.driver().capabilities().operation.sql;
        if !has_sql {
            // a database without tables is none there
            drop_all_tables(&db).await?;
        }
        db.close().await?;
        match has_sql {
            true => self.ask_server(format!("DROP DATABASE {}", self.name)).await,
            false => Ok(()),
        }
    }

    async fn ask_server(&self, statement: String) -> Result<()> {
        let db = ommi::connect(&self.server).await?;
        db.raw(statement).execute().await?;
        db.close().await
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&format_args!("{}", RedactedUrl(&self.url))).finish()
    }
}

/// The URL of another database on the server of a URL; `None` if the URL names no server.
pub fn beside(url: &str, name: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (base, options) = rest.split_once('?').map_or((rest, ""), |(base, options)| (base, options));
    let host = base.split_once('/').map_or(base, |(host, _)| host);
    let question = if options.is_empty() { "" } else { "?" };
    (!host.is_empty()).then(|| format!("{scheme}://{host}/{name}{question}{options}"))
}
