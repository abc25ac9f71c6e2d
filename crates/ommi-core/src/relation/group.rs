//! The rows of a result, whose relations are loaded together.

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::Mutex;

use super::eager::Spec;
use super::keys::{Key, KeyColumn, KeySet};
use super::load::{Related, load};
use super::repeated;
use crate::db::Db;
use crate::driver::RowRef;
use crate::error::{Error, Result};
use crate::model::relation::Routes;
use crate::model::{Model, ModelDef, Route};
use crate::value::Datum;

/// Where a relation field stands: its row in a group of rows, and its relation.
///
/// The group holds everything else, so that a field takes 16 bytes and no allocation.
#[derive(Default)]
pub struct Handle {
    group: Option<Arc<Group>>,
    row: u32,
    relation: u16,
    /// Whether the related rows were given by the program and not read.
    is_set: bool,
}

impl Handle {
    pub(crate) fn new(group: Arc<Group>, row: u32, relation: u16) -> Self {
        Handle { group: Some(group), row, relation, is_set: false }
    }

    /// A field whose related rows the program gives.
    pub(crate) fn of_rows<T: Model>(rows: Vec<T>) -> Self {
        let group = Group::single(None, None, Vec::new(), 0);
        let end = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let related = Related { rows, ranges: vec![(0, end)], group: None };
        group.fill(0, Loaded { related, of_row: vec![0] });
        Handle { group: Some(group), row: 0, relation: 0, is_set: true }
    }

    /// The same rows, set in the place of another field's: with the database and the key that the
    /// other one knows.
    pub(crate) fn instead_of(mut self, other: &Handle) -> Self {
        let Some(group) = &other.group else { return self };
        let key = group.key(other.relation, other.row).ok().flatten();
        if let Some(own) = self.group.as_mut().and_then(Arc::get_mut) {
            own.db.clone_from(&group.db);
            own.model = group.model;
            own.first = other.relation;
            if let Some(rows) = own.rows.get_mut() {
                rows.keys = GroupKeys::Single(vec![key]);
            }
            self.relation = other.relation;
        }
        self
    }

    pub(crate) fn is_set(&self) -> bool {
        self.is_set
    }

    /// The related rows, if they are loaded.
    #[inline]
    pub(crate) fn loaded<T: Model>(&self) -> Option<&[T]> {
        let slot = self.group.as_ref()?.slot(self.relation)?;
        match slot.loaded::<T>() {
            Some(loaded) => loaded.of(self.row),
            None => slot.single(self.row),
        }
    }

    /// Loads the relation for all rows of the group that live, unless it is loaded.
    pub(crate) async fn load<T: Model>(&self, from: &'static Location<'static>) -> Result<&[T]> {
        let Some(group) = &self.group else { return Err(detached(None, self.relation)) };
        let loaded = group.load::<T>(self.relation, &Spec::default(), Some(from)).await?;
        // a row that lives was loaded for
        Ok(loaded.of(self.row).unwrap_or_default())
    }

    /// Loads the relation for this row alone, unless it is loaded.
    pub(crate) async fn load_single<T: Model>(&self, from: &'static Location<'static>) -> Result<&[T]> {
        let Some(group) = &self.group else { return Err(detached(None, self.relation)) };
        group.load_single::<T>(self.relation, self.row, from).await
    }

    /// The references behind the relation, the database, and the key of the field's own row: what a
    /// write along the relation needs.
    pub(crate) fn for_write(&self) -> Result<(&'static Arc<Route>, Db, Vec<Datum>)> {
        let Some(group) = &self.group else { return Err(detached(None, self.relation)) };
        if self.is_set {
            return Err(Error::query(
                "the relation was given rows that are not written yet: add or save its row first",
            ));
        }
        let (route, db) = group.route(self.relation)?;
        let Some(key) = group.key(self.relation, self.row)? else {
            return Err(Error::query(format!(
                "`{}` of {} has no rows to lead to: the fields that they are found by are null",
                route.name,
                route.source().name()
            )));
        };
        Ok((route, db, key.into_values()))
    }

    /// Changes the related rows as a write has, if they are loaded.
    pub(crate) fn change<T: Model>(&mut self, change: impl FnOnce(&mut Vec<T>)) {
        let Some(rows) = self.loaded::<T>() else { return };
        let mut rows = rows.to_vec();
        change(&mut rows);
        let end = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        self.settle(Related { rows, ranges: vec![(0, end)], group: None });
    }

    /// Reads the related rows anew, for this row alone.
    pub(crate) async fn reload<T: Model>(&mut self) -> Result<()> {
        let Some(group) = &self.group else { return Err(detached(None, self.relation)) };
        if self.is_set {
            return Err(Error::query(
                "the relation was set and not saved yet, so there is nothing to reload: save the row first",
            ));
        }
        let (route, db) = group.route(self.relation)?;
        let related = group.related_of::<T>(&db, route, self.relation, self.row).await?;
        self.settle(related);
        Ok(())
    }

    /// Replaces the related rows by some that were read.
    pub(crate) fn settle<T: Model>(&mut self, related: Related<T>) {
        let Some(group) = &self.group else { return };
        let key = group.key(self.relation, self.row).ok().flatten();
        let alone = Group::single(group.db.clone(), group.model, vec![key], self.relation);
        alone.fill(self.relation, Loaded { related, of_row: vec![0] });
        *self = Handle { group: Some(alone), row: 0, relation: self.relation, is_set: false };
    }

    /// The key by which the row finds others, as it was when the row was read.
    pub(crate) fn key(&self) -> Result<Option<Key>> {
        match &self.group {
            Some(group) => group.key(self.relation, self.row),
            None => Ok(None),
        }
    }

    /// Whether the field loads from a database, by the key that a row has now.
    pub(crate) fn is_of(&self, db: &Db, row: &dyn RowRef) -> bool {
        let known = || {
            let group = self.group.as_ref()?;
            group.db.as_ref().filter(|own| own.is_same(db))?;
            let routes = group.routes().ok()?;
            let fields = routes.columns().get(routes.column_of(self.relation)?)?;
            let mut now = KeyColumn::new(fields);
            now.push(fields, row).ok()?;
            let same = match (now.key(0, fields).ok()?, self.key().ok()?) {
                (None, None) => true,
                (Some(now), Some(then)) => now.into_values() == then.into_values(),
                _ => false,
            };
            same.then_some(())
        };
        known().is_some()
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        if let Some(group) = &self.group {
            group.enter(self.row);
        }
        Handle { group: self.group.clone(), ..*self }
    }
}

impl Drop for Handle {
    #[inline]
    fn drop(&mut self) {
        if let Some(group) = &self.group {
            group.leave(self.row);
        }
    }
}

#[cold]
fn detached(model: Option<&'static Arc<ModelDef>>, relation: u16) -> Error {
    let named = model.and_then(|model| Some((model, model.relations().get(usize::from(relation))?)));
    let what = match named {
        Some((model, relation)) => format!("the relation `{}` of this {}", relation.name, model.name()),
        None => "the relation".to_owned(),
    };
    let error = Error::detached(format!(
        "{what} belongs to no database: read, add or save the instance, or attach it with `db.attach(&mut instance)`"
    ));
    match named {
        Some((model, _)) => error.with_model(model.name()),
        None => error,
    }
}

/// The related rows of the rows of a group.
pub(crate) struct Loaded<T> {
    pub(crate) related: Related<T>,
    /// For each row of the group, the number of its key; past the end of the ranges where it has
    /// none.
    pub(crate) of_row: Vec<u32>,
}

/// The number of a row that finds nothing.
const NOTHING: u32 = u32::MAX;

/// The number of a row that was dropped before the relation was loaded.
const DROPPED: u32 = u32::MAX - 1;

impl<T> Loaded<T> {
    #[inline]
    fn of(&self, row: u32) -> Option<&[T]> {
        match self.of_row.get(usize::try_from(row).ok()?).copied()? {
            DROPPED => None,
            number => Some(self.related.of(number)),
        }
    }
}

/// What is known of one relation of a group.
#[derive(Default)]
struct Slot {
    /// A [`Loaded`] of the target's type.
    loaded: OnceLock<Box<dyn Any + Send + Sync>>,
    /// Rows whose relation was loaded for them alone.
    singles: OnceLock<Box<Single>>,
    /// Held by the one who loads.
    gate: Mutex<Option<Error>>,
    /// How many loads have failed.
    failures: AtomicU64,
}

/// One row's related rows, in a list that only grows, so that references into it stay good.
struct Single {
    row: u32,
    /// A [`Related`] of the target's type.
    related: Box<dyn Any + Send + Sync>,
    next: OnceLock<Box<Single>>,
}

impl Slot {
    #[inline]
    fn loaded<T: Model>(&self) -> Option<&Loaded<T>> {
        self.loaded.get()?.downcast_ref()
    }

    fn single<T: Model>(&self, row: u32) -> Option<&[T]> {
        let mut place = self.singles.get();
        while let Some(single) = place {
            if single.row == row {
                return single.related.downcast_ref::<Related<T>>().map(|related| related.of(0));
            }
            place = single.next.get();
        }
        None
    }

    fn keep_single<T: Model>(&self, row: u32, related: Related<T>) {
        let mut single = Box::new(Single { row, related: Box::new(related), next: OnceLock::new() });
        let mut place = &self.singles;
        loop {
            single = match place.set(single) {
                Ok(()) => return,
                Err(single) => single,
            };
            match place.get() {
                Some(taken) => place = &taken.next,
                None => return,
            }
        }
    }

    /// Runs a load unless another has done it while this one waited; those who waited for a load
    /// that fails share its error.
    async fn once<'a, R>(
        &'a self,
        done: impl Fn(&'a Self) -> Option<R>,
        work: impl AsyncFnOnce() -> Result<()>,
    ) -> Result<R> {
        let failures = self.failures.load(Ordering::Acquire);
        let mut gate = self.gate.lock().await;
        if let Some(done) = done(self) {
            return Ok(done);
        }
        if self.failures.load(Ordering::Acquire) != failures
            && let Some(error) = &*gate
        {
            return Err(error.clone());
        }
        if let Err(error) = work().await {
            *gate = Some(error.clone());
            self.failures.fetch_add(1, Ordering::AcqRel);
            return Err(error);
        }
        done(self).ok_or_else(|| Error::decode("the relation was loaded as rows of another model: a fault of Ommi"))
    }
}

/// The rows of one result.
pub(crate) struct Group {
    db: Option<Db>,
    model: Option<&'static Arc<ModelDef>>,
    /// The relation of the first slot.
    first: u16,
    slots: Box<[Slot]>,
    rows: OnceLock<GroupRows>,
}

struct GroupRows {
    keys: GroupKeys,
    /// How many relation fields each row still has.
    live: Box<[AtomicU32]>,
}

enum GroupKeys {
    /// The keys of all relations, a column for each list of fields.
    Columns(Vec<KeyColumn>),
    /// The key of one row's one relation.
    Single(Vec<Option<Key>>),
}

impl Group {
    /// A group of one row and one relation.
    pub(crate) fn single(
        db: Option<Db>,
        model: Option<&'static Arc<ModelDef>>,
        keys: Vec<Option<Key>>,
        relation: u16,
    ) -> Arc<Self> {
        let rows = GroupRows { keys: GroupKeys::Single(keys), live: Box::new([AtomicU32::new(1)]) };
        let slots = Box::new([Slot::default()]);
        Arc::new(Group { db, model, first: relation, slots, rows: OnceLock::from(rows) })
    }

    fn slot(&self, relation: u16) -> Option<&Slot> {
        self.slots.get(usize::from(relation.checked_sub(self.first)?))
    }

    pub(crate) fn fill<T: Model>(&self, relation: u16, loaded: Loaded<T>) {
        if let Some(slot) = self.slot(relation) {
            let _ = slot.loaded.set(Box::new(loaded));
        }
    }

    fn count(&self, row: u32) -> Option<&AtomicU32> {
        self.rows.get()?.live.get(usize::try_from(row).ok()?)
    }

    fn enter(&self, row: u32) {
        if let Some(live) = self.count(row) {
            live.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(crate) fn leave(&self, row: u32) {
        if let Some(live) = self.count(row) {
            live.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn routes(&self) -> Result<&'static Routes> {
        match self.model {
            Some(model) => model.routes(),
            None => Err(detached(None, self.first)),
        }
    }

    /// The references behind a relation, and the database.
    fn route(&self, relation: u16) -> Result<(&'static Arc<Route>, Db)> {
        let Some(db) = &self.db else { return Err(detached(self.model, relation)) };
        let route = self.routes()?.get(relation).ok_or_else(|| detached(self.model, relation))?;
        Ok((route, db.for_relations().ok_or_else(|| detached(self.model, relation))?))
    }

    fn key(&self, relation: u16, row: u32) -> Result<Option<Key>> {
        let Some(rows) = self.rows.get() else { return Ok(None) };
        match &rows.keys {
            GroupKeys::Single(keys) => Ok(keys.first().cloned().flatten()),
            GroupKeys::Columns(columns) => {
                let routes = self.routes()?;
                let Some(column) = routes.column_of(relation) else { return Ok(None) };
                match (columns.get(column), routes.columns().get(column)) {
                    (Some(keys), Some(fields)) => keys.key(row, fields),
                    _ => Ok(None),
                }
            }
        }
    }

    /// The distinct keys of the rows that live, and the number of each row's.
    fn live_keys(&self, relation: u16) -> Result<(KeySet, Vec<u32>)> {
        let mut set = KeySet::default();
        let Some(rows) = self.rows.get() else { return Ok((set, Vec::new())) };
        let mut of_row = Vec::with_capacity(rows.live.len());
        for (row, live) in (0..).zip(&rows.live) {
            of_row.push(match live.load(Ordering::Relaxed) {
                0 => DROPPED,
                _ => self.key(relation, row)?.map_or(NOTHING, |key| set.number(key)),
            });
        }
        Ok((set, of_row))
    }

    /// Loads a relation for all rows that live.
    pub(crate) async fn load<T: Model>(
        &self,
        relation: u16,
        spec: &Spec,
        from: Option<&'static Location<'static>>,
    ) -> Result<&Loaded<T>> {
        let Some(slot) = self.slot(relation) else { return Err(detached(self.model, relation)) };
        if let Some(loaded) = slot.loaded() {
            return Ok(loaded);
        }
        slot.once(Slot::loaded, async || {
            let (route, db) = self.route(relation)?;
            let (keys, of_row) = self.live_keys(relation)?;
            if keys.len() == 1
                && let Some(from) = from
            {
                repeated::note(route, from);
            }
            let related = load::<T>(&db, route, &Arc::new(keys), spec).await;
            let related = related.map_err(|error| error.with_operation("load"))?;
            let _ = slot.loaded.set(Box::new(Loaded { related, of_row }));
            Ok(())
        })
        .await
    }

    async fn load_single<T: Model>(&self, relation: u16, row: u32, from: &'static Location<'static>) -> Result<&[T]> {
        let Some(slot) = self.slot(relation) else { return Err(detached(self.model, relation)) };
        if let Some(rows) = found(slot, row) {
            return Ok(rows);
        }
        slot.once(
            |slot| found(slot, row),
            async || {
                let (route, db) = self.route(relation)?;
                repeated::note(route, from);
                slot.keep_single(row, self.related_of::<T>(&db, route, relation, row).await?);
                Ok(())
            },
        )
        .await
    }

    /// Reads the related rows of one row.
    async fn related_of<T: Model>(&self, db: &Db, route: &Route, relation: u16, row: u32) -> Result<Related<T>> {
        let mut keys = KeySet::default();
        if let Some(key) = self.key(relation, row)? {
            keys.number(key);
        }
        let related = load::<T>(db, route, &Arc::new(keys), &Spec::default()).await;
        related.map_err(|error| error.with_operation("load"))
    }
}

/// The related rows of one row, whether they were loaded for all rows or for it alone.
fn found<T: Model>(slot: &Slot, row: u32) -> Option<&[T]> {
    match slot.loaded::<T>() {
        Some(loaded) => loaded.of(row),
        None => slot.single(row),
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("model", &self.model.map(|model| model.name())).finish_non_exhaustive()
    }
}

/// A group whose rows are being read.
pub(crate) struct GroupBuilder {
    group: Arc<Group>,
    routes: Option<&'static Routes>,
    columns: Vec<KeyColumn>,
    rows: u32,
    fields: u32,
}

impl GroupBuilder {
    /// A group for rows of a model, if that has relations.
    #[inline]
    pub(crate) fn of<M: Model>(db: &Db) -> Option<Box<Self>> {
        let model = M::definition();
        match model.relations() {
            [] => None,
            relations => Some(Self::begin(db, model, relations.len())),
        }
    }

    fn begin(db: &Db, model: &'static Arc<ModelDef>, relations: usize) -> Box<Self> {
        // a relation that leads nowhere comes up at the first query and when it is loaded
        let routes = model.routes().ok();
        let of_routes = routes.map(Routes::columns).unwrap_or_default();
        let columns = of_routes.iter().map(KeyColumn::new).collect();
        let group = Arc::new(Group {
            db: Some(db.clone()),
            model: Some(model),
            first: 0,
            slots: std::iter::repeat_with(Slot::default).take(relations).collect(),
            rows: OnceLock::new(),
        });
        let fields = u32::try_from(relations).unwrap_or(u32::MAX);
        Box::new(GroupBuilder { group, routes, columns, rows: 0, fields })
    }

    /// The place of the next row's relation fields.
    #[inline]
    pub(crate) fn place(&self) -> Place<'_> {
        Place { group: &self.group, row: self.rows }
    }

    /// Takes the keys of a row that was read.
    pub(crate) fn push(&mut self, row: &dyn RowRef) -> Result<()> {
        if let Some(routes) = self.routes {
            for (column, fields) in self.columns.iter_mut().zip(routes.columns()) {
                column.push(fields, row)?;
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Takes the keys of a row that was read, and of which an instance was made.
    #[inline]
    pub(crate) fn push_of<M: Model>(&mut self, instance: &M, row: &dyn RowRef) -> Result<()> {
        if let [only] = self.columns.as_mut_slice()
            && only.push_of(instance)
        {
            self.rows += 1;
            return Ok(());
        }
        self.push_each(instance, row)
    }

    fn push_each<M: Model>(&mut self, instance: &M, row: &dyn RowRef) -> Result<()> {
        for (place, column) in self.columns.iter_mut().enumerate() {
            if !column.push_of(instance)
                && let Some(fields) = self.routes.and_then(|routes| routes.columns().get(place))
            {
                column.push(fields, row)?;
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Forgets all rows but the first ones.
    pub(crate) fn truncate(&mut self, rows: u32) {
        self.rows = rows;
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
    }

    /// The group, with all its rows.
    pub(crate) fn seal(self) -> Arc<Group> {
        let live = (0..self.rows).map(|_| AtomicU32::new(self.fields)).collect();
        let _ = self.group.rows.set(GroupRows { keys: GroupKeys::Columns(self.columns), live });
        self.group
    }
}

/// The place of a row that is being read, in its group.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) group: &'a Arc<Group>,
    pub(crate) row: u32,
}
