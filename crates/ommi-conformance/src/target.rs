//! What the suite is run against.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ommi::driver::{BoxFuture, RedactedUrl};
use ommi::model::{FieldDef, ModelBuilder};
use ommi::value::ValueType;
use ommi::{Db, Error, Result};

use crate::server::Database;

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

    /// A target of one database, which every case finds empty: **all tables that the URL shows are
    /// dropped each time**. It is for a server, on a database that holds nothing else.
    pub fn emptied(name: impl Into<String>, url: impl Into<String>) -> Self {
        let url = url.into();
        Target::new(name, move || {
            let url = url.clone();
            async move {
                let db = ommi::connect(&url).await?;
                drop_all_tables(&db).await?;
                Ok(db)
            }
        })
    }

    /// A target from `URL` or `NAME=URL` of a server: its database is one of its own there, named
    /// `ommi_conformance`, which is made where it is not there, and emptied each time.
    ///
    /// # Errors
    ///
    /// Those of [`Database::on`].
    pub async fn on_server(argument: &str) -> Result<Self> {
        let (name, url) = named(argument);
        let database = Database::on(url, "ommi_conformance").await?;
        Ok(Target::emptied(name, database.url()))
    }

    /// A target from `URL` or `NAME=URL`, named by the URL where there is no name.
    ///
    /// A URL that has `{n}`, or is a database in memory, is empty each time; of any other one all
    /// tables are dropped, which has to be allowed.
    ///
    /// # Errors
    ///
    /// `Config` if it is not.
    pub fn from_argument(argument: &str, may_drop_tables: bool) -> Result<Self> {
        let (name, url) = named(argument);
        if url.contains("{n}") || url.starts_with("memory:") || url.starts_with("sqlite::memory:") {
            return Ok(Target::from_url(name, url));
        }
        if may_drop_tables {
            return Ok(Target::emptied(name, url));
        }
        Err(Error::config(format!(
            "{} is one database for all cases, which must find it empty: put `{{n}}` into the URL for a database each, or allow that all its tables are dropped with `--drop-all-tables`",
            RedactedUrl(url)
        )))
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

/// The name and the URL of `NAME=URL`; the URL is its own name where it has none.
fn named(argument: &str) -> (String, &str) {
    let is_name = |name: &&str| !name.contains([':', '/', '?']);
    match argument.split_once('=').filter(|(name, _)| is_name(name)) {
        Some((name, url)) => (name.to_owned(), url),
        None => (RedactedUrl(argument).to_string(), argument),
    }
}

/// Drops the tables of a database, those first that no other one references.
pub(crate) async fn drop_all_tables(db: &Db) -> Result<()> {
    let mut tables = db.inspect().await?.tables;
    tables.retain(|table| !table.is_view);
    loop {
        let (mut left, mut refused) = (Vec::new(), None);
        for table in tables {
            let name = match &table.schema {
                Some(schema) => format!("{schema}.{}", table.name),
                None => table.name.clone(),
            };
            let model = ModelBuilder::new(table.name.clone())
                .table(&name)
                .field(FieldDef::new("id", ValueType::I64))
                .key(["id"])
                .build()?;
            if let Err(error) = db.drop_models(&[model]).await {
                left.push(table);
                refused = Some(error);
            }
        }
        tables = left;
        match refused {
            None => return Ok(()),
            // those that referenced them may be gone now
            Some(error) if error.is_constraint() => {}
            Some(error) => return Err(error),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}
