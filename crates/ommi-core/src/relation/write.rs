//! Writes along relations: new rows that hang on others, and links between rows.

use std::any::Any;
use std::sync::Arc;

use super::group::{GroupBuilder, Handle};
use super::keys::Key;
use super::load::Related;
use crate::db::Db;
use crate::db::get::equal_data;
use crate::db::source::values_of;
use crate::driver::{BoxFuture, RowRef};
use crate::error::{Error, Result};
use crate::model::{Link, Model, ModelDef, Route};
use crate::query::Expr;
use crate::query::statement::OnConflict;
use crate::value::{Cell, Datum};

/// The related rows of one owner, whatever their type: a `Vec` of them.
type AnyRows = Box<dyn Any + Send>;

/// The values of some fields of each of some rows.
type RowValues = Vec<Vec<Datum>>;

/// Rows that are being added.
type AddingRows = BoxFuture<'static, Result<Vec<AnyRows>>>;

/// What can be done with the rows that a relation field was given, whatever their type.
#[derive(Clone, Copy)]
pub struct RelatedWrites {
    /// Takes the rows out of the field.
    take: fn(&mut Handle) -> Option<AnyRows>,
    /// Puts the rows back, now as ones that were read.
    give: fn(&mut Handle, AnyRows),
    /// The values of fields of all rows.
    values: fn(&AnyRows, &[u16]) -> Result<RowValues>,
    /// Adds the rows of several owners in one call.
    add: fn(Db, Vec<AnyRows>, Adding) -> AddingRows,
}

/// How related rows are added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Adding {
    /// Fields of each row that take the values of its owner.
    fields: Vec<u16>,
    /// Those values, for each owner.
    of_owner: Vec<Vec<Datum>>,
    /// Whether rows that have an automatic key are there already.
    only_unassigned: bool,
}

fn rows_of<T: Model>(rows: AnyRows) -> Result<Vec<T>> {
    rows.downcast()
        .map(|rows| *rows)
        .map_err(|_| Error::decode("the field leads to rows of another model: a fault of Ommi"))
}

impl RelatedWrites {
    pub(crate) fn of<T: Model>() -> Self {
        RelatedWrites {
            take: |handle| {
                let rows = handle.loaded::<T>()?.to_vec();
                Some(Box::new(rows))
            },
            give: |handle, rows| {
                if let Ok(rows) = rows_of::<T>(rows) {
                    let end = u32::try_from(rows.len()).unwrap_or(u32::MAX);
                    handle.settle(Related { rows, ranges: vec![(0, end)], group: None });
                }
            },
            values: |rows, fields| match rows.downcast_ref::<Vec<T>>() {
                Some(rows) => rows.iter().map(|row| values_of(row, fields)).collect(),
                None => Ok(Vec::new()),
            },
            add: |db, rows, adding| Box::pin(add_related::<T>(db, rows, adding)),
        }
    }
}

async fn add_related<T: Model>(db: Db, of_owners: Vec<AnyRows>, adding: Adding) -> Result<Vec<AnyRows>> {
    let mut counts = Vec::with_capacity(of_owners.len());
    let mut all: Vec<Option<T>> = Vec::new();
    let mut new = Vec::new();
    for (owner, rows) in of_owners.into_iter().enumerate() {
        let rows = rows_of::<T>(rows)?;
        counts.push(rows.len());
        for mut row in rows {
            if let Some(values) = adding.of_owner.get(owner) {
                for (field, value) in adding.fields.iter().zip(values) {
                    row.set_reference(*field, value.cell())?;
                }
            }
            if adding.only_unassigned && !row.is_unassigned() {
                all.push(Some(row));
            } else {
                new.push(row);
                all.push(None);
            }
        }
    }
    let mut added = db.add_all(new).await?.into_iter();
    let mut all = all.into_iter().map(|row| row.or_else(|| added.next()));
    Ok(counts
        .into_iter()
        .map(|count| Box::new(all.by_ref().take(count).flatten().collect::<Vec<T>>()) as AnyRows)
        .collect())
}

/// What becomes of related rows that are loaded when their owner is attached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// They are kept where the owner's key is the same; those that were set are written by now.
    Kept,
    /// They are forgotten; those that were set are written by now.
    Written,
    /// They are forgotten, but for those that were set.
    Forgotten,
}

/// Related rows that owners were given, by the index of the owner.
struct Given {
    relation: u16,
    route: Arc<Route>,
    writes: RelatedWrites,
    owners: Vec<usize>,
    rows: Vec<AnyRows>,
}

/// Whether a row was given related rows that are not written.
pub(crate) fn has_given<M: Model>(rows: &mut [M]) -> bool {
    let mut given = false;
    if !M::definition().relations().is_empty() {
        for row in rows {
            row.each_relation(&mut |_, field| given |= field.handle().is_set());
        }
    }
    given
}

/// Takes the related rows that owners were given.
fn take_given<M: Model>(owners: &mut [M]) -> Result<Vec<Given>> {
    let routes = M::definition().routes()?;
    let mut all: Vec<Given> = Vec::new();
    for (index, owner) in owners.iter_mut().enumerate() {
        owner.each_relation(&mut |relation, field| {
            let writes = field.writes();
            let handle = field.handle();
            let (true, Some(route)) = (handle.is_set(), routes.get(relation)) else { return };
            let Some(rows) = (writes.take)(handle) else { return };
            match all.iter_mut().find(|given| given.relation == relation) {
                Some(given) => {
                    given.owners.push(index);
                    given.rows.push(rows);
                }
                None => all.push(Given {
                    relation,
                    route: Arc::clone(route),
                    writes,
                    owners: vec![index],
                    rows: vec![rows],
                }),
            }
        });
    }
    Ok(all)
}

/// Whether the owner's fields hold the target's key, so that the target is written first.
fn owner_references(route: &Route) -> bool {
    route.second.is_none() && {
        let owner = route.source();
        owner.references().iter().any(|reference| reference.fields.as_slice() == route.first.from())
            && route.first.is_unique()
    }
}

impl Db {
    /// Adds rows with the related rows that they were given: those that they reference first, then
    /// the rows, then those that reference them; the rows of a model in one call.
    pub(crate) async fn add_with_given<M: Model>(&self, mut rows: Vec<M>, operation: &'static str) -> Result<Vec<M>> {
        let (before, after): (Vec<Given>, Vec<Given>) =
            take_given(&mut rows)?.into_iter().partition(|given| owner_references(&given.route));
        let mut done = Vec::new();
        for given in before {
            done.push(self.add_referenced(&mut rows, given).await?);
        }
        let mut rows = self.add_prepared(rows, operation).await?;
        for given in after {
            done.push(self.add_referencing(&rows, given).await?);
        }
        self.attach_rows(&mut rows, Known::Written)?;
        for given in done {
            give_back(&mut rows, given);
        }
        Ok(rows)
    }

    /// Adds what owners reference, and gives them the keys.
    async fn add_referenced<M: Model>(&self, owners: &mut [M], mut given: Given) -> Result<Given> {
        let adding = Adding { only_unassigned: true, ..Adding::default() };
        given.rows = (given.writes.add)(self.clone(), given.rows, adding).await?;
        refer_to_given(owners, &given)?;
        Ok(given)
    }

    /// Adds what references owners, with their keys; by way of a link model, the links too.
    async fn add_referencing<M: Model>(&self, owners: &[M], mut given: Given) -> Result<Given> {
        let link = &given.route.first;
        let keys: Result<Vec<Vec<Datum>>> = given
            .owners
            .iter()
            .map(|owner| owners.get(*owner).map_or_else(|| Ok(Vec::new()), |owner| values_of(owner, link.from())))
            .collect();
        let keys = keys?;
        let adding = match &given.route.second {
            None => Adding {
                fields: with_kind_field(link),
                of_owner: keys.iter().map(|key| with_kind(link, key.clone())).collect(),
                only_unassigned: false,
            },
            Some(_) => Adding { only_unassigned: true, ..Adding::default() },
        };
        given.rows = (given.writes.add)(self.clone(), given.rows, adding).await?;
        if let Some(second) = &given.route.second {
            let mut links = Vec::new();
            for (rows, key) in given.rows.iter().zip(&keys) {
                for target in (given.writes.values)(rows, second.to())? {
                    links.push(link_row(link, second, key, &target)?);
                }
            }
            self.insert_links(second.source(), link, second, links).await?;
        }
        Ok(given)
    }

    pub(crate) async fn insert_links(
        &self,
        model: &Arc<ModelDef>,
        first: &Link,
        second: &Link,
        links: Vec<Vec<Datum>>,
    ) -> Result<()> {
        if links.is_empty() {
            return Ok(());
        }
        let pair: Vec<u16> = first.to().iter().chain(second.from()).copied().collect();
        let is_unique = model.key_is(&pair) || model.unique_groups().any(|group| group.covers(&pair));
        let on_conflict = if is_unique { OnConflict::Ignore(pair) } else { OnConflict::Fail };
        self.model(model).upsert_all(links, on_conflict).await.map(drop).map_err(|error| error.with_operation("link"))
    }

    /// Lets rows load their relations from this database, as rows that were read from it.
    pub(crate) fn attach_rows<M: Model>(&self, rows: &mut [M], known: Known) -> Result<()> {
        let Some(mut builder) = GroupBuilder::of::<M>(self) else { return Ok(()) };
        let fields = key_fields::<M>()?;
        let mut set = Vec::new();
        for row in rows.iter_mut() {
            let values = values_of(row, &fields)?;
            let place = builder.place();
            let (group, number) = (Arc::clone(place.group), place.row);
            let key_row = KeyRow { fields: &fields, values: &values };
            builder.push(&key_row)?;
            row.each_relation(&mut |relation, field| {
                let handle = field.handle();
                let stays = match handle.is_set() {
                    true => known == Known::Forgotten,
                    false => known == Known::Kept && handle.is_of(self, &key_row),
                };
                if stays {
                    set.push(number);
                } else {
                    *handle = Handle::new(Arc::clone(&group), number, relation);
                }
            });
        }
        let group = builder.seal();
        for row in set {
            group.leave(row);
        }
        Ok(())
    }

    /// Attaches an instance to this database: its relations are loaded from here, by the keys that
    /// it has now.
    ///
    /// # Errors
    ///
    /// `Schema` if a relation of the model leads nowhere, `Query` if a key cannot be stored.
    pub fn attach<M: Model>(&self, row: &mut M) -> Result<()> {
        self.attach_rows(std::slice::from_mut(row), Known::Forgotten)
    }

    /// Attaches instances to this database, whose relations are then loaded together.
    ///
    /// # Errors
    ///
    /// Those of [`Db::attach`].
    pub fn attach_all<M: Model>(&self, rows: &mut [M]) -> Result<()> {
        self.attach_rows(rows, Known::Forgotten)
    }

    /// Before a row is saved: gives it the keys of the rows that its fields were set to, after
    /// adding those that are new.
    pub(crate) async fn save_given<M: Model>(&self, row: &mut M) -> Result<SavedRelations> {
        let mut saved = SavedRelations(Vec::new());
        let rows = std::slice::from_mut(row);
        let mut keys = Vec::new();
        rows.iter_mut().for_each(|row| {
            row.each_relation(&mut |relation, field| {
                let handle = field.handle();
                if handle.is_set() {
                    keys.push((relation, handle.key()));
                }
            });
        });
        for given in take_given(rows)? {
            if !owner_references(&given.route) {
                return Err(Error::query(format!(
                    "`{}` was given rows that reference this one: add them by `{0}.add(..)`, or with a row that is new",
                    given.route.name
                ))
                .with_model(M::definition().name())
                .with_operation("save"));
            }
            if let Some((_, read)) = keys.iter_mut().find(|(relation, _)| *relation == given.relation) {
                check_key(rows, &given, std::mem::replace(read, Ok(None))?)?;
            }
            saved.0.push(self.add_referenced(rows, given).await?);
        }
        Ok(saved)
    }

    /// After a row is saved: its relations are those of a row that was read.
    pub(crate) fn settle_saved<M: Model>(&self, row: &mut M, saved: SavedRelations) -> Result<()> {
        let rows = std::slice::from_mut(row);
        self.attach_rows(rows, Known::Kept)?;
        saved.0.into_iter().for_each(|given| give_back(rows, given));
        Ok(())
    }
}

/// The related rows that a row was given, while it is saved.
pub(crate) struct SavedRelations(Vec<Given>);

impl SavedRelations {
    pub(crate) fn none() -> Self {
        SavedRelations(Vec::new())
    }
}

/// Refuses a row whose relation was set to one row and whose reference to another.
fn check_key<M: Model>(rows: &[M], given: &Given, read: Option<Key>) -> Result<()> {
    let Some(row) = rows.first() else { return Ok(()) };
    let route = &given.route;
    let now = values_of(row, route.first.from())?;
    let is_unset = now.iter().all(|value| matches!(value, Datum::Null | Datum::Int(0)));
    let is_as_read = match read {
        Some(read) => read.into_values() == now,
        None => now.iter().any(Datum::is_null),
    };
    if is_unset || is_as_read || route.first.from().is_empty() {
        return Ok(());
    }
    let of_given = given.rows.first().map(|rows| (given.writes.values)(rows, route.first.to())).transpose()?;
    if of_given.is_some_and(|keys| keys.first() == Some(&now)) {
        return Ok(());
    }
    let names: Vec<&str> = route.first.from().iter().map(|field| M::definition().field_name(*field)).collect();
    Err(Error::query(format!(
        "`{}` was set to a row and `{}` changed as well: set one of them",
        route.name,
        names.join("`, `")
    ))
    .with_model(M::definition().name())
    .with_operation("save"))
}

/// Gives owners the keys of the rows that they were given.
fn refer_to_given<M: Model>(owners: &mut [M], given: &Given) -> Result<()> {
    let link = &given.route.first;
    for (owner, rows) in given.owners.iter().zip(&given.rows) {
        let Some(owner) = owners.get_mut(*owner) else { continue };
        let key = (given.writes.values)(rows, link.to())?.into_iter().next();
        for (position, field) in link.from().iter().enumerate() {
            let value = key.as_ref().and_then(|key| key.get(position)).cloned().unwrap_or_default();
            owner.set_reference(*field, value.cell())?;
        }
        if let Some(kind) = link.kind().filter(|kind| !kind.of_target && key.is_some()) {
            owner.set_reference(kind.field, Cell::Text(&kind.value))?;
        }
    }
    Ok(())
}

fn give_back<M: Model>(owners: &mut [M], given: Given) {
    for (owner, rows) in given.owners.into_iter().zip(given.rows) {
        let Some(owner) = owners.get_mut(owner) else { continue };
        let mut rows = Some(rows);
        owner.each_relation(&mut |relation, field| {
            if relation == given.relation
                && let Some(rows) = rows.take()
            {
                (given.writes.give)(field.handle(), rows);
            }
        });
    }
}

/// Adds rows to those that a field leads to, and gives them back as they were stored.
pub(crate) async fn add_to<T: Model>(handle: &mut Handle, rows: Vec<T>) -> Result<Vec<T>> {
    let (route, db, key) = handle.for_write()?;
    let added = match &route.second {
        None => {
            let fields = with_kind_field(&route.first);
            let values = with_kind(&route.first, key);
            let mut rows = rows;
            for row in &mut rows {
                for (field, value) in fields.iter().zip(&values) {
                    row.set_reference(*field, value.cell())?;
                }
            }
            db.add_all(rows).await?
        }
        Some(second) => {
            Box::pin(db.in_one_transaction(async |db| {
                let rows = db.add_all(rows).await?;
                link_all(db, &route.first, second, &key, &rows).await?;
                Ok(rows)
            }))
            .await?
        }
    };
    handle.change::<T>(|known| known.extend(added.iter().cloned()));
    Ok(added)
}

async fn link_all<T: Model>(db: &Db, first: &Link, second: &Link, owner: &[Datum], rows: &[T]) -> Result<()> {
    let links: Result<Vec<Vec<Datum>>> =
        rows.iter().map(|row| link_row(first, second, owner, &values_of(row, second.to())?)).collect();
    db.insert_links(second.source(), first, second, links?).await
}

/// Links a row that is there to the owner of a field.
pub(crate) async fn link<T: Model>(handle: &mut Handle, row: &T) -> Result<()> {
    let (route, db, key) = handle.for_write()?;
    let second = by_link_model(route)?;
    link_all(&db, &route.first, second, &key, std::slice::from_ref(row)).await?;
    note_link(handle, row)
}

/// Links a row that is there to the owner of a field, by a row of the link model.
pub(crate) async fn link_as<T: Model, L: Model>(handle: &mut Handle, row: &T, mut link: L) -> Result<L> {
    let (route, db, key) = handle.for_write()?;
    let second = by_link_model(route)?;
    if L::definition().id() != second.source().id() {
        return Err(Error::query(format!(
            "`{}` goes through {}, and a row of {} was given",
            route.name,
            second.source().name(),
            L::definition().name()
        ))
        .with_operation("link"));
    }
    let target = values_of(row, second.to())?;
    let fields = route.first.to().iter().zip(&key).chain(second.from().iter().zip(&target));
    for (field, value) in fields {
        link.set_reference(*field, value.cell())?;
    }
    let link = db.add(link).await?;
    note_link(handle, row)?;
    Ok(link)
}

/// Undoes the link of a row to the owner of a field, and says whether there was one.
pub(crate) async fn unlink<T: Model>(handle: &mut Handle, row: &T) -> Result<bool> {
    let (route, db, key) = handle.for_write()?;
    let second = by_link_model(route)?;
    let target = values_of(row, second.to())?;
    let condition = equal_data(route.first.to(), &key).and(equal_data(second.from(), &target));
    let deleted = db.model(second.source()).find(condition).delete().await;
    let was_linked = deleted.map_err(|error| error.with_operation("unlink"))? > 0;
    forget(handle, row)?;
    Ok(was_linked)
}

/// Takes a row from those that a field leads to: its reference becomes null.
pub(crate) async fn remove<T: Model>(handle: &mut Handle, row: &T) -> Result<bool> {
    let (route, db, key) = handle.for_write()?;
    if route.second.is_some() {
        return Box::pin(unlink(handle, row)).await;
    }
    let model = T::definition();
    let fields = with_kind_field(&route.first);
    if let Some(field) = fields.iter().find(|field| model.field(**field).is_some_and(|field| !field.nullable)) {
        return Err(Error::query(format!(
            "`{}` of {} is required, so the row cannot be without an owner: delete it, or add it to another",
            model.field_name(*field),
            model.name()
        ))
        .with_model(model.name())
        .with_operation("remove"));
    }
    let condition = equal_data(model.key(), &values_of(row, model.key())?).and(equal_data(route.first.to(), &key));
    let assignments = fields.iter().map(|field| (*field, Expr::Literal(Datum::Null))).collect();
    let updated = db.model(model).find(condition).update(assignments).await;
    let was_there = updated.map_err(|error| error.with_operation("remove"))? > 0;
    forget(handle, row)?;
    Ok(was_there)
}

/// The link from the link model to the target.
fn by_link_model(route: &Route) -> Result<&Arc<Link>> {
    route.second.as_ref().ok_or_else(|| {
        Error::query(format!(
            "`{}` of {} goes through no link model: add rows to it by `add`",
            route.name,
            route.source().name()
        ))
        .with_operation("link")
    })
}

/// Adds a row that was linked to those that are loaded.
fn note_link<T: Model>(handle: &mut Handle, row: &T) -> Result<()> {
    forget(handle, row)?;
    handle.change::<T>(|known| known.push(row.clone()));
    Ok(())
}

/// Takes a row from those that are loaded, by its key.
fn forget<T: Model>(handle: &mut Handle, row: &T) -> Result<()> {
    let key = T::definition().key();
    let gone = values_of(row, key)?;
    handle.change::<T>(|known| known.retain(|row| values_of(row, key).is_ok_and(|key| key != gone)));
    Ok(())
}

/// The target's fields that hold the key of the source, and the one that names its model.
pub(crate) fn with_kind_field(link: &Link) -> Vec<u16> {
    let kind = link.kind().filter(|kind| kind.of_target).map(|kind| kind.field);
    link.to().iter().copied().chain(kind).collect()
}

/// The values of [`with_kind_field`].
pub(crate) fn with_kind(link: &Link, mut key: Vec<Datum>) -> Vec<Datum> {
    key.extend(link.kind().filter(|kind| kind.of_target).map(|kind| Datum::Text(kind.value.clone())));
    key
}

/// A row of a link model that says nothing but which rows it links.
pub(crate) fn link_row(first: &Link, second: &Link, owner: &[Datum], target: &[Datum]) -> Result<Vec<Datum>> {
    let model = second.source();
    let mut row = Vec::with_capacity(model.fields().len());
    for (index, field) in (0u16..).zip(model.fields()) {
        let of_owner = first.to().iter().position(|to| *to == index).and_then(|place| owner.get(place));
        let of_target = second.from().iter().position(|from| *from == index).and_then(|place| target.get(place));
        let value = of_owner.or(of_target).or(field.default.as_ref()).cloned();
        row.push(match value {
            Some(value) => value,
            None if field.nullable || field.auto || field.created || field.updated || field.version => Datum::Null,
            None => {
                return Err(Error::query(format!(
                    "the link model {} has the field `{}`, which needs a value: link by `link_as(&row, {0} {{ .. }})`",
                    model.name(),
                    field.name
                ))
                .with_operation("link"));
            }
        });
    }
    Ok(row)
}

/// The fields by which a model's relations find others.
fn key_fields<M: Model>() -> Result<Vec<u16>> {
    let mut fields: Vec<u16> = Vec::new();
    for column in M::definition().routes()?.columns() {
        let kind = column.kind.as_ref().map(|(field, _)| *field);
        for field in column.fields.iter().map(|(field, _)| *field).chain(kind) {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
    }
    Ok(fields)
}

/// Some fields of a row, as a row.
struct KeyRow<'a> {
    fields: &'a [u16],
    values: &'a [Datum],
}

impl RowRef for KeyRow<'_> {
    fn cell(&self, column: usize) -> Result<Cell<'_>> {
        let place = self.fields.iter().position(|field| usize::from(*field) == column);
        Ok(place.and_then(|place| self.values.get(place)).map_or(Cell::Null, Datum::cell))
    }
}
