//! Enums without data, stored as text or as integers.

use std::collections::HashMap;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{DataEnum, DeriveInput, Expr, ExprLit, Fields, Ident, Lit, LitStr, Path, Variant};

use crate::attribute::{Place, items, read};
use crate::case::Case;
use crate::paths::Paths;
use crate::problems::Problems;
use crate::record::refuse_generics;

const PLACE: Place = Place {
    name: "an enum",
    known: &["integer", "rename_all", "name", "crate"],
    elsewhere: &[(&["rename"], "on a variant")],
};
const ON_VARIANT: Place =
    Place { name: "a variant", known: &["rename"], elsewhere: &[(&["integer", "rename_all", "crate"], "on the enum")] };

#[derive(Default)]
struct EnumAttributes {
    integer: Option<Span>,
    rename_all: Option<(Option<Case>, Span)>,
    name: Option<LitStr>,
    facade: Option<Path>,
}

struct StoredVariant<'a> {
    ident: &'a Ident,
    text: LitStr,
}

/// The implementation of `Value` for an enum.
pub(super) fn derive(input: &DeriveInput, of: &DataEnum) -> syn::Result<TokenStream> {
    let mut problems = Problems::default();
    refuse_generics(input, &mut problems);
    let attributes = read_attributes(input, &mut problems);
    if of.variants.is_empty() {
        problems.report(input.ident.span(), format!("`{}` has no variants to store", input.ident));
    }
    let variants: Vec<_> =
        of.variants.iter().map(|variant| read_variant(input, variant, &attributes, &mut problems)).collect();
    check_texts(&variants, &mut problems);
    problems.check()?;
    let paths = Paths::new(attributes.facade.as_ref());
    let stored = match attributes.integer {
        Some(_) => as_integer(&input.ident, &variants, &paths),
        None => as_text(&input.ident, attributes.name.as_ref(), &variants, &paths),
    };
    let (owner, value, element) = (&input.ident, paths.item("Value"), paths.item("Element"));
    Ok(quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #value for #owner {
            type Plain = Self;
            type Wrap<W: #value> = W;
            #stored
        }
        #[automatically_derived]
        impl #element for #owner {}
    })
}

fn read_attributes(input: &DeriveInput, problems: &mut Problems) -> EnumAttributes {
    let mut attributes = EnumAttributes::default();
    let items = items(&input.attrs, problems);
    read(&items, &PLACE, &[], problems, |name, item, problems| {
        match name {
            "integer" => attributes.integer = item.flag(problems),
            "rename_all" => attributes.rename_all = Some((item.case(problems), item.span())),
            "name" => attributes.name = item.stored_name("name = \"Name\"", problems),
            "crate" => attributes.facade = item.path("crate = some::path", problems).cloned(),
            _ => return false,
        }
        true
    });
    if let (Some(_), Some((_, span))) = (attributes.integer, attributes.rename_all) {
        problems.report(span, "an enum that is stored as `integer` has no texts to rename");
    }
    attributes
}

fn read_variant<'a>(
    input: &DeriveInput,
    variant: &'a Variant,
    attributes: &EnumAttributes,
    problems: &mut Problems,
) -> StoredVariant<'a> {
    let ident = &variant.ident;
    if !matches!(variant.fields, Fields::Unit) {
        let message = format!(
            "`{}::{ident}` holds data, and only enums without data are values: store the field with `#[ommi(json)]`",
            input.ident
        );
        problems.report_in(&variant.fields, message);
    }
    if let (Some(_), Some((_, Expr::Lit(ExprLit { lit: Lit::Int(number), .. })))) =
        (attributes.integer, &variant.discriminant)
        && number.base10_parse::<i64>().is_err()
    {
        problems.report(number.span(), format!("{number} does not fit the 64-bit integer that stores it"));
    }
    let name = ident.unraw().to_string();
    let case = attributes.rename_all.and_then(|(case, _)| case);
    let mut text = LitStr::new(&case.map_or_else(|| name.clone(), |case| case.apply(&name)), ident.span());
    let items = items(&variant.attrs, problems);
    read(&items, &ON_VARIANT, &[], problems, |name, item, problems| {
        if name != "rename" {
            return false;
        }
        if attributes.integer.is_some() {
            problems.report(item.span(), "an enum that is stored as `integer` has no texts to rename");
        }
        if let Some(renamed) = item.stored_name("rename = \"stored\"", problems) {
            text = renamed;
        }
        true
    });
    StoredVariant { ident, text }
}

fn check_texts(variants: &[StoredVariant<'_>], problems: &mut Problems) {
    let mut seen: HashMap<String, &Ident> = HashMap::new();
    for StoredVariant { ident, text } in variants {
        if let Some(other) = seen.insert(text.value(), ident) {
            let message = format!(
                "`{other}` and `{ident}` are both stored as {:?}: give one of them another `rename`",
                text.value()
            );
            problems.report(text.span(), message);
        }
    }
}

fn as_text(owner: &Ident, name: Option<&LitStr>, variants: &[StoredVariant<'_>], paths: &Paths) -> TokenStream {
    let [kind, value_type, enum_type, cell, result, unknown] =
        ["kind", "ValueType", "EnumType", "Cell", "Result", "unknown_variant"].map(|name| paths.item(name));
    let name = name.map_or_else(|| owner.unraw().to_string(), LitStr::value);
    let idents: Vec<_> = variants.iter().map(|variant| variant.ident).collect();
    let texts: Vec<_> = variants.iter().map(|variant| &variant.text).collect();
    let expected = format!("the text of a variant of `{owner}`");
    quote! {
        type Kind = #kind::Enumeration;
        fn value_type() -> #value_type {
            static OMMI_TYPE: ::std::sync::LazyLock<::std::sync::Arc<#enum_type>> =
                ::std::sync::LazyLock::new(|| ::std::sync::Arc::new(#enum_type::new(#name, &[#(#texts),*])));
            #value_type::Enum(::core::clone::Clone::clone(&*OMMI_TYPE))
        }
        fn cell(&self) -> #cell<'_> {
            #cell::Text(match self { #(Self::#idents => #texts),* })
        }
        fn decode(cell: #cell<'_>) -> #result<Self> {
            ::core::result::Result::Ok(match cell {
                #(#cell::Text(#texts) => Self::#idents,)*
                #cell::Text(other) => {
                    return ::core::result::Result::Err(#unknown(other, ::core::iter::IntoIterator::into_iter([#(#texts),*])));
                }
                other => return ::core::result::Result::Err(other.mismatch(#expected)),
            })
        }
    }
}

fn as_integer(owner: &Ident, variants: &[StoredVariant<'_>], paths: &Paths) -> TokenStream {
    let [kind, value_type, cell, result, unknown] =
        ["kind", "ValueType", "Cell", "Result", "unknown_number"].map(|name| paths.item(name));
    let name = owner.unraw().to_string();
    let idents: Vec<_> = variants.iter().map(|variant| variant.ident).collect();
    let expected = format!("the number of a variant of `{owner}`");
    quote! {
        type Kind = #kind::Integer;
        fn value_type() -> #value_type {
            #value_type::I64
        }
        fn cell(&self) -> #cell<'_> {
            #cell::Int(match self { #(Self::#idents => Self::#idents as i64),* })
        }
        fn decode(cell: #cell<'_>) -> #result<Self> {
            ::core::result::Result::Ok(match cell {
                #(#cell::Int(number) if number == Self::#idents as i64 => Self::#idents,)*
                #cell::Int(other) => return ::core::result::Result::Err(#unknown(other, #name)),
                other => return ::core::result::Result::Err(other.mismatch(#expected)),
            })
        }
    }
}
