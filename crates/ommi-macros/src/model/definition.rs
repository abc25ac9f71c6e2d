//! The definition of a model, built at its first use.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Path;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::ModelInput;
use crate::attribute::reference::{ReferenceOptions, Target};
use crate::paths::{Paths, place};
use crate::record::Field;
use crate::record::definition::adding;

impl ModelInput<'_> {
    /// The expression that builds the definition.
    pub(super) fn definition(&self, paths: &Paths) -> TokenStream {
        let (record, attributes) = (&self.record, &self.attributes);
        let name = match &attributes.name {
            Some(name) => name.value(),
            None => record.ident.unraw().to_string(),
        };
        let builder = paths.item("ModelBuilder");
        let mut tokens = quote!(#builder::new(#name));
        if let Some(table) = &attributes.table {
            tokens.extend(quote!(.table(#table)));
        }
        tokens.extend(record.fields.iter().map(|field| adding(field, paths)));
        let key = self.key().map(|field| &field.name);
        tokens.extend(match attributes.read_only {
            Some(_) => quote!(.read_only()),
            None => quote!(.key([#(#key),*])),
        });
        self.add_field_indexes(&mut tokens, paths);
        self.add_indexes(&mut tokens, paths);
        self.add_references(&mut tokens, paths);
        self.add_checks(&mut tokens);
        self.add_relations(&mut tokens, paths);
        quote!(#tokens.finish())
    }

    fn add_field_indexes(&self, tokens: &mut TokenStream, paths: &Paths) {
        let mut groups: Vec<(bool, String, Vec<&str>)> = Vec::new();
        for field in self.record.values() {
            for index in &field.attributes.indexes {
                let name = &*field.name;
                let group = index.group.as_ref().map(|group| group.value());
                let known = groups.iter_mut().find(|(unique, other, _)| {
                    *unique == index.unique && group.as_ref().is_some_and(|group| group == other)
                });
                match (known, group) {
                    (Some((.., fields)), _) => fields.push(name),
                    (None, Some(group)) => groups.push((index.unique, group, vec![name])),
                    (None, None) => tokens.extend(over(index.unique, &[(name, index.descending)], paths)),
                }
            }
        }
        for (unique, _, fields) in groups {
            let fields: Vec<_> = fields.into_iter().map(|field| (field, false)).collect();
            tokens.extend(over(unique, &fields, paths));
        }
    }

    fn add_indexes(&self, tokens: &mut TokenStream, paths: &Paths) {
        for index in &self.attributes.indexes {
            let fields: Vec<_> = index.fields.iter().map(|field| (&*field.name, field.descending)).collect();
            if index.name.is_none() && index.condition.is_none() {
                tokens.extend(over(index.unique, &fields, paths));
                continue;
            }
            let name = optional(index.name.as_ref().map(|name| quote!(#name)));
            let (unique, fields) = (index.unique, directed(&fields, paths));
            tokens.extend(match &index.condition {
                None => quote!(.index_over(#unique, #fields, #name)),
                Some(filter) => {
                    let method = quote_spanned!(place(&filter.span())=> index_where::<Self>);
                    quote!(.#method(#unique, #fields, #name, #filter))
                }
            });
        }
    }

    fn add_references(&self, tokens: &mut TokenStream, paths: &Paths) {
        for field in self.record.values() {
            if let Some((target, _)) = &field.attributes.references {
                let reference = self.reference(&[field], target, &field.attributes.options, paths);
                tokens.extend(quote!(.reference(#reference)));
            }
        }
        let [def, target, model_trait] = ["ReferenceDef", "ReferenceTarget", "Model"].map(|name| paths.item(name));
        for field in self.record.stored() {
            let first = self.record.index(field, paths);
            for path in &field.attributes.choices {
                let Some(kind) = path.segments.last().map(|last| last.ident.unraw().to_string()) else { continue };
                let model = quote_spanned!(place(path)=> <#path as #model_trait>::definition);
                tokens.extend(quote! {
                    .reference(#def::new([#first + 1], #target::Model(#model)).for_kind(#first, #kind))
                });
            }
        }
        for (reference, options) in &self.attributes.references {
            let fields: Vec<_> = reference.fields.iter().filter_map(|name| self.record.field(&name.name)).collect();
            let reference = self.reference(&fields, &reference.target, options, paths);
            tokens.extend(quote!(.reference(#reference)));
        }
    }

    fn reference(
        &self,
        fields: &[&Field<'_>],
        target: &Target,
        options: &ReferenceOptions,
        paths: &Paths,
    ) -> TokenStream {
        let indexes = fields.iter().map(|field| self.record.index(field, paths));
        let model = |path: &Path| quote_spanned!(place(path)=> #path);
        let (refers_to, model_trait) = (paths.item("RefersTo"), paths.item("Model"));
        let mut tokens = match (target, fields) {
            (Target::Key(path), [field]) => {
                let (of, model) = (field.of, model(path));
                quote_spanned! {place(of)=>
                    <#of as #refers_to<<#model as #model_trait>::Key>>::reference::<#model>([#(#indexes),*])
                }
            }
            (Target::Constant(constant), [field]) => {
                let of = field.of;
                quote_spanned!(place(of)=> <#of as #refers_to<_>>::reference_to(#(#indexes),*, #constant))
            }
            (Target::Key(path), _) => {
                let (of, model) = (fields.iter().map(|field| field.of), model(path));
                quote_spanned! {place(path)=>
                    <(#(#of,)*) as #refers_to<<#model as #model_trait>::Key>>::reference::<#model>([#(#indexes),*])
                }
            }
            (Target::Constant(path) | Target::Fields(path, _), _) => {
                let (def, target_item) = (paths.item("ReferenceDef"), paths.item("ReferenceTarget"));
                let model = model(path);
                let names = match target {
                    Target::Fields(_, names) => quote!(.to_fields([#(#names),*])),
                    _ => TokenStream::new(),
                };
                quote! {
                    #def::new([#(#indexes),*], #target_item::Model(<#model as #model_trait>::definition)) #names
                }
            }
        };
        let change = paths.item("OnChange");
        for (name, action, _) in options.actions() {
            let (method, variant) = (word(name), word(action.variant()));
            tokens.extend(quote!(.#method(#change::#variant)));
        }
        if options.unenforced.is_some() {
            tokens.extend(quote!(.unenforced()));
        }
        tokens
    }

    fn add_relations(&self, tokens: &mut TokenStream, paths: &Paths) {
        let [def, target, model] = ["RelationDef", "ReferenceTarget", "Model"].map(|name| paths.item(name));
        for (_, field) in self.record.relations() {
            let (name, leads) = (&field.name, paths.of(field.of, "RelationField"));
            let of_target = quote!(<#leads::Target as #model>::definition);
            let through = field.attributes.through.as_ref().map(|(path, _)| {
                let link = quote_spanned!(place(path)=> <#path as #model>::definition);
                quote!(.through(#target::Model(#link)))
            });
            let by = field.attributes.by.as_ref().map(|by| {
                let by = by.unraw().to_string();
                quote!(.by([#by]))
            });
            tokens.extend(quote! {
                .relation(#def::new(#name, #leads::CARDINALITY, #target::Model(#of_target)) #through #by)
            });
        }
    }

    fn add_checks(&self, tokens: &mut TokenStream) {
        let of_fields = self
            .record
            .stored()
            .filter_map(|field| Some((format!("{}_check", field.name), field.attributes.check.as_ref()?)));
        let named = self.attributes.checks.iter().map(|(name, filter)| (name.unraw().to_string(), filter));
        for (name, filter) in of_fields.chain(named) {
            let method = quote_spanned!(place(&filter.span())=> check_that::<Self>);
            tokens.extend(quote!(.#method(#name, #filter)));
        }
    }
}

/// The call that adds an index by the names of its fields.
fn over(unique: bool, fields: &[(&str, bool)], paths: &Paths) -> TokenStream {
    if unique && fields.iter().all(|(_, descending)| !descending) {
        let names = fields.iter().map(|(name, _)| name);
        return quote!(.unique([#(#names),*]));
    }
    let (fields, none) = (directed(fields, paths), optional(None));
    quote!(.index_over(#unique, #fields, #none))
}

fn directed(fields: &[(&str, bool)], paths: &Paths) -> TokenStream {
    let direction = paths.item("Direction");
    let fields = fields.iter().map(|(name, descending)| {
        let variant = word(if *descending { "Descending" } else { "Ascending" });
        quote!((#name, #direction::#variant))
    });
    quote!([#(#fields),*])
}

fn optional(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

fn word(word: &str) -> Ident {
    Ident::new(word, Span::call_site())
}
