//! Creating, dropping and reading back tables.

use std::sync::Arc;

use super::transaction::check_outside;
use super::{Db, Scope};
use crate::driver::SchemaInfo;
use crate::error::{Error, Result};
use crate::model::{ModelDef, Models, validate};

impl Db {
    /// Creates what is missing of tables, indexes and rules for models, and checks what exists;
    /// changes and drops nothing.
    ///
    /// # Errors
    ///
    /// `Schema`, with everything that is wrong with the models, or each difference between them and
    /// the tables that exist and what would mend it; `Unsupported` if the database cannot keep a
    /// rule of a model.
    pub async fn create<T: Models>(&self) -> Result<()> {
        self.create_models(&T::definitions()).await
    }

    /// [`Db::create`] for definitions that were made at run time.
    ///
    /// # Errors
    ///
    /// Those of [`Db::create`].
    pub async fn create_models(&self, models: &[Arc<ModelDef>]) -> Result<()> {
        self.refuse_in_transaction("create")?;
        validate(models)?;
        self.check_rules(models)?;
        self.shared.sent.note();
        self.shared.driver.create(models).await.map_err(|error| error.with_operation("create"))
    }

    /// Drops the tables of models with all their rows, and nothing else.
    ///
    /// # Errors
    ///
    /// `Constraint` if a table that stays references one of them; and the database's.
    pub async fn drop<T: Models>(&self) -> Result<()> {
        self.drop_models(&T::definitions()).await
    }

    /// [`Db::drop`] for definitions that were made at run time.
    ///
    /// # Errors
    ///
    /// Those of [`Db::drop`].
    pub async fn drop_models(&self, models: &[Arc<ModelDef>]) -> Result<()> {
        self.refuse_in_transaction("drop")?;
        self.shared.sent.note();
        self.shared.driver.drop_models(models).await.map_err(|error| error.with_operation("drop"))
    }

    /// Reads the schema back: tables, columns, keys, indexes, references.
    ///
    /// # Errors
    ///
    /// The database's; `Transaction` inside one, of which the answer would not be part.
    pub async fn inspect(&self) -> Result<SchemaInfo> {
        self.refuse_in_transaction("inspect")?;
        self.shared.sent.note();
        self.shared.driver.inspect().await.map_err(|error| error.with_operation("inspect"))
    }

    fn refuse_in_transaction(&self, operation: &'static str) -> Result<()> {
        let refused = match self.scope {
            Scope::Transaction(_) => Err(Error::transaction(
                "tables are created, dropped and read back outside transactions, which not every database could roll back",
            )),
            Scope::Database => check_outside(&self.shared),
            Scope::Outside => Ok(()),
        };
        refused.map_err(|error| error.with_operation(operation))
    }

    /// Refuses models whose rules the database cannot keep.
    fn check_rules(&self, models: &[Arc<ModelDef>]) -> Result<()> {
        let capabilities = self.shared.driver.capabilities();
        let can = capabilities.constraint;
        let mut problems = Vec::new();
        for model in models {
            let mut refuse = |what: &str, mend: &str| {
                problems.push(format!("{}: the database cannot keep {what}: {mend}", model.name()));
            };
            let indexes = model.indexes();
            if !can.unique && model.unique_groups().next().is_some() {
                refuse("unique groups", "remove `unique`");
            }
            if !can.partial_unique && indexes.iter().any(|index| index.unique && index.condition.is_some()) {
                refuse("unique groups over some of the rows", "remove the condition");
            }
            if !can.references && model.references().iter().any(|reference| reference.enforced) {
                refuse("references", "write `unenforced`");
            }
            if !can.checks && !model.checks().is_empty() {
                refuse("checks", "remove `check`");
            }
            if !can.auto_integers && model.auto().is_some() {
                refuse("automatic integers", "use a `Uuid` key");
            }
            if !capabilities.operation.schemas && model.table().schema.is_some() {
                refuse("the schema in the table's name", "name the table without one");
            }
            let limit = capabilities.limits.identifier_bytes;
            let long = model.fields().iter().map(|field| &*field.column).chain([&*model.table().name]);
            for name in long.filter(|name| name.len() > limit) {
                refuse(
                    &format!("the name `{name}`, which is longer than {limit} bytes"),
                    "give it another with `name`",
                );
            }
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Error::unsupported(problems.join("; ")).with_driver(self.shared.driver.name()))
    }
}
