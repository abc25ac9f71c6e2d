//! The runtime that drivers do their I/O on: one per process, begun at its first use.
//!
//! A process that was forked off has the memory of its parent but none of its threads, so it begins
//! a runtime of its own; databases that were opened before the fork are refused in it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::company::Company;

/// How many forks, one inside the other, may each use the package.
const GENERATIONS: usize = 64;

/// A runtime, and where its thread runs.
struct Own {
    runtime: Runtime,
    company: Company,
}

static RUNTIMES: [OnceLock<Own>; GENERATIONS] = [const { OnceLock::new() }; GENERATIONS];
static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// How many times the process is the child of one that used the package.
pub(crate) fn generation() -> usize {
    GENERATION.load(Ordering::Relaxed)
}

/// Called in a child after a fork.
#[pyfunction]
pub(crate) fn after_fork_in_child() {
    if RUNTIMES.get(generation()).is_some_and(|runtime| runtime.get().is_some()) {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
}

fn own() -> PyResult<&'static Own> {
    let Some(place) = RUNTIMES.get(generation()) else {
        return Err(PyRuntimeError::new_err("too many forks, one inside the other, use Ommi"));
    };
    if let Some(own) = place.get() {
        return Ok(own);
    }
    let company = Company::new();
    let begun = company.begun();
    let builder = &mut Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).thread_name("ommi").on_thread_start(begun).enable_all().build();
    let runtime = runtime.map_err(|error| PyRuntimeError::new_err(format!("threads could not be started: {error}")))?;
    Ok(place.get_or_init(|| Own { runtime, company }))
}

/// The runtime of this process.
pub(crate) fn runtime() -> PyResult<&'static Runtime> {
    Ok(&own()?.runtime)
}

/// Where the runtime's thread runs.
pub(crate) fn company() -> PyResult<&'static Company> {
    Ok(&own()?.company)
}
