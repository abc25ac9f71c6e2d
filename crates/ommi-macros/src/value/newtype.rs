//! Structs with one unnamed field, stored as that field.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Field};

use crate::attribute::{Place, items, read};
use crate::paths::Paths;
use crate::problems::Problems;
use crate::record::refuse_generics;
use crate::types;

const PLACE: Place = Place { name: "a struct with one unnamed field", known: &["auto", "crate"], elsewhere: &[] };
const INSIDE: Place = Place { name: "the field of a struct with one unnamed field", known: &[], elsewhere: &[] };

/// The implementation of `Value` for a struct with one unnamed field.
pub(super) fn derive(input: &DeriveInput, field: &Field) -> syn::Result<TokenStream> {
    let mut problems = Problems::default();
    refuse_generics(input, &mut problems);
    let (mut auto, mut facade) = (None, None);
    let own = items(&input.attrs, &mut problems);
    read(&own, &PLACE, &[], &mut problems, |name, item, problems| {
        match name {
            "auto" => auto = item.flag(problems),
            "crate" => facade = item.path("crate = some::path", problems).cloned(),
            _ => return false,
        }
        true
    });
    let inside = items(&field.attrs, &mut problems);
    read(&inside, &INSIDE, &[], &mut problems, |_, _, _| false);
    if types::option(&field.ty).is_some() {
        let message = format!("put the `Option` around `{}` where it is used, not inside it", input.ident);
        problems.report_in(&field.ty, message);
    } else if let Some(advice) = types::advice(&field.ty) {
        problems.report_in(&field.ty, advice);
    }
    problems.check()?;
    Ok(expand(input, field, auto.is_some(), &Paths::new(facade.as_ref())))
}

fn expand(input: &DeriveInput, field: &Field, is_auto: bool, paths: &Paths) -> TokenStream {
    let (owner, value) = (&input.ident, paths.of(&field.ty, "Value"));
    let [trait_item, value_type, cell, datum, result] =
        ["Value", "ValueType", "Cell", "Datum", "Result"].map(|name| paths.item(name));
    let mut tokens = quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #trait_item for #owner {
            type Kind = #value::Kind;
            type Plain = Self;
            type Wrap<W: #trait_item> = W;
            fn value_type() -> #value_type {
                #value::value_type()
            }
            #[inline]
            fn cell(&self) -> #cell<'_> {
                #value::cell(&self.0)
            }
            #[inline]
            fn decode(cell: #cell<'_>) -> #result<Self> {
                ::core::result::Result::Ok(Self(#value::decode(cell)?))
            }
            fn normalize(&mut self) {
                #value::normalize(&mut self.0)
            }
            fn into_datum(self) -> #datum {
                #value::into_datum(self.0)
            }
        }
    };
    let is_list = types::list(&field.ty).is_some_and(|items| quote!(#items).to_string() != "u8");
    if !is_list {
        let element = paths.item("Element");
        tokens.extend(quote! {
            #[automatically_derived]
            impl #element for #owner {}
        });
    }
    if is_auto {
        let (auto_item, auto, option) =
            (paths.item("AutoValue"), paths.of(&field.ty, "AutoValue"), quote!(::core::option::Option));
        tokens.extend(quote! {
            #[automatically_derived]
            impl #auto_item for #owner {
                const COUNTED: bool = #auto::COUNTED;
                fn is_unassigned(&self) -> bool {
                    #auto::is_unassigned(&self.0)
                }
                fn from_number(number: i64) -> #result<Self> {
                    ::core::result::Result::Ok(Self(#auto::from_number(number)?))
                }
                fn generate() -> #option<Self> {
                    #option::map(#auto::generate(), Self)
                }
            }
        });
    }
    tokens
}
