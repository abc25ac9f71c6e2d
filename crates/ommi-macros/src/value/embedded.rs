//! Structs whose fields are stored among those of a model.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{DeriveInput, Fields};

use crate::attribute::field::OF_EMBEDDED;
use crate::attribute::{Place, items, read};
use crate::paths::Paths;
use crate::problems::Problems;
use crate::record::{Record, constants, definition, refuse_generics, rows};

const PLACE: Place = Place {
    name: "an embedded struct",
    known: &["rename_all", "crate"],
    elsewhere: &[
        (&["table", "name", "read_only", "unique", "index", "references", "check"], "on the struct of the model"),
        (&["max_length", "decimal", "default", "skip", "json", "embed", "constant"], "on a field"),
    ],
};

/// The constants of an embedded struct and its implementation of `EmbeddedStruct`.
pub(super) fn derive(input: &DeriveInput, fields: &Fields) -> syn::Result<TokenStream> {
    let mut problems = Problems::default();
    refuse_generics(input, &mut problems);
    let (mut rename_all, mut facade) = (None, None);
    let items = items(&input.attrs, &mut problems);
    read(&items, &PLACE, &[], &mut problems, |name, item, problems| {
        match name {
            "rename_all" => rename_all = item.case(problems),
            "crate" => facade = item.path("crate = some::path", problems).cloned(),
            _ => return false,
        }
        true
    });
    let record = Record::read(input, fields, rename_all, &OF_EMBEDDED, &mut problems);
    for (_, field) in record.relations() {
        problems.report(field.of.span(), "an embedded struct has no relations: put the field into the model");
    }
    problems.check()?;
    Ok(expand(&record, &Paths::new(facade.as_ref())))
}

fn expand(record: &Record<'_>, paths: &Paths) -> TokenStream {
    let owner = record.ident;
    let [embedded, field_def, row, encoder, result] =
        ["EmbeddedStruct", "FieldDef", "Row", "RowEncoder", "Result"].map(|name| paths.item(name));
    let constants = constants::constants(record, paths);
    let assertions = definition::assertions(record, paths);
    let count = record.count(record.stored(), paths);
    let required = definition::has_required(record, paths);
    let fields = definition::vector(record, paths);
    let decode = rows::decode(record, paths);
    let encode = rows::encode(record, paths);
    let normalize = rows::normalize(record, paths);
    quote! {
        #constants
        #assertions
        #[automatically_derived]
        #[allow(deprecated)]
        impl #embedded for #owner {
            const FIELDS: u16 = #count;
            const HAS_REQUIRED: bool = #required;
            fn fields() -> ::std::vec::Vec<#field_def> {
                #fields
            }
            fn decode(row: &mut #row<'_>) -> #result<Self> {
                #decode
            }
            fn encode(&self, row: &mut #encoder<'_>) -> #result<()> {
                #encode
            }
            #normalize
        }
    }
}
