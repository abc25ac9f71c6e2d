//! `references` and its options.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Path, Token, parenthesized, token};

use super::Item;
use super::index::FieldName;
use crate::problems::Problems;
use crate::spelling;

/// What a reference is to.
pub(crate) enum Target {
    /// The key of a model.
    Key(Path),
    /// A field of a model, by its constant.
    Constant(Path),
    /// Fields of a model, by name.
    Fields(Path, Vec<String>),
}

impl Target {
    /// Tells `Author::ID` from `authors::Author`: a constant is upper case and follows a type.
    pub(crate) fn from_path(path: &Path) -> Target {
        let is_upper = |name: &str| name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase);
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
        match names.as_slice() {
            [.., of, last] if is_upper(last) && of.starts_with(char::is_uppercase) => Target::Constant(path.clone()),
            _ => Target::Key(path.clone()),
        }
    }
}

/// What happens to the referencing rows.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    Cascade,
    Restrict,
    SetNull,
}

impl Action {
    /// The name of the variant of `OnChange`.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Action::Cascade => "Cascade",
            Action::Restrict => "Restrict",
            Action::SetNull => "SetNull",
        }
    }
}

/// The options of a reference.
#[derive(Default)]
pub(crate) struct ReferenceOptions {
    pub(crate) on_delete: Option<(Action, Span)>,
    pub(crate) on_update: Option<(Action, Span)>,
    pub(crate) unenforced: Option<Span>,
}

/// The names of the options.
pub(crate) const OPTIONS: [&str; 3] = ["on_delete", "on_update", "unenforced"];

impl ReferenceOptions {
    /// Takes an item if it is one of the options.
    pub(crate) fn accept(&mut self, name: &str, item: &Item, problems: &mut Problems) -> bool {
        match name {
            "on_delete" => self.on_delete = action(item, problems),
            "on_update" => self.on_update = action(item, problems),
            "unenforced" => self.unenforced = item.flag(problems),
            _ => return false,
        }
        true
    }

    /// The actions that are given, with their names.
    pub(crate) fn actions(&self) -> impl Iterator<Item = (&'static str, Action, Span)> {
        let named = |name, action: Option<(Action, Span)>| action.map(|(action, span)| (name, action, span));
        [named("on_delete", self.on_delete), named("on_update", self.on_update)].into_iter().flatten()
    }

    /// Reports actions of a reference that nobody keeps.
    pub(crate) fn check(&self, problems: &mut Problems) {
        if self.unenforced.is_some() {
            for (name, _, span) in self.actions() {
                problems.report(
                    span,
                    format!("`{name}` does nothing for a reference that is `unenforced`: leave one of them out"),
                );
            }
        }
    }
}

fn action(item: &Item, problems: &mut Problems) -> Option<(Action, Span)> {
    let word = item.ident(&format!("{} = cascade", item.name()), problems)?;
    let action = match &*word.to_string() {
        "cascade" => Action::Cascade,
        "restrict" => Action::Restrict,
        "set_null" => Action::SetNull,
        other => {
            let known = ["cascade", "restrict", "set_null"];
            let meant = spelling::suggestion(other, &known).map(|meant| format!("; did you mean `{meant}`?"));
            let message = format!("unknown action `{other}`{}", meant.unwrap_or_default());
            problems.report(word.span(), format!("{message}\n`{}` takes {}", item.name(), spelling::list(known)));
            return None;
        }
    };
    Some((action, word.span()))
}

/// `references((a, b) = Model(x, y), unenforced)`, on a struct.
pub(crate) struct CompositeReference {
    pub(crate) fields: Vec<FieldName>,
    pub(crate) target: Target,
    pub(crate) options: Vec<Item>,
}

impl CompositeReference {
    /// Parses what stands in the parentheses.
    pub(crate) fn parse(span: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(token::Paren) {
            return Err(
                input.error("expected the referencing fields in parentheses: write `references((a, b) = Model)`")
            );
        }
        let fields: Vec<FieldName> = names(input)?
            .into_iter()
            .map(|ident| FieldName { name: ident.unraw().to_string(), span: ident.span(), descending: false })
            .collect();
        input.parse::<Token![=]>()?;
        let model: Path = input.call(Path::parse_mod_style)?;
        let target = match input.peek(token::Paren) {
            true => Target::Fields(model, names(input)?.iter().map(|ident| ident.unraw().to_string()).collect()),
            false => Target::Key(model),
        };
        if let Target::Fields(_, targets) = &target
            && targets.len() != fields.len()
        {
            let message = format!(
                "there are {} referencing fields and {} referenced ones: name as many on both sides",
                fields.len(),
                targets.len()
            );
            return Err(syn::Error::new(span, message));
        }
        let mut options = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if !input.is_empty() {
                options.push(input.parse()?);
            }
        }
        Ok(CompositeReference { fields, target, options })
    }
}

fn names(input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let list;
    parenthesized!(list in input);
    if list.is_empty() {
        return Err(list.error("name the fields"));
    }
    Ok(Punctuated::<Ident, Token![,]>::parse_terminated_with(&list, Ident::parse_any)?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_constant(text: &str) -> bool {
        matches!(Target::from_path(&syn::parse_str(text).unwrap()), Target::Constant(_))
    }

    #[test]
    fn a_constant_is_told_from_a_model() {
        for text in ["Author::ID", "authors::Author::FULL_NAME", "Self::ID", "URL::ID"] {
            assert!(is_constant(text), "{text}");
        }
        for text in ["Author", "authors::Author", "links::URL", "Self", "m::A"] {
            assert!(!is_constant(text), "{text}");
        }
    }
}
