//! The attributes of a model's struct.

use proc_macro2::{Ident, Span};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, LitStr, MetaNameValue, Path, Token};

use super::index::Index;
use super::reference::{CompositeReference, ReferenceOptions};
use super::{Place, items, read};
use crate::case::Case;
use crate::problems::Problems;

const PLACE: Place = Place {
    name: "a model",
    known: &["table", "name", "rename_all", "read_only", "unique", "index", "references", "check", "crate"],
    elsewhere: &[(
        &[
            "key",
            "auto",
            "on_delete",
            "on_update",
            "unenforced",
            "max_length",
            "decimal",
            "default",
            "skip",
            "json",
            "embed",
            "version",
            "created",
            "updated",
            "constant",
        ],
        "on a field",
    )],
};

/// The attributes of a model's struct, as written.
#[derive(Default)]
pub(crate) struct ModelAttributes {
    pub(crate) table: Option<LitStr>,
    pub(crate) name: Option<LitStr>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) read_only: Option<Span>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) references: Vec<(CompositeReference, ReferenceOptions)>,
    pub(crate) checks: Vec<(Ident, Expr)>,
    pub(crate) facade: Option<Path>,
}

impl ModelAttributes {
    /// Reads the attributes of a struct.
    pub(crate) fn read(attributes: &[Attribute], problems: &mut Problems) -> Self {
        let items = items(attributes, problems);
        let mut all = ModelAttributes::default();
        let repeatable = ["unique", "index", "references", "check"];
        read(&items, &PLACE, &repeatable, problems, |name, item, problems| {
            match name {
                "table" => all.table = item.stored_name("table = \"name\"", problems),
                "name" => all.name = item.stored_name("name = \"Name\"", problems),
                "rename_all" => all.rename_all = item.case(problems),
                "read_only" => all.read_only = item.flag(problems),
                "unique" => all
                    .indexes
                    .extend(item.list("unique(a, b)", problems, |input| Index::parse(true, item.span(), input))),
                "index" => all
                    .indexes
                    .extend(item.list("index(a, desc(b))", problems, |input| Index::parse(false, item.span(), input))),
                "references" => {
                    let example = "references((a, b) = Model)";
                    let parsed = item.list(example, problems, |input| CompositeReference::parse(item.span(), input));
                    if let Some(reference) = parsed {
                        let options = options(&reference, problems);
                        all.references.push((reference, options));
                    }
                }
                "check" => {
                    let parsed = item.list(
                        "check(name = Self::AGE.ge(0))",
                        problems,
                        Punctuated::<MetaNameValue, Token![,]>::parse_terminated,
                    );
                    for check in parsed.into_iter().flatten() {
                        match check.path.get_ident() {
                            Some(name) => all.checks.push((name.clone(), check.value)),
                            None => problems.add(syn::Error::new_spanned(check.path, "a check has a single name")),
                        }
                    }
                }
                "crate" => all.facade = item.path("crate = some::path", problems).cloned(),
                _ => return false,
            }
            true
        });
        all
    }
}

fn options(reference: &CompositeReference, problems: &mut Problems) -> ReferenceOptions {
    const PLACE: Place = Place { name: "`references(..)`", known: &super::reference::OPTIONS, elsewhere: &[] };
    let mut options = ReferenceOptions::default();
    read(&reference.options, &PLACE, &[], problems, |name, item, problems| options.accept(name, item, problems));
    options.check(problems);
    options
}
