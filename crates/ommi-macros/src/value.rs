//! `#[derive(Value)]`.

mod choice;
mod embedded;
mod enumeration;
mod newtype;

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput, Fields};

/// The implementation that the kind of type asks for.
///
/// # Errors
///
/// All mistakes in the input.
pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let refused = |found: &str| {
        let name = &input.ident;
        Err(syn::Error::new(
            name.span(),
            format!(
                "`{name}` is {found}; a value is an enum without data, a struct with one unnamed field, or a struct with named fields that is embedded"
            ),
        ))
    };
    match &input.data {
        Data::Enum(of) if choice::is_choice(of) => choice::derive(input, of),
        Data::Enum(of) => enumeration::derive(input, of),
        Data::Union(_) => refused("a union"),
        Data::Struct(of) => match &of.fields {
            Fields::Named(_) => embedded::derive(input, &of.fields),
            Fields::Unnamed(fields) => match fields.unnamed.first() {
                Some(field) if fields.unnamed.len() == 1 => newtype::derive(input, field),
                _ => refused(&format!("a tuple struct of {} fields", fields.unnamed.len())),
            },
            Fields::Unit => refused("a struct without fields"),
        },
    }
}
