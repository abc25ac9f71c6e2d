//! A struct with named fields: what models and embedded structs have in common.

pub(crate) mod constants;
pub(crate) mod definition;
pub(crate) mod rows;

use std::collections::HashMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, LitStr, Type, Visibility};

use crate::attribute::Place;
use crate::attribute::field::{FieldAttributes, Form};
use crate::case::Case;
use crate::paths::Paths;
use crate::problems::Problems;
use crate::types;

/// A field of a struct.
pub(crate) struct Field<'a> {
    /// The field as written.
    pub(crate) ident: &'a Ident,
    /// Its name, without the mark of a raw identifier.
    pub(crate) name: String,
    pub(crate) visibility: &'a Visibility,
    pub(crate) of: &'a Type,
    pub(crate) attributes: FieldAttributes,
    /// The stored name.
    pub(crate) stored: LitStr,
    /// The constant's name.
    pub(crate) constant: Ident,
}

impl Field<'_> {
    /// Whether the field is stored as one value of its own type.
    pub(crate) fn is_value(&self) -> bool {
        self.attributes.form == Form::Value
    }

    /// The type without `Option`.
    pub(crate) fn plain(&self) -> &Type {
        types::plain(self.of)
    }

    /// Whether the type is visibly an `Option`.
    pub(crate) fn is_optional(&self) -> bool {
        types::option(self.of).is_some()
    }
}

/// A struct with named fields.
pub(crate) struct Record<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) fields: Vec<Field<'a>>,
}

impl<'a> Record<'a> {
    /// Reads the fields of a struct and their attributes.
    pub(crate) fn read(
        input: &'a DeriveInput,
        fields: &'a Fields,
        rename_all: Option<Case>,
        place: &Place,
        problems: &mut Problems,
    ) -> Self {
        let fields = fields
            .iter()
            .filter_map(|field| {
                let ident = field.ident.as_ref()?;
                let name = ident.unraw().to_string();
                let mut attributes = FieldAttributes::read(&field.attrs, place, problems);
                if attributes.form == Form::Value && types::is_relation(&field.ty) {
                    attributes.form = Form::Relation;
                    for (name, span) in attributes.of_stored.drain(..) {
                        let message = format!("`{name}` is for stored fields, and a relation is not stored: it takes `through`, `by` and `constant`");
                        problems.report(span, message);
                    }
                } else if let Some(span) = attributes.through.as_ref().map(|(_, span)| *span).or(attributes.by.as_ref().map(Ident::span)) {
                    problems.report(span, "`through` and `by` are for relations, fields of the type `One<..>` or `Many<..>`");
                }
                let stored = attributes.name.clone().unwrap_or_else(|| {
                    LitStr::new(&rename_all.map_or_else(|| name.clone(), |case| case.apply(&name)), ident.span())
                });
                let constant = constants::name(ident, &name, &attributes, problems);
                Some(Field { ident, name, visibility: &field.vis, of: &field.ty, attributes, stored, constant })
            })
            .collect();
        let record = Record { ident: &input.ident, fields };
        record.check_types(problems);
        record.check_stored_names(problems);
        record.check_constants(problems);
        if record.stored().next().is_none() {
            problems.report(record.ident.span(), format!("`{}` has no fields to store", record.ident));
        }
        record
    }

    /// The fields that are stored.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| !matches!(field.attributes.form, Form::Skip | Form::Relation))
    }

    /// The fields that lead to rows of other models, with their indexes.
    pub(crate) fn relations(&self) -> impl Iterator<Item = (u16, &Field<'a>)> {
        (0..).zip(self.fields.iter().filter(|field| field.attributes.form == Form::Relation))
    }

    /// The stored fields of one value each.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| field.is_value())
    }

    /// The field of a name.
    pub(crate) fn field(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The index of a stored field, as an expression: embedded structs before it take as many
    /// indexes as they have fields, which only the compiler knows.
    pub(crate) fn index(&self, field: &Field<'_>, paths: &Paths) -> TokenStream {
        self.count(self.stored().take_while(|other| other.name != field.name), paths)
    }

    /// How many values are stored, as an expression.
    pub(crate) fn count<'b>(&self, fields: impl Iterator<Item = &'b Field<'a>>, paths: &Paths) -> TokenStream
    where
        'a: 'b,
    {
        let mut known = 0u16;
        let mut embedded = Vec::new();
        for field in fields {
            match field.attributes.form {
                Form::Embed => embedded.push(paths.of(field.plain(), "EmbeddedStruct")),
                _ => known = known.saturating_add(1),
            }
        }
        quote!(#known #(+ #embedded::FIELDS)*)
    }

    fn check_types(&self, problems: &mut Problems) {
        for field in &self.fields {
            let of = field.of;
            match field.attributes.form {
                Form::Value | Form::Embed => {
                    if let Some(advice) = types::advice(of) {
                        problems.report_in(of, advice);
                    }
                }
                Form::Json if types::option(of).is_some_and(|inner| types::option(inner).is_some()) => {
                    let message = "an `Option` of an `Option` cannot be stored, because there is only one null: write a single `Option`";
                    problems.report_in(of, message);
                }
                Form::Json | Form::Skip | Form::Relation => {}
            }
        }
    }

    fn check_stored_names(&self, problems: &mut Problems) {
        let mut seen: HashMap<String, &Field<'_>> = HashMap::new();
        for field in self.stored() {
            let Some(other) = seen.insert(field.stored.value().to_lowercase(), field) else { continue };
            let (name, stored) = (&field.name, field.stored.value());
            let difference = match stored == other.stored.value() {
                true => format!("the stored name `{stored}`"),
                false => format!("stored names that differ only by case, `{}` and `{stored}`", other.stored.value()),
            };
            let message = format!(
                "`{}` and `{name}` have {difference}: give one of them another with `#[ommi(name = \"..\")]`",
                other.name
            );
            problems.report(field.stored.span(), message);
        }
    }

    fn check_constants(&self, problems: &mut Problems) {
        let mut seen: HashMap<String, &Field<'_>> = HashMap::new();
        for field in self.stored().chain(self.relations().map(|(_, field)| field)) {
            if let Some(other) = seen.insert(field.constant.to_string(), field) {
                let message = format!(
                    "`{}` and `{}` both get the constant `{}`: give one of them another with `#[ommi(constant = ..)]`",
                    other.name, field.name, field.constant
                );
                problems.report(field.ident.span(), message);
            }
        }
    }
}

/// The named fields of a struct, or why `what` cannot be made of the input.
pub(crate) fn named_fields<'a>(input: &'a DeriveInput, what: &str) -> syn::Result<&'a Fields> {
    let ident = &input.ident;
    let refused = |span: Span, found: &str, mend: &str| {
        Err(syn::Error::new(span, format!("`{ident}` is {found}, and {what} is a struct with named fields{mend}")))
    };
    match &input.data {
        Data::Enum(_) => refused(ident.span(), "an enum", "; an enum that a field holds has `#[derive(Value)]`"),
        Data::Union(_) => refused(ident.span(), "a union", ""),
        Data::Struct(of) => match &of.fields {
            Fields::Unnamed(_) => refused(ident.span(), "a tuple struct", ""),
            Fields::Unit => refused(ident.span(), "a struct without fields", ""),
            fields @ Fields::Named(_) => Ok(fields),
        },
    }
}

/// Reports generic parameters.
pub(crate) fn refuse_generics(input: &DeriveInput, problems: &mut Problems) {
    if let Some(first) = input.generics.params.first() {
        let message =
            format!("`{}` has generic parameters, and what is stored has none: write the concrete types", input.ident);
        problems.report_in(first, message);
    }
}
