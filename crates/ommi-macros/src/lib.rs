//! The derives of Ommi. Programs use them through the crate `ommi`.
//!
//! Generated code names nothing but the standard library and what the facade re-exports in
//! `ommi::__private`:
//!
//! - of `ommi_core::model`: `Model`, `ModelBuilder`, `ModelDef`, `NoKey`, `Touch`, `FieldDef`,
//!   `OnChange`, `ReferenceDef`, `ReferenceTarget`, and from its module `attribute` `WriteTime`,
//!   `VersionNumber`, `HasLength`, `HasDigits`, `RefersTo`;
//! - of `ommi_core::query`: `Field`, `Embedded`, `EmbeddedStruct` (from its module `field`),
//!   `FilterOf`, `Direction`;
//! - of `ommi_core::value`: `Value`, `AutoValue`, `Element` (from its module `list`), `Cell`,
//!   `Datum`, `Json`, `Timestamp`, `ValueType`, `EnumType`, the module `kind`, and from its module
//!   `datum` `unknown_variant` and `unknown_number`;
//! - of `ommi_core::driver`: `Row`, `RowEncoder`;
//! - of `ommi_core::error`: `Result`.

mod attribute;
mod case;
mod model;
mod paths;
mod problems;
mod record;
mod spelling;
mod types;
mod value;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct a model: its fields are stored, and each has a constant that names it in queries.
///
/// The struct is plain: named fields, no generics, any visibility, and it is `Clone`. The field
/// `author_id` gets the constant `AUTHOR_ID`, with the field's visibility.
///
/// On the struct, `#[ommi(..)]` takes:
///
/// | | |
/// |---|---|
/// | `table = "name"` | the stored name, with a schema before a dot; else the model's name |
/// | `name = "Name"` | the model's name; else the struct's |
/// | `rename_all = "camelCase"` | the case of stored field names; else as they are written |
/// | `read_only` | the model has no key and is only read, as views are |
/// | `unique(a, b)`, `index(a, desc(b))` | a unique group or an index; also with `name = ".."` and `where = filter` |
/// | `references((a, b) = Model)` | a composite reference; also `= Model(x, y)`, and the options of `references` below |
/// | `check(name = filter)` | a rule that every row keeps |
/// | `crate = path` | where the crate `ommi` is, if not at `::ommi` |
///
/// On a field:
///
/// | | |
/// |---|---|
/// | `key` | the key, or a part of it |
/// | `auto` | assigned where the field holds its type's default |
/// | `unique`, `unique = "group"` | no two rows agree in the field, or in all fields of the group |
/// | `index`, `index(desc)`, `index = "group"` | an index |
/// | `references = Model`, `references = Model::FIELD` | a reference; with `on_delete = cascade`, `restrict` or `set_null`, `on_update = ..`, `unenforced` |
/// | `check = filter` | a rule that every row keeps: `check = Self::AGE.ge(0)` |
/// | `max_length = 80` | the greatest number of characters |
/// | `decimal(10, 2)` | digits in all, and after the point |
/// | `name = "stored"` | the stored name |
/// | `default = value` | what the database gives to rows that other programs write without one |
/// | `skip` | not stored; `Default::default()` when read |
/// | `json` | stored as JSON, by serde |
/// | `embed` | a struct with `#[derive(Value)]` whose fields are stored among the model's |
/// | `version` | counts writes; a stale write is a conflict |
/// | `created`, `updated` | the time of the first and of the last write |
/// | `constant = NAME` | the constant's name |
#[proc_macro_derive(Model, attributes(ommi))]
pub fn model(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    model::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes your own type one that fields may have.
///
/// - An enum without data is stored as the text of its variant's name: `rename = ".."` on a variant
///   and `rename_all = ".."` on the enum give other texts, `integer` on the enum stores the numbers
///   of the variants instead.
/// - A struct with one unnamed field is stored as that field: `auto` on the struct lets it be
///   assigned automatically.
/// - A struct with named fields is embedded: a model's field with `#[ommi(embed)]` holds it, and
///   each of its fields has a constant, as in a model. Its fields take `name`, `max_length`,
///   `decimal`, `default`, `json`, `embed`, `skip` and `constant`.
#[proc_macro_derive(Value, attributes(ommi))]
pub fn value(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    value::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
