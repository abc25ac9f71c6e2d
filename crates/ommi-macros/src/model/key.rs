//! The key, and what the engine and the database assign.

use proc_macro2::TokenStream;
use quote::quote;

use super::ModelInput;
use crate::paths::Paths;
use crate::record::Field;
use crate::types;

impl ModelInput<'_> {
    /// The fields of the key.
    pub(super) fn key(&self) -> impl Iterator<Item = &Field<'_>> {
        self.record.values().filter(|field| field.attributes.key.is_some())
    }

    /// The type of the key.
    pub(super) fn key_type(&self, paths: &Paths) -> TokenStream {
        let fields: Vec<_> = self.key().map(Field::plain).collect();
        match fields.as_slice() {
            [] => {
                let none = paths.item("NoKey");
                quote!(#none)
            }
            [field] => quote!(#field),
            fields => quote!((#(#fields),*)),
        }
    }

    /// The methods of `Model` for values that are assigned.
    pub(super) fn assigned(&self, paths: &Paths) -> TokenStream {
        let mut tokens = self.touch(paths);
        let key: Vec<_> = self.key().collect();
        if let [field] = key.as_slice()
            && field.attributes.auto.is_some()
        {
            let (ident, auto, result) = (field.ident, paths.of(field.of, "AutoValue"), paths.item("Result"));
            let counted = match types::is_integer(field.plain()) {
                true => TokenStream::new(),
                false => quote!(#auto::COUNTED &&),
            };
            tokens.extend(quote! {
                fn is_unassigned(&self) -> bool {
                    #counted #auto::is_unassigned(&self.#ident)
                }
                fn assign(&mut self, number: i64) -> #result<()> {
                    self.#ident = #auto::from_number(number)?;
                    ::core::result::Result::Ok(())
                }
            });
        }
        if let Some(field) = self.record.values().find(|field| field.attributes.version.is_some()) {
            let (ident, version, result) = (field.ident, paths.of(field.of, "VersionNumber"), paths.item("Result"));
            tokens.extend(quote! {
                fn version(&self) -> ::core::option::Option<i64> {
                    #version::number(&self.#ident)
                }
                fn set_version(&mut self, version: i64) -> #result<()> {
                    self.#ident = #version::from_number(version)?;
                    ::core::result::Result::Ok(())
                }
            });
        }
        tokens
    }

    fn touch(&self, paths: &Paths) -> TokenStream {
        let noted = |field: &Field<'_>| {
            let (ident, time) = (field.ident, paths.of(field.of, "WriteTime"));
            quote!(self.#ident = #time::at(_now);)
        };
        let autos =
            self.record.values().filter(|field| field.attributes.auto.is_some() && !types::is_integer(field.plain()));
        let filled = autos.map(|field| {
            let (ident, auto) = (field.ident, paths.of(field.of, "AutoValue"));
            quote!(#auto::fill(&mut self.#ident);)
        });
        let created = self.record.values().filter(|field| field.attributes.created.is_some()).map(noted);
        let first: TokenStream = filled.chain(created).collect();
        let every: TokenStream =
            self.record.values().filter(|field| field.attributes.updated.is_some()).map(noted).collect();
        if first.is_empty() && every.is_empty() {
            return TokenStream::new();
        }
        let (touch, timestamp) = (paths.item("Touch"), paths.item("Timestamp"));
        let first = (!first.is_empty()).then(|| quote!(if let #touch::Insert = _touch { #first }));
        quote! {
            fn touch(&mut self, _touch: #touch, _now: #timestamp) {
                #first
                #every
            }
        }
    }
}
