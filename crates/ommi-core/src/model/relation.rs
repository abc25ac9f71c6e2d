//! Relations between models: how the rows of one find those of another.

use std::fmt;
use std::sync::Arc;

use super::{IndexDef, ModelDef, ReferenceDef, ReferenceTarget};
use crate::error::{Error, Result};
use crate::value::ValueType;

/// How many rows a relation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cardinality {
    /// One, which has to be there: a row whose reference dangles is `NotFound`.
    One,
    /// One, or none.
    Optional,
    /// Any number.
    Many,
}

/// A relation, as a model declares it. [`RelationDef::resolve`] finds the references behind it.
#[derive(Clone, Debug)]
pub struct RelationDef {
    /// The name in the program.
    pub name: Arc<str>,
    /// How many rows it leads to.
    pub cardinality: Cardinality,
    /// The model that it leads to.
    pub target: ReferenceTarget,
    /// The link model between the two, whose rows reference both.
    pub through: Option<ReferenceTarget>,
    /// The fields of the reference, where several could be meant: of this model, of the target, or
    /// of the link model.
    pub by: Vec<Box<str>>,
}

/// A field that names the model which another field of the row references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkKind {
    /// Whether the field is the target's, and not the source's.
    pub of_target: bool,
    /// The field.
    pub field: u16,
    /// The value that it has for this link.
    pub value: Box<str>,
}

/// How the rows of one model find rows of another: they have equal values in pairs of fields. Null
/// equals nothing.
#[derive(Clone)]
pub struct Link {
    source: Arc<ModelDef>,
    target: Arc<ModelDef>,
    from: Box<[u16]>,
    to: Box<[u16]>,
    kind: Option<LinkKind>,
    /// Why the link leads nowhere: a query of it is refused with this.
    problem: Option<Box<str>>,
}

impl Link {
    /// A link over pairs of fields of two models.
    ///
    /// # Errors
    ///
    /// `Schema` if there are no pairs, a field does not exist, or the types of a pair cannot be
    /// compared.
    pub fn new(
        source: &Arc<ModelDef>,
        target: &Arc<ModelDef>,
        from: impl Into<Box<[u16]>>,
        to: impl Into<Box<[u16]>>,
    ) -> Result<Self> {
        let link = Link {
            source: source.clone(),
            target: target.clone(),
            from: from.into(),
            to: to.into(),
            kind: None,
            problem: None,
        };
        match link.find_problem() {
            None => Ok(link),
            Some(problem) => Err(Error::schema(problem).with_model(source.name())),
        }
    }

    /// A link that leads nowhere, and why.
    pub(crate) fn broken(source: &Arc<ModelDef>, target: &Arc<ModelDef>, problem: &str) -> Self {
        let (source, target, none) = (Arc::clone(source), Arc::clone(target), Box::default());
        Link { source, target, from: none, to: Box::default(), kind: None, problem: Some(problem.into()) }
    }

    /// Why the link leads nowhere, if it does.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    fn find_problem(&self) -> Option<String> {
        if self.from.is_empty() || self.from.len() != self.to.len() {
            return Some(format!(
                "{} fields cannot be matched with {} of {}",
                self.from.len(),
                self.to.len(),
                self.target.name()
            ));
        }
        self.pairs().find_map(|(from, to)| match (self.source.field(from), self.target.field(to)) {
            (Some(from), Some(to)) if from.value_type.is_comparable_with(&to.value_type) => None,
            (Some(from), Some(to)) => Some(format!(
                "`{}` is of type {} and `{}` of {} of type {}",
                from.name,
                from.value_type,
                to.name,
                self.target.name(),
                to.value_type
            )),
            _ => Some(format!("a field that links it with {} does not exist", self.target.name())),
        })
    }

    /// The link of a reference, from the referencing model.
    fn of_reference(source: &Arc<ModelDef>, target: &Arc<ModelDef>, reference: &ReferenceDef) -> Result<Self, String> {
        let to = reference.target_indexes(target).unwrap_or_default();
        let mut link =
            Link::new(source, target, reference.fields.as_slice(), to).map_err(|error| error.message().to_owned())?;
        link.kind = reference.kind.as_ref().map(|(field, value)| LinkKind {
            of_target: false,
            field: *field,
            value: value.clone(),
        });
        Ok(link)
    }

    /// The same link, from its other end.
    pub fn reversed(&self) -> Self {
        Link {
            source: self.target.clone(),
            target: self.source.clone(),
            from: self.to.clone(),
            to: self.from.clone(),
            kind: self.kind.clone().map(|kind| LinkKind { of_target: !kind.of_target, ..kind }),
            problem: self.problem.clone(),
        }
    }

    /// The model whose rows find others.
    pub fn source(&self) -> &Arc<ModelDef> {
        &self.source
    }

    /// The model whose rows are found.
    pub fn target(&self) -> &Arc<ModelDef> {
        &self.target
    }

    /// The fields of the source.
    pub fn from(&self) -> &[u16] {
        &self.from
    }

    /// The fields of the target that have the same values.
    pub fn to(&self) -> &[u16] {
        &self.to
    }

    /// The pairs of fields that have the same values, the source's first.
    pub fn pairs(&self) -> impl Iterator<Item = (u16, u16)> {
        self.from.iter().copied().zip(self.to.iter().copied())
    }

    /// The field that has to name this link's model, where one field may reference several.
    pub fn kind(&self) -> Option<&LinkKind> {
        self.kind.as_ref()
    }

    /// The source's field that has to name the target's model.
    pub(crate) fn kind_of_source(&self) -> Option<&LinkKind> {
        self.kind().filter(|kind| !kind.of_target)
    }

    /// The target's field that has to name the source's model.
    pub(crate) fn kind_of_target(&self) -> Option<&LinkKind> {
        self.kind().filter(|kind| kind.of_target)
    }

    /// Whether a row of the source finds at most one of the target.
    pub fn is_unique(&self) -> bool {
        self.target.key_is(&self.to) || self.target.unique_groups().any(|group| group.covers(&self.to))
    }

    /// Whether the rows of the target are found by their key, or by an index over all rows that begins
    /// with one of the link's fields.
    pub fn is_indexed(&self) -> bool {
        let begins = |index: &IndexDef| {
            index.condition.is_none() && index.fields.first().is_some_and(|(field, _)| self.to.contains(field))
        };
        self.target.key_is(&self.to) || self.target.indexes().iter().any(begins)
    }
}

impl PartialEq for Link {
    fn eq(&self, other: &Self) -> bool {
        self.source.id() == other.source.id()
            && self.target.id() == other.target.id()
            && self.from == other.from
            && self.to == other.to
            && self.kind == other.kind
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // names, not definitions: models may be linked in a circle
        f.debug_struct("Link")
            .field("source", self.source.name())
            .field("target", self.target.name())
            .field("from", &self.from)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

/// A relation whose references are found: one link to the target, or two by way of a link model.
#[derive(Clone, Debug)]
pub struct Route {
    /// The relation's name.
    pub name: Arc<str>,
    /// How many rows it leads to.
    pub cardinality: Cardinality,
    /// The link from the owner: to the target, or to the link model.
    pub first: Arc<Link>,
    /// The link from the link model to the target.
    pub second: Option<Arc<Link>>,
}

impl Route {
    /// The model whose rows are found.
    pub fn target(&self) -> &Arc<ModelDef> {
        self.second.as_ref().unwrap_or(&self.first).target()
    }

    /// The model whose rows find others.
    pub fn source(&self) -> &Arc<ModelDef> {
        self.first.source()
    }
}

impl RelationDef {
    /// A relation to a model, over the only reference between the two.
    pub fn new(name: impl Into<Arc<str>>, cardinality: Cardinality, target: ReferenceTarget) -> Self {
        RelationDef { name: name.into(), cardinality, target, through: None, by: Vec::new() }
    }

    /// The same relation, by way of a link model.
    pub fn through(mut self, link: ReferenceTarget) -> Self {
        self.through = Some(link);
        self
    }

    /// The same relation, over the reference that these fields hold.
    pub fn by<'a>(mut self, fields: impl IntoIterator<Item = &'a str>) -> Self {
        self.by = fields.into_iter().map(Box::from).collect();
        self
    }

    /// Finds the references behind the relation; models that are known by name alone are looked
    /// for among `models`.
    ///
    /// # Errors
    ///
    /// `Schema` if there is none that fits, or several.
    pub fn resolve(&self, owner: &Arc<ModelDef>, models: &[Arc<ModelDef>]) -> Result<Route> {
        self.find(owner, models)
            .map_err(|problem| Error::schema(format!("`{}`: {problem}", self.name)).with_model(owner.name()))
    }

    fn find(&self, owner: &Arc<ModelDef>, models: &[Arc<ModelDef>]) -> Result<Route, String> {
        let known = |target: &ReferenceTarget| {
            target.resolve(models).cloned().ok_or_else(|| format!("{} is not among the models", target.name()))
        };
        let target = known(&self.target)?;
        let route = |first: Link, second: Option<Link>| Route {
            name: self.name.clone(),
            cardinality: self.cardinality,
            first: Arc::new(first),
            second: second.map(Arc::new),
        };
        if let Some(through) = &self.through {
            let link = known(through)?;
            let (first, second) = self.link_model(owner, &link, &target, models)?;
            return Ok(route(first, Some(second)));
        }
        if self.cardinality != Cardinality::Many
            && let Some(reference) = self.only(owner, &target, models)?
        {
            return Ok(route(Link::of_reference(owner, &target, reference)?, None));
        }
        let Some(reference) = self.only(&target, owner, models)? else {
            return Err(self.no_reference(owner, &target));
        };
        let link = Link::of_reference(&target, owner, reference)?.reversed();
        if self.cardinality != Cardinality::Many && !link.is_unique() {
            return Err(format!(
                "several rows of {} may reference a row of {}: make the reference unique, or write `Many<{0}>`",
                target.name(),
                owner.name()
            ));
        }
        Ok(route(link, None))
    }

    fn no_reference(&self, owner: &ModelDef, target: &ModelDef) -> String {
        let (owner, target) = (owner.name(), target.name());
        match (&*self.by, self.cardinality) {
            ([], Cardinality::Many) => format!(
                "no field of {target} references {owner}: mark one with `references = {owner}`, or name a link model with `through = ..`"
            ),
            ([], _) => format!(
                "no field of {owner} references {target}, nor the other way round: mark one with `references = {target}`"
            ),
            (by, _) => format!("`by = {}` names no reference between {owner} and {target}", by.join(", ")),
        }
    }

    /// The only reference from a model to another, or none.
    fn only<'a>(
        &self,
        from: &'a ModelDef,
        to: &ModelDef,
        models: &[Arc<ModelDef>],
    ) -> Result<Option<&'a ReferenceDef>, String> {
        let found: Vec<&ReferenceDef> = references(from, to, models)
            .filter(|reference| self.by.is_empty() || self.by.iter().any(|by| is_held_by(from, reference, by)))
            .collect();
        match found.as_slice() {
            [] => Ok(None),
            [reference] => Ok(Some(reference)),
            several => {
                let names: Vec<String> =
                    several.iter().map(|reference| format!("`by = {}`", field_names(from, reference))).collect();
                Err(format!(
                    "{} references {} by several fields: say which with {}",
                    from.name(),
                    to.name(),
                    names.join(" or ")
                ))
            }
        }
    }

    /// The links from the owner to the link model, and from there to the target.
    fn link_model(
        &self,
        owner: &Arc<ModelDef>,
        link: &Arc<ModelDef>,
        target: &Arc<ModelDef>,
        models: &[Arc<ModelDef>],
    ) -> Result<(Link, Link), String> {
        let to_owner: Vec<&ReferenceDef> = references(link, owner, models).collect();
        let first = match to_owner.as_slice() {
            [] => return Err(format!("the link model {} does not reference {}", link.name(), owner.name())),
            [only] if self.by.is_empty() => only,
            several => {
                let mut meant =
                    several.iter().filter(|reference| self.by.iter().any(|by| is_held_by(link, reference, by)));
                match (meant.next(), meant.next()) {
                    (Some(reference), None) => reference,
                    _ => {
                        let names: Vec<String> = several
                            .iter()
                            .map(|reference| format!("`by = {}`", field_names(link, reference)))
                            .collect();
                        return Err(format!(
                            "the link model {} references {} by several fields: say which of them holds this row's key with {}",
                            link.name(),
                            owner.name(),
                            names.join(" or ")
                        ));
                    }
                }
            }
        };
        let mut to_target = references(link, target, models).filter(|reference| !std::ptr::eq(*reference, *first));
        let second = match (to_target.next(), to_target.next()) {
            (Some(reference), None) => reference,
            (None, _) => return Err(format!("the link model {} does not reference {}", link.name(), target.name())),
            (Some(_), Some(_)) => {
                return Err(format!("the link model {} references {} by several fields", link.name(), target.name()));
            }
        };
        Ok((Link::of_reference(link, owner, first)?.reversed(), Link::of_reference(link, target, second)?))
    }
}

/// The relations of a model with the references behind them, and the fields that rows are found by.
#[derive(Debug)]
pub struct Routes {
    routes: Vec<Arc<Route>>,
    columns: Vec<KeyFields>,
    column_of: Vec<usize>,
}

/// The fields of a row by which one or more of its relations find others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeyFields {
    /// The fields, with their types.
    pub(crate) fields: Vec<(u16, ValueType)>,
    /// The field that has to have a value, or else the row finds nothing.
    pub(crate) kind: Option<(u16, Box<str>)>,
}

impl Routes {
    pub(super) fn find(model: &Arc<ModelDef>) -> Result<Self> {
        let routes = model.relations().iter().map(|relation| relation.resolve(model, &[]).map(Arc::new));
        Ok(Routes::new(routes.collect::<Result<_>>()?))
    }

    fn new(routes: Vec<Arc<Route>>) -> Self {
        let mut columns: Vec<KeyFields> = Vec::new();
        let column_of = routes.iter().map(|route| {
            let wanted = KeyFields::of(&route.first);
            columns.iter().position(|known| *known == wanted).unwrap_or_else(|| {
                columns.push(wanted);
                columns.len() - 1
            })
        });
        let column_of = column_of.collect();
        Routes { routes, columns, column_of }
    }

    /// The relation at an index.
    pub fn get(&self, index: u16) -> Option<&Arc<Route>> {
        self.routes.get(usize::from(index))
    }

    /// All relations, in the order in which they are declared.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Route>> {
        self.routes.iter()
    }

    /// The distinct lists of fields that rows are found by.
    pub(crate) fn columns(&self) -> &[KeyFields] {
        &self.columns
    }

    /// Which of the lists a relation uses.
    pub(crate) fn column_of(&self, relation: u16) -> Option<usize> {
        self.column_of.get(usize::from(relation)).copied()
    }
}

impl KeyFields {
    fn of(link: &Link) -> Self {
        let of_type = |field: &u16| link.source.field(*field).map(|of| (*field, of.value_type.clone()));
        KeyFields {
            fields: link.from.iter().filter_map(of_type).collect(),
            kind: link.kind.as_ref().filter(|kind| !kind.of_target).map(|kind| (kind.field, kind.value.clone())),
        }
    }
}

/// The references from a model to another.
fn references<'a>(
    from: &'a ModelDef,
    to: &ModelDef,
    models: &[Arc<ModelDef>],
) -> impl Iterator<Item = &'a ReferenceDef> {
    let leads_there =
        |reference: &&ReferenceDef| reference.target.resolve(models).is_some_and(|target| target.id() == to.id());
    from.references().iter().filter(leads_there)
}

fn is_held_by(model: &ModelDef, reference: &ReferenceDef, name: &str) -> bool {
    // the fields of an embedded struct are named by its field too
    let is_named = |field: &str| field == name || field.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    reference.fields.iter().any(|field| is_named(model.field_name(*field)))
}

fn field_names(model: &ModelDef, reference: &ReferenceDef) -> String {
    reference.fields.iter().map(|field| model.field_name(*field)).collect::<Vec<_>>().join(", ")
}
