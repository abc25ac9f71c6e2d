//! How the runtime's threads wake an event loop: without the GIL, by a byte to a socket that the
//! loop reads, one for all completions since its last turn.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::waiter::Waiter;

/// The way to an event loop from other threads.
pub(crate) struct Port {
    /// Those whose work is done.
    done: Mutex<Vec<Py<Waiter>>>,
    /// How many operations are waited for.
    waiting: AtomicUsize,
    bell: Bell,
}

/// How many operations are waited for, whichever loop waits.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// The place of an operation that is waited for.
pub(crate) struct Place(Arc<Port>);

impl Place {
    /// The way to the loop.
    pub(crate) fn port(&self) -> &Arc<Port> {
        &self.0
    }

    /// Whether no other operation of the loop is waited for.
    pub(crate) fn is_alone(&self) -> bool {
        self.0.waiting.load(Ordering::Relaxed) == 1
    }

    /// Whether no other operation of the process is waited for.
    pub(crate) fn is_only(&self) -> bool {
        WAITING.load(Ordering::Relaxed) == 1
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

enum Bell {
    #[cfg(unix)]
    Socket(std::os::unix::net::UnixStream, std::os::unix::net::UnixStream),
    /// The loop's own way, which takes the GIL: a weak reference to the loop.
    Loop(Py<PyAny>),
}

/// The ports of all loops that are alive: a `WeakKeyDictionary`.
static PORTS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

thread_local! {
    /// The loop that was last used on this thread, and its port.
    static LAST: RefCell<Option<(Py<PyAny>, Arc<Port>)>> = const { RefCell::new(None) };
}

/// A port as the dictionary of ports holds it, and what the loop calls when the bell rings.
#[pyclass(frozen, module = "ommi._core")]
struct PortHolder(Arc<Port>);

#[pymethods]
impl PortHolder {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.0.empty(py)
    }
}

/// The port of a loop.
pub(crate) fn port(py: Python<'_>, of: &Bound<'_, PyAny>) -> PyResult<Arc<Port>> {
    let last = LAST.with_borrow(|last| match last {
        Some((last, port)) if last.is(of) => Some(Arc::clone(port)),
        _ => None,
    });
    if let Some(port) = last {
        return Ok(port);
    }
    let ports = PORTS
        .get_or_try_init(py, || py.import("weakref")?.getattr("WeakKeyDictionary")?.call0().map(Bound::unbind))?
        .bind(py);
    let found = ports.call_method1(intern!(py, "get"), (of,))?;
    let port = match found.cast::<PortHolder>() {
        Ok(holder) => Arc::clone(&holder.get().0),
        Err(_) => {
            let port = Port::open(py, of)?;
            ports.set_item(of, PortHolder(Arc::clone(&port)))?;
            port
        }
    };
    let previous = LAST.replace(Some((of.clone().unbind(), Arc::clone(&port))));
    drop(previous);
    Ok(port)
}

impl Port {
    fn open(py: Python<'_>, of: &Bound<'_, PyAny>) -> PyResult<Arc<Port>> {
        #[cfg(unix)]
        {
            use std::os::fd::AsRawFd;
            use std::os::unix::net::UnixStream;

            let (here, there) = UnixStream::pair()?;
            here.set_nonblocking(true)?;
            there.set_nonblocking(true)?;
            let descriptor = here.as_raw_fd();
            let port = Arc::new(Port {
                done: Mutex::default(),
                waiting: AtomicUsize::new(0),
                bell: Bell::Socket(here, there),
            });
            let callback = Py::new(py, PortHolder(Arc::clone(&port)))?;
            if of.call_method1(intern!(py, "add_reader"), (descriptor, callback)).is_ok() {
                return Ok(port);
            }
        }
        let weak = py.import("weakref")?.getattr("ref")?.call1((of,))?;
        Ok(Arc::new(Port { done: Mutex::default(), waiting: AtomicUsize::new(0), bell: Bell::Loop(weak.unbind()) }))
    }

    /// A place for an operation that is waited for.
    pub(crate) fn place(self: Arc<Self>) -> Place {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        WAITING.fetch_add(1, Ordering::Relaxed);
        Place(self)
    }

    /// Tells the loop that work is done, and who waits for it. Called from any thread.
    pub(crate) fn ring(self: &Arc<Self>, waiter: Py<Waiter>) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.push(waiter);
        let is_first = done.len() == 1;
        drop(done);
        if !is_first {
            return;
        }
        match &self.bell {
            #[cfg(unix)]
            Bell::Socket(_, there) => {
                // if the socket is full, the loop has enough to wake it
                let _ = std::io::Write::write(&mut &*there, &[1]);
            }
            Bell::Loop(weak) => Python::attach(|py| {
                let rung = weak.bind(py).call0().and_then(|of| match of.is_none() {
                    true => Ok(()),
                    false => {
                        of.call_method1(intern!(py, "call_soon_threadsafe"), (PortHolder(Arc::clone(self)),)).map(drop)
                    }
                });
                // a loop that is closed has nobody who waits
                drop(rung);
            }),
        }
    }

    /// Lets all go on whose work is done. Called by the loop.
    fn empty(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        #[cfg(unix)]
        if let Bell::Socket(here, _) = &self.bell {
            let mut bytes = [0; 64];
            while matches!(std::io::Read::read(&mut &*here, &mut bytes), Ok(64)) {}
        }
        let mut done = std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner)).into_iter();
        while let Some(waiter) = done.next() {
            if let Err(error) = Waiter::complete(waiter.bind(py)) {
                // as when the program is interrupted: the others have their turn when the loop goes on
                done.for_each(|waiter| self.ring(waiter));
                return Err(error);
            }
        }
        Ok(())
    }
}
