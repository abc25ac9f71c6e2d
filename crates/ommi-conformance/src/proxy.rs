//! A TCP proxy between a driver and its server, which cuts, stalls, delays and truncates.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use ommi_conformance::proxy::{Proxy, Way};
//!
//! let proxy = Proxy::start("127.0.0.1:5432").await?;
//! let url = format!("postgres://ada@{}/library", proxy.address());
//! proxy.stall(Way::ToClient); // statements are sent, and not answered
//! proxy.flow();
//! proxy.cut(); // all connections break
//! # drop(url);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the driver to the server: what is asked.
    ToServer,
    /// From the server to the driver: what is answered.
    ToClient,
}

/// What happens to the bytes that go one way.
#[derive(Clone, Copy, Debug, Default)]
struct Lane {
    is_stalled: bool,
    delay: Duration,
}

/// What the connections look at.
#[derive(Clone, Copy, Debug, Default)]
struct Settings {
    to_server: Lane,
    to_client: Lane,
    /// How often the connections were cut.
    cuts: u64,
    is_refusing: bool,
}

impl Settings {
    fn lane(&self, way: Way) -> Lane {
        match way {
            Way::ToServer => self.to_server,
            Way::ToClient => self.to_client,
        }
    }

    fn lane_mut(&mut self, way: Way) -> &mut Lane {
        match way {
            Way::ToServer => &mut self.to_server,
            Way::ToClient => &mut self.to_client,
        }
    }
}

struct Shared {
    upstream: Mutex<String>,
    settings: watch::Sender<Settings>,
    /// How many bytes of each way go through before a cut, where that is bounded.
    left: Mutex<[Option<usize>; 2]>,
    open: AtomicUsize,
}

impl Shared {
    /// How many of some bytes go through, and whether the cut comes after them.
    fn take(&self, way: Way, bytes: usize) -> (usize, bool) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let [to_server, to_client] = &mut *left;
        let left = match way {
            Way::ToServer => to_server,
            Way::ToClient => to_client,
        };
        match left {
            None => (bytes, false),
            Some(of) if *of > bytes => {
                *of -= bytes;
                (bytes, false)
            }
            Some(of) => {
                let through = *of;
                *left = None;
                (through, true)
            }
        }
    }

    fn cut(&self) {
        self.settings.send_modify(|settings| settings.cuts += 1);
    }
}

/// A proxy in front of a server, on a port of its own. It ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port of the loopback interface, and connects each who comes with a server.
    ///
    /// # Errors
    ///
    /// If there is no free port.
    pub async fn start(upstream: impl Into<String>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream.into()),
            settings: watch::Sender::new(Settings::default()),
            left: Mutex::default(),
            open: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Proxy { address, shared, accepting })
    }

    /// Where the proxy listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connects those who come from now on with another server.
    pub fn set_upstream(&self, upstream: impl Into<String>) {
        *self.shared.upstream.lock().unwrap_or_else(PoisonError::into_inner) = upstream.into();
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        self.shared.cut();
    }

    /// Closes new connections at once, or lets them through again.
    pub fn refuse(&self, is_refusing: bool) {
        self.shared.settings.send_modify(|settings| settings.is_refusing = is_refusing);
    }

    /// Holds back all bytes of one way until [`Proxy::flow`].
    pub fn stall(&self, way: Way) {
        self.shared.settings.send_modify(|settings| settings.lane_mut(way).is_stalled = true);
    }

    /// Holds back each piece of one way for a time.
    pub fn delay(&self, way: Way, time: Duration) {
        self.shared.settings.send_modify(|settings| settings.lane_mut(way).delay = time);
    }

    /// Lets a number of further bytes of one way through, over all connections, and then cuts all.
    pub fn truncate(&self, way: Way, bytes: usize) {
        let mut left = self.shared.left.lock().unwrap_or_else(PoisonError::into_inner);
        let [to_server, to_client] = &mut *left;
        match way {
            Way::ToServer => *to_server = Some(bytes),
            Way::ToClient => *to_client = Some(bytes),
        }
    }

    /// Lets everything through again.
    pub fn flow(&self) {
        *self.shared.left.lock().unwrap_or_else(PoisonError::into_inner) = [None; 2];
        self.shared.settings.send_modify(|settings| {
            *settings = Settings { cuts: settings.cuts, ..Settings::default() };
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // dropped, and with it all connections, when the proxy is
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                if shared.settings.borrow().is_refusing {
                    continue;
                }
                connections.spawn(connect(client, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Counts a connection while it is open.
struct Counted(Arc<Shared>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn connect(client: TcpStream, shared: Arc<Shared>) {
    let settings = shared.settings.subscribe();
    let cuts = settings.borrow().cuts;
    shared.open.fetch_add(1, Ordering::Relaxed);
    let _counted = Counted(Arc::clone(&shared));
    let upstream = shared.upstream.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let mut cut = settings.clone();
    tokio::select! {
        () = async {
            tokio::join!(
                carry(from_client, to_server, Way::ToServer, &shared),
                carry(from_server, to_client, Way::ToClient, &shared),
            );
        } => {}
        _ = cut.wait_for(|settings| settings.cuts != cuts) => {}
    }
}

/// Carries bytes one way until their end.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: Way, shared: &Shared) {
    let mut settings = shared.settings.subscribe();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = match from.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(read) => read,
        };
        let delay = settings.borrow_and_update().lane(way).delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if settings.wait_for(|settings| !settings.lane(way).is_stalled).await.is_err() {
            break;
        }
        let (through, is_cut) = shared.take(way, read);
        let sent = to.write_all(buffer.get(..through).unwrap_or_default()).await;
        if is_cut {
            shared.cut();
        }
        if sent.is_err() || is_cut {
            break;
        }
    }
    let _ = to.shutdown().await;
}
