//! The constants that name fields in queries.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::Record;
use crate::attribute::field::{FieldAttributes, Form};
use crate::case::Case;
use crate::paths::Paths;
use crate::problems::Problems;

/// The name of a field's constant.
pub(super) fn name(ident: &Ident, name: &str, attributes: &FieldAttributes, problems: &mut Problems) -> Ident {
    if let Some(constant) = &attributes.constant {
        return constant.clone();
    }
    let name = Case::ScreamingSnake.apply(name);
    match syn::parse_str::<Ident>(&name) {
        Ok(constant) => Ident::new(&constant.to_string(), ident.span()),
        Err(_) => {
            let message = format!("no constant can be named `{name}`: name it with `#[ommi(constant = ..)]`");
            problems.report(ident.span(), message);
            ident.clone()
        }
    }
}

/// The constants of a struct.
pub(crate) fn constants(record: &Record<'_>, paths: &Paths) -> TokenStream {
    let owner = record.ident;
    let constants = record.stored().map(|field| {
        let (visibility, constant, plain) = (field.visibility, &field.constant, field.plain());
        let index = record.index(field, paths);
        let doc = format!("The field `{}` of [`{owner}`].", field.name);
        let (kind, of) = match field.attributes.form {
            Form::Embed => ("Embedded", if field.is_optional() { quote!(#plain, true) } else { quote!(#plain) }),
            Form::Json => {
                let json = paths.item("Json");
                let of = if field.is_optional() { quote!(::core::option::Option<#json>) } else { quote!(#json) };
                ("Field", of)
            }
            _ => {
                let of = field.of;
                ("Field", quote!(#of))
            }
        };
        let kind = paths.item(kind);
        quote! {
            #[doc = #doc]
            #visibility const #constant: #kind<Self, #of> = #kind::new(#index);
        }
    });
    let relations = record.relations().map(|(index, field)| {
        let (visibility, constant, of) = (field.visibility, &field.constant, field.of);
        let doc = format!("The relation `{}` of [`{owner}`].", field.name);
        let (relation, leads) = (paths.item("Relation"), paths.of(of, "RelationField"));
        quote! {
            #[doc = #doc]
            #visibility const #constant: #relation<Self, #leads::Target, #leads::Count> = #relation::new(#index);
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(dead_code, deprecated, unreachable_pub, non_upper_case_globals)]
        impl #owner {
            #(#constants)*
            #(#relations)*
        }
    }
}
