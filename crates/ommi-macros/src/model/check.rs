//! Rules that concern a model as a whole.

use super::ModelInput;
use crate::attribute::field::Form;
use crate::attribute::index::FieldName;
use crate::attribute::reference::{Action, ReferenceOptions};
use crate::problems::Problems;
use crate::record::Field;
use crate::spelling;
use crate::types;

impl ModelInput<'_> {
    /// Reports what is wrong with the model as a whole.
    pub(super) fn check(&self, problems: &mut Problems) {
        self.check_key(problems);
        self.check_autos(problems);
        self.check_versions(problems);
        self.check_indexes(problems);
        self.check_references(problems);
        self.check_check_names(problems);
    }

    fn check_key(&self, problems: &mut Problems) {
        let ident = self.record.ident;
        let marked = self.record.fields.iter().any(|field| field.attributes.key.is_some());
        match self.attributes.read_only {
            None if !marked => problems.report(
                ident.span(),
                format!(
                    "`{ident}` has no key: mark a field with `#[ommi(key)]`, or the struct with `#[ommi(read_only)]` if it is only read"
                ),
            ),
            Some(span) if marked => {
                problems.report(span, format!("`{ident}` has a key and is `read_only`: leave one of them out"));
            }
            _ => {}
        }
        for field in self.key() {
            let attributes = &field.attributes;
            if let Some(span) = attributes.key
                && field.is_optional()
                && attributes.auto.is_none()
            {
                problems.report(span, format!("`{}` is part of the key and cannot be an `Option`", field.name));
            }
            if let ([unique, ..], true) = (attributes.indexes.as_slice(), self.key().count() == 1)
                && unique.unique
                && unique.group.is_none()
            {
                problems
                    .report(unique.span, format!("`{}` is the key and unique already: leave `unique` out", field.name));
            }
        }
    }

    fn check_autos(&self, problems: &mut Problems) {
        for field in self.record.values().filter(|field| types::is_integer(field.plain())) {
            let Some(span) = field.attributes.auto else { continue };
            let name = &field.name;
            if field.attributes.key.is_none() {
                let message =
                    format!("`{name}` is an automatic integer and must be the key: write `#[ommi(key, auto)]`");
                problems.report(span, message);
            } else if self.key().count() > 1 {
                let message = format!(
                    "`{name}` is an automatic integer and must be the whole key: leave `auto` out, or `key` on the other fields"
                );
                problems.report(span, message);
            }
        }
    }

    fn check_versions(&self, problems: &mut Problems) {
        let mut versions = self.record.values().filter_map(|field| Some((field, field.attributes.version?)));
        let Some((first, _)) = versions.next() else { return };
        for (other, span) in versions {
            problems
                .report(span, format!("`{}` and `{}` are both the version: a model has one", first.name, other.name));
        }
    }

    fn check_indexes(&self, problems: &mut Problems) {
        for index in &self.attributes.indexes {
            let what = if index.unique { "unique" } else { "index" };
            for name in &index.fields {
                let Some(field) = self.named(name, what, problems) else { continue };
                let message = match (field.attributes.form, name.name.contains('.')) {
                    (Form::Value, false) | (Form::Embed, true) => continue,
                    (Form::Json, _) => format!("`{}` is stored as JSON, which has no order to index", field.name),
                    (Form::Embed, false) => {
                        format!("`{0}` is an embedded struct: name one of its fields, as `{0}.part`", field.name)
                    }
                    _ => format!("`{}` is not an embedded struct and has no parts", field.name),
                };
                problems.report(name.span, message);
            }
        }
    }

    fn check_references(&self, problems: &mut Problems) {
        for field in self.record.values() {
            check_set_null(&[field], &field.attributes.options, problems);
        }
        for (reference, options) in &self.attributes.references {
            let mut fields = Vec::new();
            for name in &reference.fields {
                match self.named(name, "references", problems) {
                    Some(field) if !field.is_value() => {
                        let message =
                            format!("`{}` is not stored as one value and cannot reference another model", field.name);
                        problems.report(name.span, message);
                    }
                    Some(field) => fields.push(field),
                    None => {}
                }
            }
            check_set_null(&fields, options, problems);
        }
    }

    fn check_check_names(&self, problems: &mut Problems) {
        for (position, (name, _)) in self.attributes.checks.iter().enumerate() {
            if self.attributes.checks.iter().take(position).any(|(other, _)| other == name) {
                problems.report(name.span(), format!("there are two checks named `{name}`"));
            }
        }
    }

    /// The stored field of a name in an attribute of the struct.
    fn named(&self, name: &FieldName, what: &str, problems: &mut Problems) -> Option<&Field<'_>> {
        let own = name.own();
        let found = self.record.field(own);
        match found {
            None => {
                let known: Vec<&str> = self.record.stored().map(|field| &*field.name).collect();
                let meant = match spelling::suggestion(own, &known) {
                    Some(meant) => format!("; did you mean `{meant}`?"),
                    None => format!(", which has {}", spelling::list(known)),
                };
                problems.report(
                    name.span,
                    format!("`{what}` names `{own}`, which is no field of `{}`{meant}", self.record.ident),
                );
                None
            }
            Some(field) if field.attributes.form == Form::Skip => {
                problems.report(name.span, format!("`{what}` names `{own}`, which is not stored"));
                None
            }
            found => found,
        }
    }
}

fn check_set_null(fields: &[&Field<'_>], options: &ReferenceOptions, problems: &mut Problems) {
    for (name, action, span) in options.actions() {
        if let (Action::SetNull, Some(field)) = (action, fields.iter().find(|field| !field.is_optional())) {
            let message = format!(
                "`{}` cannot be set to null: make it an `Option`, or choose another action for `{name}`",
                field.name
            );
            problems.report(span, message);
        }
    }
}
