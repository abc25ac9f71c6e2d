//! Reading and writing rows, field by field.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{Field, Record};
use crate::attribute::field::Form;
use crate::paths::{Paths, place};
use crate::types;

/// An instance, read from `row`.
pub(crate) fn decode(record: &Record<'_>, paths: &Paths) -> TokenStream {
    let fields = record.fields.iter().map(|field| {
        let ident = field.ident;
        let read = match field.attributes.form {
            Form::Skip => quote!(::core::default::Default::default()),
            Form::Relation => {
                let index = record.relations().find(|(_, other)| other.name == field.name).map(|(index, _)| index);
                quote_spanned!(place(field.of)=> row.relation(#index))
            }
            Form::Json if field.is_optional() => quote_spanned!(place(field.of)=> row.json_optional()?),
            Form::Json => quote_spanned!(place(field.of)=> row.json()?),
            Form::Embed => {
                let embedded = paths.of(field.plain(), "EmbeddedStruct");
                match field.is_optional() {
                    true => quote!(#embedded::decode_optional(row)?),
                    false => quote!(#embedded::decode(row)?),
                }
            }
            Form::Value => {
                let value = paths.of(field.of, "Value");
                quote!(#value::decode(row.cell()?)?)
            }
        };
        quote!(#ident: #read)
    });
    quote!(::core::result::Result::Ok(Self { #(#fields),* }))
}

/// The statements that write all fields into `row`.
pub(crate) fn encode(record: &Record<'_>, paths: &Paths) -> TokenStream {
    let writes = record.stored().map(|field| {
        let ident = field.ident;
        match field.attributes.form {
            Form::Json if field.is_optional() => quote_spanned!(place(field.of)=> row.json_optional(&self.#ident)?;),
            Form::Json => quote_spanned!(place(field.of)=> row.json(&self.#ident)?;),
            Form::Embed => {
                let embedded = paths.of(field.plain(), "EmbeddedStruct");
                match field.is_optional() {
                    false => quote!(#embedded::encode(&self.#ident, row)?;),
                    true => quote! {
                        match &self.#ident {
                            ::core::option::Option::Some(embedded) => #embedded::encode(embedded, row)?,
                            ::core::option::Option::None => #embedded::encode_none(row)?,
                        }
                    },
                }
            }
            _ => {
                let cell = cell(field, paths);
                quote!(row.cell(#cell)?;)
            }
        }
    });
    quote!(#(#writes)* ::core::result::Result::Ok(()))
}

fn cell(field: &Field<'_>, paths: &Paths) -> TokenStream {
    let ident = field.ident;
    match field.attributes.auto {
        Some(_) => {
            let auto = paths.of(field.of, "AutoValue");
            quote!(#auto::auto_cell(&self.#ident))
        }
        None => {
            let value = paths.of(field.of, "Value");
            quote!(#value::cell(&self.#ident))
        }
    }
}

/// The method `normalize`, where a field may need it.
pub(crate) fn normalize(record: &Record<'_>, paths: &Paths) -> TokenStream {
    let mut calls = TokenStream::new();
    for field in record.stored() {
        let ident = field.ident;
        match field.attributes.form {
            Form::Value if !types::is_exact(field.of) => {
                let value = paths.of(field.of, "Value");
                calls.extend(quote!(#value::normalize(&mut self.#ident);));
                if let Some((precision, scale)) = &field.attributes.decimal {
                    let digits = paths.of(field.of, "HasDigits");
                    calls.extend(quote!(#digits::keep_scale(&mut self.#ident, #precision, #scale);));
                }
            }
            Form::Embed => {
                let embedded = paths.of(field.plain(), "EmbeddedStruct");
                calls.extend(match field.is_optional() {
                    false => quote!(#embedded::normalize(&mut self.#ident);),
                    true => quote! {
                        if let ::core::option::Option::Some(embedded) = &mut self.#ident {
                            #embedded::normalize(embedded);
                        }
                    },
                });
            }
            _ => {}
        }
    }
    match calls.is_empty() {
        true => calls,
        false => quote!(fn normalize(&mut self) { #calls }),
    }
}
