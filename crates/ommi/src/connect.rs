//! Connecting to the database of a URL.

use std::sync::{Arc, Once};
use std::time::Duration;

use ommi_core::driver::ConnectOptions;
use ommi_core::layer::Layer;
use ommi_core::{Db, Result};

/// Registers the drivers that are compiled in. [`connect`] calls it; a program that registers a
/// driver of its own under a scheme of theirs calls it first.
pub fn register_drivers() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[cfg(feature = "memory")]
        ommi_core::driver::register(Arc::new(ommi_memory::MemoryConnector));
        #[cfg(feature = "mongodb")]
        ommi_core::driver::register(Arc::new(ommi_mongodb::MongoConnector));
        #[cfg(feature = "postgres")]
        ommi_core::driver::register(Arc::new(ommi_postgres::PostgresConnector));
        #[cfg(feature = "sqlite")]
        ommi_core::driver::register(Arc::new(ommi_sqlite::SqliteConnector));
    });
}

/// Connects to the database of a URL: `sqlite://library.db`,
/// `sqlite::memory:`, `postgres://user:password@host/library`.
///
/// # Errors
///
/// `Config` for a URL or option that is wrong, with what is possible; `Connection` if the database
/// can't be reached.
pub async fn connect(url: &str) -> Result<Db> {
    options(url).connect().await
}

/// Options of a connection, beyond those in its URL.
pub fn options(url: &str) -> Options {
    Options { options: ConnectOptions::from_url(url), layers: Vec::new() }
}

/// A connection that is being configured: `ommi::options(url).set("readers", 8).connect().await?`.
///
/// Every option can stand in the URL too. Options that a driver does not know are errors that list
/// those it knows.
#[must_use = "options do nothing until `connect().await`"]
pub struct Options {
    options: Result<ConnectOptions>,
    layers: Vec<Arc<dyn Layer>>,
}

impl Options {
    /// Sets an option, as `?name=value` in the URL does.
    pub fn set(mut self, name: &str, value: impl ToString) -> Self {
        if let Ok(options) = &mut self.options {
            options.set(name, value.to_string());
        }
        self
    }

    /// How long to wait for a connection of the pool before a `Timeout` error.
    pub fn acquire_timeout(self, time: Duration) -> Self {
        self.set("acquire_timeout", format!("{}ms", time.as_millis()))
    }

    /// Puts a layer around the driver; the first one is outermost.
    pub fn layer(mut self, layer: impl Layer + 'static) -> Self {
        self.layers.push(Arc::new(layer));
        self
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// As [`connect`].
    pub async fn connect(self) -> Result<Db> {
        register_drivers();
        Db::connect(&self.options?, &self.layers).await
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("options", &self.options).field("layers", &self.layers.len()).finish()
    }
}
