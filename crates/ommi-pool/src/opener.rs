//! What a driver knows of its connections.

use ommi_core::Result;
use ommi_core::driver::BoxFuture;

/// Opens connections and looks after them.
pub trait Opener: Send + Sync + 'static {
    /// A connection. Dropping it closes it.
    type Connection: Send + Sync + 'static;

    /// Opens a connection, or gives up after the driver's own time limit.
    ///
    /// # Errors
    ///
    /// The driver's.
    fn open(&self) -> BoxFuture<'_, Result<Self::Connection>>;

    /// Whether a connection is open, as far as is known without asking the server.
    fn is_open(&self, connection: &Self::Connection) -> bool;

    /// Asks the server whether a connection works.
    fn check<'a>(&'a self, connection: &'a Self::Connection) -> BoxFuture<'a, bool>;

    /// Whether a connection that comes back was left in the midst of something.
    fn is_unclean(&self, connection: &Self::Connection) -> bool;

    /// Brings a connection back to the state in which it was opened; `false` if it has to go.
    fn restore<'a>(&'a self, connection: &'a Self::Connection) -> BoxFuture<'a, bool>;

    /// Ends when a connection, which will be dropped, is closed.
    fn closed(&self, connection: &Self::Connection) -> BoxFuture<'static, ()>;
}
