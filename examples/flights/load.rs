//! Loading: files are read on a thread of their own, in batches, while the database writes.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use ommi::{Db, Model};
use ommi_examples::table::Table;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use zip::ZipArchive;

use crate::models::{Airline, Airport, Flight, Plane, Weather};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How many rows are written at once.
const BATCH: usize = 5_000;

/// What was loaded.
#[derive(Default)]
pub(crate) struct Loaded {
    read: u64,
    new: u64,
    time: Duration,
}

/// Creates the tables and loads the files of a directory. Rows whose keys are there already stay.
pub(crate) async fn all(db: &Db, directory: &Path) -> Result<Loaded> {
    let begun = Instant::now();
    let mut loaded = Loaded::default();
    db.create::<(Airline, Airport, Plane, Weather, Flight)>().await?;
    loaded.table::<Airline>(db, directory, "airlines").await?;
    loaded.table::<Airport>(db, directory, "airports").await?;
    loaded.table::<Plane>(db, directory, "planes").await?;
    loaded.table::<Weather>(db, directory, "weather").await?;
    loaded.table::<Flight>(db, directory, "flights").await?;
    loaded.time = begun.elapsed();
    Ok(loaded)
}

impl Loaded {
    async fn table<M: Model + DeserializeOwned>(
        &mut self,
        db: &Db,
        directory: &Path,
        name: &'static str,
    ) -> Result<()> {
        // indicatif draws on a terminal only
        let progress = ProgressBar::no_length().with_prefix(name);
        progress.set_style(ProgressStyle::with_template("{prefix:>8} {wide_bar} {bytes}/{total_bytes}")?);
        let (sender, mut batches) = mpsc::channel::<Vec<M>>(2);
        let source = Source { file: file_of(directory, name), name, progress: progress.clone() };
        let reader = tokio::task::spawn_blocking(move || source.read(&sender));
        while let Some(batch) = batches.recv().await {
            self.read += batch.len() as u64;
            self.new += db.upsert_all(batch).do_nothing().count().await?;
        }
        reader.await??;
        progress.finish_and_clear();
        Ok(())
    }
}

/// The file of a table, zipped or not.
fn file_of(directory: &Path, name: &str) -> PathBuf {
    let zipped = directory.join(format!("{name}.csv.zip"));
    if zipped.exists() { zipped } else { directory.join(format!("{name}.csv")) }
}

/// A file that is being read.
struct Source {
    file: PathBuf,
    name: &'static str,
    progress: ProgressBar,
}

impl Source {
    fn read<M: DeserializeOwned>(&self, batches: &mpsc::Sender<Vec<M>>) -> Result<()> {
        self.open(batches).map_err(|error| format!("{}: {error}", self.file.display()).into())
    }

    fn open<M: DeserializeOwned>(&self, batches: &mpsc::Sender<Vec<M>>) -> Result<()> {
        let file = File::open(&self.file)?;
        if self.file.extension().is_some_and(|extension| extension == "zip") {
            let mut archive = ZipArchive::new(BufReader::new(file))?;
            let file = archive.by_name(&format!("{}.csv", self.name))?;
            let size = file.size();
            return self.rows(file, size, batches);
        }
        let size = file.metadata()?.len();
        self.rows(file, size, batches)
    }

    fn rows<M: DeserializeOwned>(&self, source: impl Read, size: u64, batches: &mpsc::Sender<Vec<M>>) -> Result<()> {
        self.progress.set_length(size);
        let mut table = Table::<_, M>::new(source)?;
        loop {
            let batch = table.by_ref().take(BATCH).collect::<std::result::Result<Vec<M>, _>>()?;
            // nobody takes batches any more where writing one failed, which says more
            if batch.is_empty() || batches.blocking_send(batch).is_err() {
                return Ok(());
            }
            self.progress.set_position(table.position());
        }
    }
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.time.as_secs_f64();
        write!(f, "Read {} rows, of which {} were new, in {seconds:.1} s.", self.read, self.new)
    }
}
