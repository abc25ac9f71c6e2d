//! Enums whose variants each hold the key of a row of another model: one field names the model, one
//! holds the key.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{DataEnum, DeriveInput, Fields, Ident, Type};

use crate::attribute::{Place, items, read};
use crate::paths::{Paths, place};
use crate::problems::Problems;
use crate::record::refuse_generics;

const PLACE: Place = Place { name: "an enum of keys", known: &["crate"], elsewhere: &[] };
const ON_VARIANT: Place = Place { name: "a variant that holds a key", known: &[], elsewhere: &[] };

/// Whether an enum is one of keys: each of its variants holds one unnamed value.
pub(super) fn is_choice(of: &DataEnum) -> bool {
    !of.variants.is_empty()
        && of
            .variants
            .iter()
            .all(|variant| matches!(&variant.fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1))
}

/// The constants of an enum of keys and its implementation of `EmbeddedStruct`.
pub(super) fn derive(input: &DeriveInput, of: &DataEnum) -> syn::Result<TokenStream> {
    let mut problems = Problems::default();
    refuse_generics(input, &mut problems);
    let mut facade = None;
    read(&items(&input.attrs, &mut problems), &PLACE, &[], &mut problems, |name, item, problems| {
        let known = name == "crate";
        if known {
            facade = item.path("crate = some::path", problems).cloned();
        }
        known
    });
    let mut variants: Vec<(&Ident, &Type)> = Vec::new();
    for variant in &of.variants {
        read(&items(&variant.attrs, &mut problems), &ON_VARIANT, &[], &mut problems, |_, _, _| false);
        variants.extend(variant.fields.iter().map(|field| (&variant.ident, &field.ty)));
    }
    problems.check()?;
    Ok(expand(&input.ident, &variants, &Paths::new(facade.as_ref())))
}

fn expand(owner: &Ident, variants: &[(&Ident, &Type)], paths: &Paths) -> TokenStream {
    let [embedded, field_def, row, encoder, result, field, value_type, enum_type, cell, unknown, value] = [
        "EmbeddedStruct",
        "FieldDef",
        "Row",
        "RowEncoder",
        "Result",
        "Field",
        "ValueType",
        "EnumType",
        "Cell",
        "unknown_variant",
        "Value",
    ]
    .map(|name| paths.item(name));
    let idents: Vec<&Ident> = variants.iter().map(|(ident, _)| *ident).collect();
    let texts: Vec<String> = idents.iter().map(|ident| ident.unraw().to_string()).collect();
    let Some((_, key)) = variants.first() else { return TokenStream::new() };
    // the types must be one: the compiler says where one is not
    let same = variants.iter().map(
        |(ident, of)| quote_spanned!(place(of)=> const _: fn(#of) -> #key = |key| { let _ = #owner::#ident; key };),
    );
    let of_key = paths.of(key, "Value");
    let name = format!("{}Kind", owner.unraw());
    let all = quote!(::core::iter::IntoIterator::into_iter([#(#texts),*]));
    quote! {
        #(#same)*
        #[automatically_derived]
        #[allow(dead_code, unreachable_pub)]
        impl #owner {
            /// The name of the model that is referenced.
            pub const KIND: #field<Self, ::std::string::String> = #field::new(0);
            /// The key of the row that is referenced.
            pub const KEY: #field<Self, #key> = #field::new(1);
        }
        #[automatically_derived]
        impl #embedded for #owner {
            const FIELDS: u16 = 2;
            const HAS_REQUIRED: bool = true;
            fn fields() -> ::std::vec::Vec<#field_def> {
                static OMMI_TYPE: ::std::sync::LazyLock<::std::sync::Arc<#enum_type>> =
                    ::std::sync::LazyLock::new(|| ::std::sync::Arc::new(#enum_type::new(#name, &[#(#texts),*])));
                ::std::vec![
                    #field_def::new("kind", #value_type::Enum(::core::clone::Clone::clone(&*OMMI_TYPE))),
                    #field_def::new("key", #of_key::value_type()),
                ]
            }
            fn decode(row: &mut #row<'_>) -> #result<Self> {
                let kind = row.cell()?;
                let key = #of_key::decode(row.cell()?)?;
                match kind {
                    #(#cell::Text(#texts) => ::core::result::Result::Ok(Self::#idents(key)),)*
                    #cell::Text(other) => ::core::result::Result::Err(#unknown(other, #all)),
                    other => ::core::result::Result::Err(other.mismatch("the name of a model")),
                }
            }
            fn encode(&self, row: &mut #encoder<'_>) -> #result<()> {
                match self {
                    #(Self::#idents(key) => {
                        row.cell(#cell::Text(#texts))?;
                        row.cell(#value::cell(key))
                    })*
                }
            }
            fn normalize(&mut self) {
                match self {
                    #(Self::#idents(key) => #value::normalize(key),)*
                }
            }
            fn set_part(&mut self, part: u16, value: #cell<'_>) -> #result<()> {
                let key = match self {
                    #(Self::#idents(key) => key,)*
                };
                if part == 1 {
                    *key = #of_key::decode(value)?;
                    return ::core::result::Result::Ok(());
                }
                let key = ::core::clone::Clone::clone(key);
                *self = match value {
                    #(#cell::Text(#texts) => Self::#idents(key),)*
                    #cell::Text(other) => return ::core::result::Result::Err(#unknown(other, #all)),
                    other => return ::core::result::Result::Err(other.mismatch("the name of a model")),
                };
                ::core::result::Result::Ok(())
            }
        }
    }
}
