//! The attributes of a field.

use proc_macro2::{Ident, Span};
use syn::parse::ParseStream;
use syn::{Attribute, Expr, ExprLit, Lit, LitInt, LitStr, Path, Token};

use super::reference::{ReferenceOptions, Target};
use super::{Item, Place, items, read};
use crate::problems::Problems;

/// What a field of a model takes.
pub(crate) const OF_MODEL: Place = Place {
    name: "a field",
    known: &[
        "key",
        "auto",
        "unique",
        "index",
        "references",
        "on_delete",
        "on_update",
        "unenforced",
        "check",
        "max_length",
        "decimal",
        "name",
        "default",
        "skip",
        "json",
        "embed",
        "version",
        "created",
        "updated",
        "through",
        "by",
        "constant",
    ],
    elsewhere: &[(&["table", "rename_all", "read_only", "crate"], "on the struct")],
};

/// What a field of an embedded struct takes.
pub(crate) const OF_EMBEDDED: Place = Place {
    name: "a field of an embedded struct",
    known: &["name", "max_length", "decimal", "default", "json", "embed", "skip", "constant"],
    elsewhere: &[
        (&["table", "rename_all", "crate"], "on the struct"),
        (
            &[
                "key",
                "auto",
                "unique",
                "index",
                "references",
                "on_delete",
                "on_update",
                "unenforced",
                "check",
                "version",
                "created",
                "updated",
                "through",
                "by",
            ],
            "on a field of the model",
        ),
    ],
};

/// `unique` or `index` on a field.
pub(crate) struct FieldIndex {
    pub(crate) unique: bool,
    pub(crate) descending: bool,
    /// The group that the field is in; by itself, where absent.
    pub(crate) group: Option<LitStr>,
    pub(crate) span: Span,
}

/// How a field is stored.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    Value,
    Skip,
    Json,
    Embed,
    /// Not stored: it leads to rows of another model.
    Relation,
}

/// The attributes of a field, as written.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) form: Form,
    pub(crate) key: Option<Span>,
    pub(crate) auto: Option<Span>,
    pub(crate) indexes: Vec<FieldIndex>,
    pub(crate) references: Option<(Target, Span)>,
    /// The models that an enum of keys may reference.
    pub(crate) choices: Vec<Path>,
    pub(crate) options: ReferenceOptions,
    pub(crate) check: Option<Expr>,
    pub(crate) max_length: Option<LitInt>,
    pub(crate) decimal: Option<(LitInt, LitInt)>,
    pub(crate) name: Option<LitStr>,
    pub(crate) default: Option<Expr>,
    pub(crate) version: Option<Span>,
    pub(crate) created: Option<Span>,
    pub(crate) updated: Option<Span>,
    /// The link model between the field's model and the one that it leads to.
    pub(crate) through: Option<(Path, Span)>,
    /// The field that holds the reference, where several could be meant.
    pub(crate) by: Option<Ident>,
    pub(crate) constant: Option<Ident>,
    /// All items but those of a relation, with their places.
    pub(crate) of_stored: Vec<(String, Span)>,
}

impl FieldAttributes {
    /// Reads the attributes of a field.
    pub(crate) fn read(attributes: &[Attribute], place: &Place, problems: &mut Problems) -> Self {
        let items = items(attributes, problems);
        let mut read_so_far = FieldAttributes::default();
        read(&items, place, &["unique", "index"], problems, |name, item, problems| {
            if place.known.contains(&name) && !matches!(name, "through" | "by" | "constant") {
                read_so_far.of_stored.push((name.to_owned(), item.span()));
            }
            place.known.contains(&name) && read_so_far.accept(name, item, problems)
        });
        read_so_far.check_together(&items, problems);
        read_so_far
    }

    fn accept(&mut self, name: &str, item: &Item, problems: &mut Problems) -> bool {
        match name {
            "key" => self.key = item.flag(problems),
            "auto" => self.auto = item.flag(problems),
            "version" => self.version = item.flag(problems),
            "created" => self.created = item.flag(problems),
            "updated" => self.updated = item.flag(problems),
            "skip" => self.store(Form::Skip, item, problems),
            "json" => self.store(Form::Json, item, problems),
            "embed" => self.store(Form::Embed, item, problems),
            "unique" => self.add_index(true, item, problems),
            "index" => self.add_index(false, item, problems),
            "references" => match item.paths() {
                Some(models) => {
                    self.choices = models;
                    self.form = Form::Embed;
                }
                None => {
                    let path = item.path("references = Model", problems);
                    self.references = path.map(|path| (Target::from_path(path), item.span()));
                }
            },
            "check" => self.check = item.expr("check = Self::AGE.ge(0)", problems).cloned(),
            "max_length" => self.max_length = number(item, problems),
            "decimal" => self.decimal = item.list("decimal(10, 2)", problems, digits),
            "name" => self.name = item.stored_name("name = \"stored\"", problems),
            "default" => self.default = item.expr("default = value", problems).cloned(),
            "constant" => self.constant = item.ident("constant = NAME", problems).cloned(),
            "through" => {
                self.through = item.path("through = LinkModel", problems).map(|path| (path.clone(), item.span()))
            }
            "by" => self.by = item.ident("by = author_id", problems).cloned(),
            _ => return self.options.accept(name, item, problems),
        }
        true
    }

    fn store(&mut self, form: Form, item: &Item, problems: &mut Problems) {
        item.flag(problems);
        self.form = form;
    }

    fn add_index(&mut self, unique: bool, item: &Item, problems: &mut Problems) {
        let mut index = FieldIndex { unique, descending: false, group: None, span: item.span() };
        if item.is_list() {
            if unique {
                let message = "`unique(..)` belongs on the struct; on a field write `unique` or `unique = \"group\"`";
                problems.report(item.span(), message);
                return;
            }
            let Some(word) = item.list("index(desc)", problems, |input| input.parse::<Ident>()) else { return };
            index.descending = word == "desc";
            if word != "desc" && word != "asc" {
                let message = "expected `index(desc)`; an index over several fields goes on the struct";
                problems.report(word.span(), message);
            }
        } else if !item.is_word() {
            index.group = item.text(&format!("{} = \"group\"", item.name()), problems);
            if index.group.is_none() {
                return;
            }
        }
        let same = |other: &FieldIndex| {
            other.unique == unique && other.group.as_ref().map(LitStr::value) == index.group.as_ref().map(LitStr::value)
        };
        match self.indexes.iter().any(same) {
            true => problems.report(item.span(), format!("`{}` is given twice", item.name())),
            false => self.indexes.push(index),
        }
    }

    /// Reports attributes that exclude each other or lack one that they need.
    fn check_together(&self, items: &[Item], problems: &mut Problems) {
        let allowed: &[&str] = match self.form {
            Form::Value | Form::Relation => &[],
            Form::Skip => &["skip"],
            Form::Json => &["json", "name", "check", "constant"],
            Form::Embed if !self.choices.is_empty() => &["embed", "name", "constant", "references", "unenforced"],
            Form::Embed => &["embed", "name", "constant"],
        };
        for item in items.iter().filter(|item| !allowed.is_empty() && !allowed.contains(&&*item.name())) {
            let name = item.name();
            if !OF_MODEL.known.contains(&&*name) {
                continue;
            }
            problems.report(item.span(), match self.form {
                Form::Skip => format!("a field with `skip` is not stored and cannot have `{name}`"),
                Form::Json => format!("a field with `json` cannot have `{name}`"),
                _ => format!("a field with `embed` cannot have `{name}`: write it on the fields of the embedded struct, or on this struct with the field as `field.part`"),
            });
        }
        let exclusive = [
            ("version", self.version, "key", self.key),
            ("version", self.version, "auto", self.auto),
            ("created", self.created, "auto", self.auto),
            ("updated", self.updated, "auto", self.auto),
            ("updated", self.updated, "created", self.created),
            ("updated", self.updated, "key", self.key),
        ];
        for (name, span, other, with) in exclusive {
            if let (Some(span), Some(_)) = (span, with) {
                problems.report(span, format!("a field cannot be `{name}` and `{other}` at once"));
            }
        }
        if self.references.is_none() {
            for item in items.iter().filter(|item| super::reference::OPTIONS.contains(&&*item.name())) {
                let name = item.name();
                if !items.iter().any(|item| item.name() == "references") {
                    problems
                        .report(item.span(), format!("`{name}` is an option of `references`, which this field lacks"));
                }
            }
        }
        self.options.check(problems);
    }
}

impl Item {
    /// Whether the item has parentheses.
    fn is_list(&self) -> bool {
        matches!(self.form, super::Form::List(_))
    }
}

fn number(item: &Item, problems: &mut Problems) -> Option<LitInt> {
    let expr = item.expr("max_length = 80", problems)?;
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. })
            if number.base10_parse::<u32>().is_ok_and(|number| number > 0) =>
        {
            Some(number.clone())
        }
        other => {
            problems
                .report_in(other, format!("`{}` takes a number of characters, from 1 to {}", item.name(), u32::MAX));
            None
        }
    }
}

fn digits(input: ParseStream<'_>) -> syn::Result<(LitInt, LitInt)> {
    let wrong = |span| {
        syn::Error::new(
            span,
            "`decimal(..)` takes two numbers, the digits in all and those after the point: `decimal(10, 2)`",
        )
    };
    let span = input.span();
    let precision: LitInt = input.parse().map_err(|error| wrong(error.span()))?;
    input.parse::<Token![,]>().map_err(|_| wrong(span))?;
    let scale: LitInt = input.parse().map_err(|_| wrong(span))?;
    if !input.is_empty() {
        return Err(wrong(input.span()));
    }
    match (precision.base10_parse::<u8>(), scale.base10_parse::<u8>()) {
        (Ok(all @ 1..=28), Ok(after)) if after <= all => Ok((precision, scale)),
        (Ok(1..=28), _) => Err(syn::Error::new(
            scale.span(),
            format!("at most {precision} of {precision} digits can be after the point"),
        )),
        _ => Err(syn::Error::new(precision.span(), "a decimal has 1 to 28 digits")),
    }
}
