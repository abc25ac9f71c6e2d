//! Opening connections, and bringing them back to order.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use ommi_core::driver::BoxFuture;
use ommi_core::{Error, Result};
use ommi_pool::Opener;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connection::{Connection, Drive};
use crate::error;
use crate::options::Options;

/// The oldest server that has what statements use.
const OLDEST: u32 = 13;

/// How long a request may go on that nobody waits for: to stop it takes a connection of its own.
const GRACE: Duration = Duration::from_millis(50);

/// Opens connections to the servers of a URL.
pub(crate) struct PostgresOpener {
    pub(crate) options: Arc<Options>,
    pub(crate) tls: Option<MakeRustlsConnect>,
}

impl PostgresOpener {
    async fn connect<T>(&self, tls: T) -> Result<Connection>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let options = &*self.options;
        // the limit of the library is for the socket alone, and for each address
        let hosts = u32::try_from(options.config.get_hosts().len()).unwrap_or(1).max(1);
        let limit = options.connect_timeout.saturating_mul(hosts);
        let opened = match timeout(limit, options.config.connect(tls)).await {
            Ok(opened) => opened.map_err(|error| error::of_connecting(error, options))?,
            Err(_) => {
                return Err(Error::connection(format!(
                    "{} did not answer within {} s (`connect_timeout`): is the server up, and the way to it open?",
                    options.shown,
                    limit.as_secs_f64()
                )));
            }
        };
        let (client, connection) = opened;
        check_version(connection.parameter("server_version"), options)?;
        let (end, ended) = watch::channel(());
        // why it ended is told to those who wait for answers
        let drive = Drive::new(connection.map(drop));
        let running = Arc::clone(&drive).run();
        tokio::spawn(async move {
            running.await;
            drop(end);
        });
        Ok(Connection::new(client, options, drive, ended))
    }

    /// Waits until a connection has answered all that it was asked; answers come in the order of the
    /// requests. If that takes long the server is told to stop, and the connection is given up: nobody
    /// knows when the server heeds that, and it would stop what the next user asks.
    async fn is_quiet(&self, connection: &Connection) -> bool {
        match timeout(GRACE, connection.client().check_connection()).await {
            Ok(checked) => checked.is_ok(),
            Err(_) => {
                self.cancel(connection).await;
                false
            }
        }
    }

    /// Asks the server to stop what a connection does.
    async fn cancel(&self, connection: &Connection) {
        let token = connection.client().cancel_token();
        let _ = match &self.tls {
            Some(tls) => token.cancel_query(tls.clone()).await,
            None => token.cancel_query(NoTls).await,
        };
    }
}

fn check_version(version: Option<&str>, options: &Options) -> Result<()> {
    let major = version.and_then(|version| {
        let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    });
    match (major, version) {
        (Some(major), Some(version)) if major < OLDEST => Err(Error::unsupported(format!(
            "{} is PostgreSQL {version}, and {OLDEST} is the oldest that is supported",
            options.shown
        ))),
        _ => Ok(()),
    }
}

impl Opener for PostgresOpener {
    type Connection = Connection;

    fn open(&self) -> BoxFuture<'_, Result<Connection>> {
        Box::pin(async move {
            match &self.tls {
                Some(tls) => self.connect(tls.clone()).await,
                None => self.connect(NoTls).await,
            }
        })
    }

    fn is_open(&self, connection: &Connection) -> bool {
        connection.is_open()
    }

    fn check<'a>(&'a self, connection: &'a Connection) -> BoxFuture<'a, bool> {
        Box::pin(async move { connection.client().check_connection().await.is_ok() })
    }

    fn is_unclean(&self, connection: &Connection) -> bool {
        connection.is_unclean()
    }

    fn restore<'a>(&'a self, connection: &'a Connection) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let unclean = connection.take_unclean();
            if unclean.is_interrupted && !self.is_quiet(connection).await {
                return false;
            }
            if unclean.is_dirty && connection.client().batch_execute("ROLLBACK").await.is_err() {
                return false;
            }
            if unclean.was_lent {
                connection.statements().clear();
                return connection.client().batch_execute("DISCARD ALL").await.is_ok();
            }
            true
        })
    }

    fn closed(&self, connection: &Connection) -> BoxFuture<'static, ()> {
        let mut ended = connection.ended();
        Box::pin(async move {
            // the other end is dropped when the connection is
            while ended.changed().await.is_ok() {}
        })
    }
}
