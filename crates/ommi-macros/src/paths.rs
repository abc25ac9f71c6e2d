//! The paths that generated code uses.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, TokenStreamExt, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

/// Where the facade keeps what generated code needs.
pub(crate) struct Paths {
    private: TokenStream,
}

impl Paths {
    /// The paths below the crate `ommi`, which is at `::ommi` unless the user says otherwise.
    pub(crate) fn new(facade: Option<&syn::Path>) -> Self {
        Paths {
            private: match facade {
                Some(path) => quote!(#path::__private),
                None => quote!(::ommi::__private),
            },
        }
    }

    /// An item of the private module.
    pub(crate) fn item(&self, name: &str) -> Item<'_> {
        Item { private: &self.private, name: Ident::new(name, Span::call_site()) }
    }

    /// `<Type as Trait>::`, at the place of the type: all mistakes in a field's type then give the
    /// same message at the same place, which the compiler shows once.
    pub(crate) fn of(&self, of: &Type, name: &str) -> TokenStream {
        let item = self.item(name);
        quote_spanned!(place(of)=> <#of as #item>)
    }
}

/// The place of something that the user wrote, marked as generated, so that lints leave it alone.
pub(crate) fn place(tokens: &impl Spanned) -> Span {
    Span::call_site().located_at(tokens.span())
}

/// The path of an item in the private module.
pub(crate) struct Item<'a> {
    private: &'a TokenStream,
    name: Ident,
}

impl ToTokens for Item<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Item { private, name } = self;
        tokens.append_all(quote!(#private::#name));
    }
}
