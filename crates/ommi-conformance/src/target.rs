//! What the suite is run against.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ommi::driver::BoxFuture;
use ommi::{Db, Result};

type Open = dyn Fn() -> BoxFuture<'static, Result<Db>> + Send + Sync;

/// A name, and a way to get an empty database for each case.
#[derive(Clone)]
pub struct Target {
    name: String,
    open: Arc<Open>,
}

impl Target {
    /// A target whose databases a function opens; each must be empty.
    pub fn new<F>(name: impl Into<String>, open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Db>> + Send + 'static,
    {
        Target { name: name.into(), open: Arc::new(move || Box::pin(open())) }
    }

    /// A target whose databases are those of a URL, in which `{n}` stands for a number that no
    /// other case of the target gets: `sqlite:///tmp/suite/{n}.db`.
    pub fn from_url(name: impl Into<String>, template: impl Into<String>) -> Self {
        let template = template.into();
        let next = AtomicU64::new(0);
        Target::new(name, move || {
            let url = template.replace("{n}", &next.fetch_add(1, Ordering::Relaxed).to_string());
            async move { ommi::connect(&url).await }
        })
    }

    /// The target's name, as reports show it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An empty database.
    ///
    /// # Errors
    ///
    /// Those of connecting.
    pub async fn open(&self) -> Result<Db> {
        (self.open)().await
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}
