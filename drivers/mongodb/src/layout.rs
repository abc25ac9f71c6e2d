//! Where the fields of a model lie in its documents.

use ommi_core::model::{FieldDef, ModelDef};
use ommi_core::value::ValueType;

use crate::name;

/// What stands behind the name of a date for its microseconds.
const MICROS: &str = "$us";

/// Where the fields of a model lie in its documents.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The place of each field, in the order of the definition.
    pub(crate) places: Vec<Place>,
    /// The members of documents, in the order in which they are written.
    pub(crate) members: Vec<Member>,
}

/// Where a field lies.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The names on the way to it.
    pub(crate) path: Vec<Box<str>>,
    /// The path with dots.
    pub(crate) dotted: Box<str>,
    /// The dotted path of the microseconds, for a date with a time.
    pub(crate) micros: Option<Box<str>>,
}

/// A member of a document.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: Box<str>,
    pub(crate) holds: Holds,
}

/// What a member holds.
#[derive(Clone, Debug)]
pub(crate) enum Holds {
    /// The field at an index.
    Field(usize),
    /// The microseconds of the field at an index.
    Micros(usize),
    /// A document.
    Document(Vec<Member>),
}

/// Whether values of the type are a date and microseconds.
pub(crate) fn is_moment(value_type: &ValueType) -> bool {
    matches!(value_type, ValueType::DateTime | ValueType::Timestamp)
}

/// Whether the key is a document: it has several fields, or a date and its microseconds.
pub(crate) fn has_key_document(model: &ModelDef) -> bool {
    match model.key() {
        [only] => model.field(*only).is_some_and(|field| is_moment(&field.value_type)),
        fields => fields.len() > 1,
    }
}

fn stored_path(field: &FieldDef) -> Vec<Box<str>> {
    field.path.iter().map(|part| name::field(part).into()).collect()
}

impl Layout {
    /// The layout of a model's documents.
    pub(crate) fn of(model: &ModelDef) -> Layout {
        let has_key_document = has_key_document(model);
        let mut places = Vec::with_capacity(model.fields().len());
        for (index, field) in (0..).zip(model.fields()) {
            let own = stored_path(field);
            let path = match (model.is_key(index), has_key_document) {
                (true, false) => vec!["_id".into()],
                // the parts of a key lie side by side, wherever the struct has them
                (true, true) => vec!["_id".into(), own.join(".").replace('.', "%2E").into()],
                (false, _) => own,
            };
            let dotted: Box<str> = path.join(".").into();
            let micros = is_moment(&field.value_type).then(|| format!("{dotted}{MICROS}").into());
            places.push(Place { path, dotted, micros });
        }
        let mut layout = Layout { places, members: Vec::new() };
        let mut order: Vec<usize> = model.key().iter().map(|index| usize::from(*index)).collect();
        order.sort_by(|left, right| layout.place(*left).path.cmp(&layout.place(*right).path));
        order.extend((0..layout.places.len()).filter(|index| !order.contains(index)).collect::<Vec<_>>());
        for index in order {
            let place = layout.place(index).clone();
            insert(&mut layout.members, &place.path, index, place.micros.is_some());
        }
        layout
    }

    fn place(&self, index: usize) -> &Place {
        static NOWHERE: std::sync::LazyLock<Place> =
            std::sync::LazyLock::new(|| Place { path: vec!["".into()], dotted: "".into(), micros: None });
        self.places.get(index).unwrap_or(&NOWHERE)
    }

    /// The place of a field.
    pub(crate) fn field(&self, index: u16) -> &Place {
        self.place(usize::from(index))
    }
}

fn insert(members: &mut Vec<Member>, path: &[Box<str>], index: usize, has_micros: bool) {
    match path {
        [] => {}
        [name] => {
            members.push(Member { name: name.clone(), holds: Holds::Field(index) });
            if has_micros {
                members.push(Member { name: format!("{name}{MICROS}").into(), holds: Holds::Micros(index) });
            }
        }
        [name, rest @ ..] => {
            let found = members.iter_mut().find_map(|member| match &mut member.holds {
                Holds::Document(inner) if member.name == *name => Some(inner),
                _ => None,
            });
            match found {
                Some(inner) => insert(inner, rest, index, has_micros),
                None => {
                    let mut inner = Vec::new();
                    insert(&mut inner, rest, index, has_micros);
                    members.push(Member { name: name.clone(), holds: Holds::Document(inner) });
                }
            }
        }
    }
}
