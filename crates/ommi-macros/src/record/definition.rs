//! The definitions of fields.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Expr, ExprLit, Lit};

use super::{Field, Record};
use crate::attribute::field::Form;
use crate::paths::{Paths, place};
use crate::types;

/// The definition of a field that is stored as one value.
pub(crate) fn field(field: &Field<'_>, paths: &Paths) -> TokenStream {
    let (name, stored, attributes) = (&field.name, &field.stored, &field.attributes);
    let def = paths.item("FieldDef");
    let mut tokens = match attributes.form {
        Form::Json => {
            let value_type = paths.item("ValueType");
            let nullable = field.is_optional().then(|| quote!(.nullable(true)));
            quote!(#def::new(#name, #value_type::Json) #nullable)
        }
        _ => {
            let value = paths.of(field.of, "Value");
            let nullable = match () {
                () if field.is_optional() => quote!(.nullable(true)),
                () if types::is_exact(field.of) => TokenStream::new(),
                () => quote!(.nullable(#value::NULLABLE)),
            };
            quote!(#def::new(#name, #value::value_type()) #nullable)
        }
    };
    if stored.value() != *name {
        tokens.extend(quote!(.stored_as(#stored)));
    }
    for (is_set, method) in [
        (attributes.auto, quote!(.auto())),
        (attributes.version, quote!(.version())),
        (attributes.created, quote!(.created())),
        (attributes.updated, quote!(.updated())),
    ] {
        if is_set.is_some() {
            tokens.extend(method);
        }
    }
    if let Some(default) = &attributes.default {
        let datum = datum(field, default, paths);
        tokens.extend(quote!(.default_to(#datum)));
    }
    if let Some((precision, scale)) = &attributes.decimal {
        let digits = paths.of(field.of, "HasDigits");
        tokens = quote!(#digits::sized(#tokens, #precision, #scale));
    }
    if let Some(max_length) = &attributes.max_length {
        let length = paths.of(field.of, "HasLength");
        tokens = quote!(#length::limited(#tokens, #max_length));
    }
    tokens
}

/// A default as an owned value; a literal text may stand for any type that is made of texts.
fn datum(field: &Field<'_>, default: &Expr, paths: &Paths) -> TokenStream {
    let (of, value) = (field.of, paths.of(field.of, "Value"));
    match default {
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => {
            let trait_item = paths.item("Value");
            let text = quote_spanned!(place(default)=> ::core::convert::From::<&str>::from(#default));
            quote!(<#value::Plain as #trait_item>::into_datum(#text))
        }
        _ => quote!({
            let value: #of = #default;
            #value::into_datum(value)
        }),
    }
}

/// Assertions that optional embedded structs can be told from structs of nulls.
pub(crate) fn assertions(record: &Record<'_>, paths: &Paths) -> TokenStream {
    let optional = record.stored().filter(|field| field.attributes.form == Form::Embed && field.is_optional());
    optional
        .map(|field| {
            let embedded = paths.of(field.plain(), "EmbeddedStruct");
            let message = format!(
                "`{}` is an optional embedded struct without a field that is never null, so `None` could not be told from a struct of nulls: give it such a field, or store it with `#[ommi(json)]`",
                field.name
            );
            quote_spanned!(place(field.of)=> const _: () = ::core::assert!(#embedded::HAS_REQUIRED, #message);)
        })
        .collect()
}

/// All fields, as a vector for an embedded struct.
pub(crate) fn vector(record: &Record<'_>, paths: &Paths) -> TokenStream {
    let nested = record.stored().any(|field| field.attributes.form == Form::Embed);
    if !nested {
        let fields = record.stored().map(|one| field(one, paths));
        return quote!(::std::vec![#(#fields),*]);
    }
    let adding = record.stored().map(|one| adding(one, paths));
    let builder = paths.item("ModelBuilder");
    let name = record.ident.to_string();
    quote!(#builder::new(#name) #(#adding)* .into_fields())
}

/// Whether a field is never null, as an expression.
pub(crate) fn has_required(record: &Record<'_>, paths: &Paths) -> TokenStream {
    let required = record.stored().filter(|field| !field.is_optional()).map(|field| match field.attributes.form {
        Form::Embed => {
            let embedded = paths.of(field.of, "EmbeddedStruct");
            quote!(#embedded::HAS_REQUIRED)
        }
        Form::Value if !types::is_exact(field.of) => {
            let value = paths.of(field.of, "Value");
            quote!(!#value::NULLABLE)
        }
        _ => quote!(true),
    });
    quote!(false #(|| #required)*)
}

/// The call that adds a field to a model's builder.
pub(crate) fn adding(one: &Field<'_>, paths: &Paths) -> TokenStream {
    match one.attributes.form {
        Form::Skip | Form::Relation => TokenStream::new(),
        Form::Embed => {
            let (name, stored, optional) = (&one.name, &one.stored, one.is_optional());
            let fields = paths.of(one.plain(), "EmbeddedStruct");
            quote!(.embed(#name, #stored, #optional, #fields::fields()))
        }
        Form::Value | Form::Json => {
            let field = field(one, paths);
            quote!(.field(#field))
        }
    }
}
