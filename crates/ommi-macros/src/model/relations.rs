//! What relations need of a model.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::ModelInput;
use crate::paths::{Paths, place};
use crate::record::Field;
use crate::types;

impl ModelInput<'_> {
    /// The methods of `Model` for relation fields, and for fields that take another row's key.
    pub(super) fn relations(&self, paths: &Paths) -> TokenStream {
        let mut tokens = TokenStream::new();
        let relations: Vec<_> = self.record.relations().map(|(index, field)| (index, field.ident, field.of)).collect();
        if !relations.is_empty() {
            let any = paths.item("AnyRelation");
            let visits =
                relations.iter().map(|(index, ident, of)| quote_spanned!(place(of)=> visit(#index, &mut self.#ident);));
            tokens.extend(quote! {
                fn each_relation(&mut self, visit: &mut dyn ::core::ops::FnMut(u16, &mut dyn #any)) {
                    #(#visits)*
                }
            });
        }
        if !relations.is_empty() {
            tokens.extend(self.integers(paths));
        }
        let referencing: Vec<&Field<'_>> = self.record.values().filter(|field| self.is_referencing(field)).collect();
        let choices: Vec<_> = self.record.stored().filter(|field| !field.attributes.choices.is_empty()).collect();
        if !referencing.is_empty() || !choices.is_empty() {
            let [cell, result, unknown] = ["Cell", "Result", "no_reference"].map(|name| paths.item(name));
            let sets = referencing.iter().map(|field| {
                let (ident, index, value_trait) =
                    (field.ident, self.record.index(field, paths), paths.of(field.of, "Value"));
                quote! {
                    if field == #index {
                        self.#ident = #value_trait::decode(value)?;
                        return ::core::result::Result::Ok(());
                    }
                }
            });
            let parts = choices.iter().map(|field| {
                let (ident, index, embedded) =
                    (field.ident, self.record.index(field, paths), paths.of(field.plain(), "EmbeddedStruct"));
                let set = match field.is_optional() {
                    false => quote!(return #embedded::set_part(&mut self.#ident, field - (#index), value);),
                    true => quote! {
                        if let ::core::option::Option::Some(embedded) = &mut self.#ident {
                            return #embedded::set_part(embedded, field - (#index), value);
                        }
                    },
                };
                quote!(if (#index..=#index + 1).contains(&field) { #set })
            });
            tokens.extend(quote! {
                fn set_reference(&mut self, field: u16, value: #cell<'_>) -> #result<()> {
                    #(#sets)*
                    #(#parts)*
                    #unknown::<Self>(field)
                }
            });
        }
        tokens
    }

    /// The method that tells the integers by which relations find rows: those of fields whose types are
    /// visibly integers, so that what the field holds is what was read.
    fn integers(&self, paths: &Paths) -> TokenStream {
        let finds = |field: &&Field<'_>| field.attributes.key.is_some() || self.is_referencing(field);
        let integers = self.record.values().filter(|field| types::is_integer(field.plain())).filter(finds);
        let found: Vec<_> = integers
            .map(|field| {
                let (ident, index, value_trait) =
                    (field.ident, self.record.index(field, paths), paths.of(field.of, "Value"));
                quote!(if field == #index { return #value_trait::cell(&self.#ident).int(); })
            })
            .collect();
        if found.is_empty() {
            return TokenStream::new();
        }
        quote! {
            #[inline]
            fn integer(&self, field: u16) -> ::core::option::Option<i64> {
                #(#found)*
                ::core::option::Option::None
            }
        }
    }

    fn is_referencing(&self, field: &Field<'_>) -> bool {
        let named = |name: &str| name == field.name;
        field.attributes.references.is_some()
            || self
                .attributes
                .references
                .iter()
                .any(|(reference, _)| reference.fields.iter().any(|part| named(&part.name)))
    }
}
