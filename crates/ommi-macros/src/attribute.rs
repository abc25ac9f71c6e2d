//! What stands in `#[ommi(..)]`, item by item.

pub(crate) mod field;
pub(crate) mod index;
pub(crate) mod model;
pub(crate) mod reference;

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Path, Token, parenthesized, token};

use crate::case::Case;
use crate::problems::Problems;
use crate::spelling;

/// One item: `key`, `name = "x"`, `decimal(10, 2)`.
pub(crate) struct Item {
    word: Ident,
    form: Form,
}

enum Form {
    Word,
    Equals(Box<Expr>),
    List(TokenStream),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word = Ident::parse_any(input)?;
        let form = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            if input.is_empty() || input.peek(Token![,]) {
                return Err(syn::Error::new(word.span(), format!("`{word} =` lacks its value")));
            }
            Form::Equals(input.parse()?)
        } else if input.peek(token::Paren) {
            let list;
            parenthesized!(list in input);
            Form::List(list.parse()?)
        } else {
            Form::Word
        };
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error(format!("expected `,` or the end after `{word}`")));
        }
        Ok(Item { word, form })
    }
}

/// The items of all `#[ommi(..)]` among some attributes.
pub(crate) fn items(attributes: &[Attribute], problems: &mut Problems) -> Vec<Item> {
    let mut items = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("ommi")) {
        let parsed = attribute
            .meta
            .require_list()
            .map_err(|_| syn::Error::new_spanned(attribute, "write `#[ommi(..)]`, with the attributes in parentheses"))
            .and_then(|_| attribute.parse_args_with(Punctuated::<Item, Token![,]>::parse_terminated));
        match parsed {
            Ok(parsed) => items.extend(parsed),
            Err(error) => problems.add(error),
        }
    }
    items
}

/// The attributes that a place takes, for messages about those that it does not.
pub(crate) struct Place {
    /// Where the attributes stand: "a field".
    pub(crate) name: &'static str,
    /// The attributes that are taken.
    pub(crate) known: &'static [&'static str],
    /// Attributes that belong elsewhere, and where.
    pub(crate) elsewhere: &'static [(&'static [&'static str], &'static str)],
}

impl Place {
    fn unknown(&self, item: &Item, problems: &mut Problems) {
        let word = item.name();
        let elsewhere = self.elsewhere.iter().find(|(words, _)| words.contains(&&*word));
        let message = match (elsewhere, spelling::suggestion(&word, self.known)) {
            (Some((_, place)), _) => format!("`{word}` belongs {place}, not on {}", self.name),
            (None, Some(meant)) => format!("unknown attribute `{word}`; did you mean `{meant}`?"),
            (None, None) => format!("unknown attribute `{word}`"),
        };
        let known = match self.known.is_empty() {
            true => format!("{} takes no attributes", self.name),
            false => format!("{} takes {}", self.name, spelling::list(self.known)),
        };
        problems.report(item.span(), format!("{message}\n{known}"));
    }
}

/// Goes through items and reports those that are unknown or given twice.
///
/// `accept` says whether it knows an item. Items named in `repeatable` may be given several times.
pub(crate) fn read(
    items: &[Item],
    place: &Place,
    repeatable: &[&str],
    problems: &mut Problems,
    mut accept: impl FnMut(&str, &Item, &mut Problems) -> bool,
) {
    let mut seen = Vec::new();
    for item in items {
        let name = item.name();
        if seen.contains(&name) && !repeatable.contains(&&*name) {
            problems.report(item.span(), format!("`{name}` is given twice"));
            continue;
        }
        if !accept(&name, item, problems) {
            place.unknown(item, problems);
        }
        seen.push(name);
    }
}

impl Item {
    /// The item's word, without the mark of a raw identifier.
    pub(crate) fn name(&self) -> String {
        self.word.unraw().to_string()
    }

    /// The place of the item's word.
    pub(crate) fn span(&self) -> Span {
        self.word.span()
    }

    /// The place of the item, if it is a lone word.
    pub(crate) fn flag(&self, problems: &mut Problems) -> Option<Span> {
        if !matches!(self.form, Form::Word) {
            problems.report(self.span(), format!("`{}` takes no value: write it alone", self.word));
        }
        Some(self.span())
    }

    /// Whether the item is a lone word.
    pub(crate) fn is_word(&self) -> bool {
        matches!(self.form, Form::Word)
    }

    /// The expression after `=`; `example` shows what to write.
    pub(crate) fn expr(&self, example: &str, problems: &mut Problems) -> Option<&Expr> {
        match &self.form {
            Form::Equals(expr) => Some(expr),
            _ => {
                problems.report(self.span(), format!("`{}` needs a value: write `{example}`", self.word));
                None
            }
        }
    }

    /// The text after `=`.
    pub(crate) fn text(&self, example: &str, problems: &mut Problems) -> Option<LitStr> {
        match self.expr(example, problems)? {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.clone()),
            other => {
                problems.report_in(other, format!("expected a text in quotes: write `{example}`"));
                None
            }
        }
    }

    /// The stored name after `=`.
    pub(crate) fn stored_name(&self, example: &str, problems: &mut Problems) -> Option<LitStr> {
        let text = self.text(example, problems)?;
        if text.value().is_empty() || text.value().contains('\0') {
            problems.report(text.span(), "a name cannot be empty or hold a NUL character");
            return None;
        }
        Some(text)
    }

    /// The case after `=`.
    pub(crate) fn case(&self, problems: &mut Problems) -> Option<Case> {
        let text = self.text("rename_all = \"camelCase\"", problems)?;
        let case = Case::from_name(&text.value());
        if case.is_none() {
            let names = spelling::list(Case::names());
            problems.report(text.span(), format!("unknown case {:?}: `rename_all` takes {names}", text.value()));
        }
        case
    }

    /// The path after `=`.
    pub(crate) fn path(&self, example: &str, problems: &mut Problems) -> Option<&Path> {
        match self.expr(example, problems)? {
            Expr::Path(path) if path.qself.is_none() => Some(&path.path),
            other => {
                problems.report_in(other, format!("expected a name: write `{example}`"));
                None
            }
        }
    }

    /// The paths in parentheses after `=`, if that is what stands there: `references = (Post, Photo)`.
    pub(crate) fn paths(&self) -> Option<Vec<Path>> {
        let Form::Equals(expr) = &self.form else { return None };
        let Expr::Tuple(tuple) = &**expr else { return None };
        let path = |element: &Expr| match element {
            Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
            _ => None,
        };
        tuple.elems.iter().map(path).collect::<Option<Vec<_>>>().filter(|paths| !paths.is_empty())
    }

    /// The single name after `=`.
    pub(crate) fn ident(&self, example: &str, problems: &mut Problems) -> Option<&Ident> {
        let path = self.path(example, problems)?;
        let ident = path.get_ident();
        if ident.is_none() {
            problems.report_in(path, format!("expected a single name: write `{example}`"));
        }
        ident
    }

    /// What stands in the parentheses, parsed.
    pub(crate) fn list<T>(
        &self,
        example: &str,
        problems: &mut Problems,
        parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
    ) -> Option<T> {
        let Form::List(tokens) = &self.form else {
            problems.report(self.span(), format!("`{}` needs parentheses: write `{example}`", self.word));
            return None;
        };
        // an error at the end of the list has no token to stand at
        let parse = |input: ParseStream<'_>| match input.is_empty() {
            true => Err(syn::Error::new(self.span(), format!("`{}(..)` is empty: write `{example}`", self.word))),
            false => parse(input),
        };
        parse.parse2(tokens.clone()).map_err(|error| problems.add(error)).ok()
    }
}
