//! For the tests of programs that use Ommi: a fresh database for each test, and counts of the
//! statements that a piece of code sends.
//!
//! ```
//! use ommi::prelude::*;
//! # #[derive(Model, Clone, Debug, Default)]
//! # struct User { #[ommi(key, auto)] id: i64, name: String }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let (db, statements) = ommi::testing::counted("sqlite::memory:").await?;
//! db.create::<User>().await?;
//! statements.reset();
//! db.find(User::all()).all().await?;
//! assert_eq!(statements.get(), 1);
//! # Ok(())
//! # }
//! ```

use std::ops::Deref;

use ommi_core::layer::{CountStatements, StatementCount};
use ommi_core::{Db, Result};

/// A fresh database in memory with the tables of some models.
///
/// # Errors
///
/// Those of [`crate::connect`] and [`Db::create`].
#[cfg(feature = "sqlite")]
pub async fn database<T: ommi_core::Models>() -> Result<Db> {
    let db = crate::connect("sqlite::memory:").await?;
    db.create::<T>().await?;
    Ok(db)
}

/// A connection that counts its statements, with the count.
///
/// # Errors
///
/// Those of [`crate::connect`].
pub async fn counted(url: &str) -> Result<(Db, Statements)> {
    let layer = CountStatements::default();
    let db = crate::options(url).layer(layer.clone()).connect().await?;
    Ok((db, Statements(layer)))
}

/// The count of the statements of a connection.
#[derive(Clone, Debug)]
pub struct Statements(CountStatements);

impl Deref for Statements {
    type Target = StatementCount;

    fn deref(&self) -> &StatementCount {
        self.0.count()
    }
}
