//! A database as Python's objects share it: connected at its first use, with the tables that are
//! known to be there.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use ommi::driver::{ConnectOptions, Driver};
use ommi::layer::{CountStatements, Layer};
use ommi::model::ModelDef;
use ommi::{Db, Error, Result};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::sync::OnceCell;

use crate::error::{OrRaise, exception};
use crate::model::{Model, ModelOf};
use crate::runtime::generation;

/// A database, or an open transaction of one.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    /// The open transaction's handle.
    pub(crate) transaction: Option<Db>,
    /// Whether tables are created at the first use of their models.
    pub(crate) implicit: bool,
    /// Whether the handle is meant to be used inside transactions of its database.
    pub(crate) outside: bool,
}

/// What all handles on a database share.
pub(crate) struct Shared {
    options: ConnectOptions,
    db: OnceCell<Db>,
    counter: CountStatements,
    generation: usize,
    tables: RwLock<Tables>,
    /// How many of Python's transactions are open, in any task.
    open: AtomicUsize,
    closed: AtomicBool,
    /// A model whose table is known to be there: mostly the one of the next operation too.
    last_ready: AtomicU32,
    /// The file of an SQLite database, once it is open.
    file: OnceLock<FileId>,
}

#[derive(Default)]
struct Tables {
    /// Models whose tables were created or checked.
    ready: HashSet<u32>,
    /// Models whose tables were removed: they are not created anew by themselves.
    removed: HashSet<u32>,
}

/// What has to be created before an operation.
pub(crate) type Missing = Option<(Vec<Arc<ModelDef>>, Vec<u32>)>;

impl Handle {
    pub(crate) fn new(py: Python<'_>, url: &str, options: Vec<(String, String)>, implicit: bool) -> PyResult<Handle> {
        let mut connect = ConnectOptions::from_url(url).or_raise(py)?;
        for (name, value) in options {
            connect.set(&name, value);
        }
        Ok(Handle {
            shared: Arc::new(Shared {
                options: connect,
                db: OnceCell::new(),
                counter: CountStatements::default(),
                generation: generation(),
                tables: RwLock::default(),
                open: AtomicUsize::new(0),
                closed: AtomicBool::new(false),
                last_ready: AtomicU32::new(0),
                file: OnceLock::new(),
            }),
            transaction: None,
            implicit,
            outside: false,
        })
    }

    /// The handle of an open transaction.
    pub(crate) fn inside(&self, transaction: Db) -> Handle {
        Handle { transaction: Some(transaction), ..self.clone() }
    }

    /// The same database, used in another way.
    pub(crate) fn configured(&self, implicit: bool, outside: bool) -> Handle {
        Handle { implicit, outside, ..self.clone() }
    }

    /// A number that no other database in the process has while this one is there.
    pub(crate) fn identity(&self) -> usize {
        Arc::as_ptr(&self.shared).addr()
    }

    /// Notes that one of Python's transactions was entered.
    pub(crate) fn entered(&self) {
        self.shared.open.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that one of Python's transactions was left.
    pub(crate) fn left(&self) {
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Refuses the use of the database itself inside one of its transactions.
    #[inline]
    fn check_outside(&self, py: Python<'_>) -> PyResult<()> {
        if self.transaction.is_some() || self.outside || self.shared.open.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        static INSIDE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let variable = INSIDE
            .get_or_try_init(py, || py.import("ommi.database.transaction")?.getattr("_inside").map(Bound::unbind))?;
        if !variable.bind(py).call_method0(intern!(py, "get"))?.contains(self.identity())? {
            return Ok(());
        }
        Err(exception(
            py,
            &Error::transaction(
                "the database was used inside `async with` of its transaction, which this would not be part of: use the transaction's own methods, or `db.outside()` if that is meant",
            ),
        ))
    }

    /// The core's handle, connected.
    #[inline]
    pub(crate) async fn db(&self) -> Result<Db> {
        match &self.transaction {
            Some(db) => Ok(db.clone()),
            None => self.shared.db().await.cloned(),
        }
    }

    /// The core's handle on the database itself, whatever transaction this is.
    pub(crate) async fn root(&self) -> Result<Db> {
        self.shared.db().await.cloned()
    }

    /// What has to be created before models can be used.
    ///
    /// Every operation asks, so the use inside a transaction is refused here too.
    pub(crate) fn missing(&self, py: Python<'_>, models: &[&Arc<ModelOf>]) -> PyResult<Missing> {
        self.check_outside(py)?;
        if let [model] = models
            && self.shared.last_ready.load(Ordering::Relaxed) == model.def.id()
        {
            return Ok(None);
        }
        let tables = self.shared.tables.read().unwrap_or_else(PoisonError::into_inner);
        let is_new = |id: u32| !tables.ready.contains(&id) && !tables.removed.contains(&id);
        let new = models.iter().find(|model| is_new(model.def.id()));
        if let ([model], None) = (models, new)
            && tables.ready.contains(&model.def.id())
        {
            self.shared.last_ready.store(model.def.id(), Ordering::Relaxed);
        }
        if new.is_none() || !self.implicit || self.transaction.is_some() {
            return Ok(None);
        }
        let mut missing = (Vec::new(), Vec::new());
        for model in models.iter().filter(|model| is_new(model.def.id())) {
            if missing.1.contains(&model.def.id()) {
                continue;
            }
            let class = model.class.bind(py);
            let collection = class.getattr(intern!(py, "__ommi__"))?.getattr(intern!(py, "collection"))?;
            let (models, ids) = definitions(&collection)?;
            missing.0.extend(models);
            missing.1.extend(ids);
        }
        Ok(Some(missing))
    }

    /// Whether tables of some models are not known to be there.
    pub(crate) fn are_new(&self, ids: &[u32]) -> bool {
        let tables = self.shared.tables.read().unwrap_or_else(PoisonError::into_inner);
        ids.iter().any(|id| !tables.ready.contains(id) && !tables.removed.contains(id))
    }

    /// Creates what has to be there before an operation.
    pub(crate) async fn prepare(&self, missing: Missing) -> Result<()> {
        match missing {
            None => Ok(()),
            // boxed, so that it takes no room in each operation, which hardly ever comes here
            Some((models, ids)) => Box::pin(self.create(&models, ids)).await,
        }
    }

    /// Creates the tables of models.
    pub(crate) async fn create(&self, models: &[Arc<ModelDef>], ids: Vec<u32>) -> Result<()> {
        self.root().await?.outside().create_models(models).await?;
        let mut tables = self.shared.tables.write().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            tables.removed.remove(&id);
            tables.ready.insert(id);
        }
        Ok(())
    }

    /// Drops the tables of models.
    pub(crate) async fn remove(&self, models: &[Arc<ModelDef>], ids: Vec<u32>) -> Result<()> {
        self.root().await?.outside().drop_models(models).await?;
        let mut tables = self.shared.tables.write().unwrap_or_else(PoisonError::into_inner);
        self.shared.last_ready.store(0, Ordering::Relaxed);
        for id in ids {
            tables.ready.remove(&id);
            tables.removed.insert(id);
        }
        Ok(())
    }

    /// Refuses a model whose table was removed, on databases that would not.
    pub(crate) fn check(&self, model: &ModelOf) -> Result<()> {
        let tables = self.shared.tables.read().unwrap_or_else(PoisonError::into_inner);
        if tables.removed.contains(&model.def.id()) && self.shared.options.scheme() != "sqlite" {
            return Err(Error::schema("the model's table was removed: `use_models` creates it anew")
                .with_model(model.def.name())
                .with_operation("find"));
        }
        Ok(())
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) -> Result<()> {
        match self.shared.db.get() {
            Some(db) if self.shared.generation == generation() => {
                let closed = db.close().await;
                if !self.shared.closed.swap(true, Ordering::Relaxed) {
                    self.shared.forget_file();
                }
                closed
            }
            _ => Ok(()),
        }
    }

    /// How many statements were sent.
    pub(crate) fn statements(&self) -> u64 {
        self.shared.counter.count().get()
    }

    /// The scheme of the URL.
    pub(crate) fn scheme(&self) -> &str {
        self.shared.options.scheme()
    }
}

impl Shared {
    #[inline]
    async fn db(&self) -> Result<&Db> {
        if let Some(db) = self.db.get()
            && self.generation == generation()
        {
            return Ok(db);
        }
        if self.generation != generation() {
            return Err(Error::connection(
                "the database was opened before this process was forked off: connect anew in the child",
            ));
        }
        // boxed, so that it takes no room in each operation
        Box::pin(self.connect()).await
    }

    #[cold]
    async fn connect(&self) -> Result<&Db> {
        self.db
            .get_or_try_init(|| async {
                ommi::register_drivers();
                let driver: Arc<dyn Driver> = ommi::driver::connect(&self.options).await?;
                if let Some(file) = file_of(&self.options)
                    && self.file.set(file).is_ok()
                {
                    *files().entry(file).or_default() += 1;
                }
                Ok(Db::new(driver, &[Arc::new(self.counter.clone()) as Arc<dyn Layer>]))
            })
            .await
    }
}

/// A file, whatever its path: device and number.
type FileId = (u64, u64);

/// The files that this copy of SQLite has open, and how often.
fn files() -> MutexGuard<'static, HashMap<FileId, usize>> {
    static FILES: LazyLock<Mutex<HashMap<FileId, usize>>> = LazyLock::new(Mutex::default);
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this copy of SQLite has a file open.
#[pyfunction]
pub(crate) fn has_open(device: u64, number: u64) -> bool {
    files().contains_key(&(device, number))
}

#[cfg(unix)]
fn file_of(options: &ConnectOptions) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;

    if options.scheme() != "sqlite" {
        return None;
    }
    let path = options.rest().strip_prefix("//").unwrap_or(options.rest());
    let path = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    let found = std::fs::metadata(&*path).ok()?;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn file_of(_: &ConnectOptions) -> Option<FileId> {
    // locks that a process loses when it closes a file are POSIX's alone
    None
}

impl Shared {
    /// Notes that the file is closed.
    fn forget_file(&self) {
        let Some(file) = self.file.get() else { return };
        let mut files = files();
        if let Some(count) = files.get_mut(file) {
            *count -= 1;
            if *count == 0 {
                files.remove(file);
            }
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !self.closed.load(Ordering::Relaxed) {
            self.forget_file();
        }
    }
}

/// The definitions of a collection's models, and their numbers.
pub(crate) fn definitions(collection: &Bound<'_, PyAny>) -> PyResult<(Vec<Arc<ModelDef>>, Vec<u32>)> {
    let mut models = Vec::new();
    for model in collection.call_method0("_definitions")?.try_iter()? {
        models.push(Arc::clone(&model?.cast::<Model>()?.get().0.def));
    }
    let ids = models.iter().map(|model| model.id()).collect();
    Ok((models, ids))
}
