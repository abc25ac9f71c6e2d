//! `unique` and `index`, on a struct.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Expr, Ident, LitStr, Token, parenthesized, token};

/// A name of a field in an attribute of the struct: `city`, or `address.city` in an embedded struct.
pub(crate) struct FieldName {
    /// The name, with dots.
    pub(crate) name: String,
    /// Its place.
    pub(crate) span: Span,
    /// Whether an index has it downwards.
    pub(crate) descending: bool,
}

impl FieldName {
    /// The name before the first dot, which is that of a field of the struct.
    pub(crate) fn own(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }
}

/// `unique(a, b, where = filter)` or `index(a, desc(b), name = "ix")`.
pub(crate) struct Index {
    pub(crate) unique: bool,
    pub(crate) fields: Vec<FieldName>,
    pub(crate) name: Option<LitStr>,
    pub(crate) condition: Option<Expr>,
}

impl Index {
    /// Parses what stands in the parentheses.
    pub(crate) fn parse(unique: bool, span: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        let mut index = Index { unique, fields: Vec::new(), name: None, condition: None };
        while !input.is_empty() {
            let word = Ident::parse_any(input)?;
            if input.peek(Token![=]) {
                input.parse::<Token![=]>()?;
                match &*word.to_string() {
                    "name" if index.name.is_none() => index.name = Some(input.parse()?),
                    "where" if index.condition.is_none() => index.condition = Some(input.parse()?),
                    "name" | "where" => return Err(syn::Error::new(word.span(), format!("`{word}` is given twice"))),
                    _ => {
                        let message = format!("expected fields, `name = \"..\"` or `where = filter`, found `{word} =`");
                        return Err(syn::Error::new(word.span(), message));
                    }
                }
            } else if input.peek(token::Paren) && matches!(&*word.to_string(), "desc" | "asc") {
                let inner;
                parenthesized!(inner in input);
                let first = Ident::parse_any(&inner)?;
                let mut field = field_name(&first, &inner)?;
                if !inner.is_empty() {
                    return Err(inner.error(format!("`{word}(..)` takes one field")));
                }
                field.descending = word == "desc";
                index.fields.push(field);
            } else {
                index.fields.push(field_name(&word, input)?);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        if index.fields.is_empty() {
            return Err(syn::Error::new(span, "name the fields first"));
        }
        for (position, field) in index.fields.iter().enumerate() {
            if index.fields.iter().take(position).any(|other| other.name == field.name) {
                return Err(syn::Error::new(field.span, format!("`{}` is named twice", field.name)));
            }
        }
        Ok(index)
    }
}

fn field_name(first: &Ident, input: ParseStream<'_>) -> syn::Result<FieldName> {
    let mut name = first.unraw().to_string();
    while input.peek(Token![.]) {
        input.parse::<Token![.]>()?;
        name = format!("{name}.{}", Ident::parse_any(input)?.unraw());
    }
    Ok(FieldName { name, span: first.span(), descending: false })
}
