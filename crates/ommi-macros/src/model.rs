//! `#[derive(Model)]`.

mod check;
mod definition;
mod key;
mod relations;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::attribute::field::OF_MODEL;
use crate::attribute::model::ModelAttributes;
use crate::paths::Paths;
use crate::problems::Problems;
use crate::record::definition::assertions;
use crate::record::{Record, constants, named_fields, refuse_generics, rows};

/// A model: its struct and the attributes of that.
struct ModelInput<'a> {
    record: Record<'a>,
    attributes: ModelAttributes,
}

/// The constants of a model and its implementation of `Model`.
///
/// # Errors
///
/// All mistakes in the input.
pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = named_fields(input, "a model")?;
    let mut problems = Problems::default();
    refuse_generics(input, &mut problems);
    let attributes = ModelAttributes::read(&input.attrs, &mut problems);
    let record = Record::read(input, fields, attributes.rename_all, &OF_MODEL, &mut problems);
    let model = ModelInput { record, attributes };
    model.check(&mut problems);
    problems.check()?;
    let paths = Paths::new(model.attributes.facade.as_ref());
    Ok(model.expand(&paths))
}

impl ModelInput<'_> {
    fn expand(&self, paths: &Paths) -> TokenStream {
        let record = &self.record;
        let owner = record.ident;
        let [model, model_def, row, encoder, result] =
            ["Model", "ModelDef", "Row", "RowEncoder", "Result"].map(|name| paths.item(name));
        let constants = constants::constants(record, paths);
        let assertions = assertions(record, paths);
        let key = self.key_type(paths);
        let definition = self.definition(paths);
        let decode = rows::decode(record, paths);
        let encode = rows::encode(record, paths);
        let normalize = rows::normalize(record, paths);
        let assigned = self.assigned(paths);
        let relations = self.relations(paths);
        quote! {
            #constants
            #assertions
            #[automatically_derived]
            #[allow(deprecated)]
            impl #model for #owner {
                type Key = #key;
                fn definition() -> &'static ::std::sync::Arc<#model_def> {
                    static OMMI_DEFINITION: ::std::sync::OnceLock<::std::sync::Arc<#model_def>> =
                        ::std::sync::OnceLock::new();
                    #model_def::once(&OMMI_DEFINITION, || #definition)
                }
                fn decode(row: &mut #row<'_>) -> #result<Self> {
                    #decode
                }
                fn encode(&self, row: &mut #encoder<'_>) -> #result<()> {
                    #encode
                }
                #normalize
                #assigned
                #relations
            }
        }
    }
}
