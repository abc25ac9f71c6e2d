//! What can be seen of a type without knowing what its names mean.

use syn::{GenericArgument, PathArguments, Type};

/// The type without the invisible groups and parentheses that macros put around it.
pub(crate) fn bare(of: &Type) -> &Type {
    match of {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// The name and the only type argument of `Name<T>`.
fn generic(of: &Type) -> Option<(String, &Type)> {
    let Type::Path(path) = bare(of) else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) if arguments.args.len() == 1 => Some((last.ident.to_string(), inner)),
        _ => None,
    }
}

/// The `T` of `Option<T>`.
pub(crate) fn option(of: &Type) -> Option<&Type> {
    generic(of).filter(|(name, _)| name == "Option").map(|(_, inner)| inner)
}

/// The `T` of `Vec<T>`.
pub(crate) fn list(of: &Type) -> Option<&Type> {
    generic(of).filter(|(name, _)| name == "Vec").map(|(_, inner)| inner)
}

/// Whether the type is visibly a relation's: `One<T>` or `Many<T>`.
pub(crate) fn is_relation(of: &Type) -> bool {
    generic(of).is_some_and(|(name, _)| name == "One" || name == "Many")
}

/// The type without `Option`.
pub(crate) fn plain(of: &Type) -> &Type {
    option(of).unwrap_or(of)
}

/// The name of a type that is a single word.
fn word(of: &Type) -> Option<String> {
    match bare(of) {
        Type::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    }
}

/// Whether the type is visibly an integer that a field may have.
pub(crate) fn is_integer(of: &Type) -> bool {
    word(of).is_some_and(|name| matches!(&*name, "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64"))
}

/// Whether values of the type are visibly stored as they are, with nothing to normalize.
pub(crate) fn is_exact(of: &Type) -> bool {
    let plain = plain(of);
    is_integer(plain) || word(plain).is_some_and(|name| matches!(&*name, "bool" | "String"))
}

/// What to write instead of a type that is visibly none for a field.
pub(crate) fn advice(of: &Type) -> Option<String> {
    let of = bare(of);
    if let Some(inner) = option(of) {
        if option(inner).is_some() {
            return Some(
                "an `Option` of an `Option` cannot be stored, because there is only one null: write a single `Option`"
                    .into(),
            );
        }
        return advice(inner);
    }
    if let Some((name, inner)) = generic(of) {
        return match &*name {
            "Vec" if option(inner).is_some() => Some("a list cannot hold null: write `Vec<T>` without the inner `Option`, or store the field with `#[ommi(json)]`".into()),
            "Vec" if list(inner).is_some_and(|items| word(items).is_none_or(|name| name != "u8")) => Some("a list cannot hold lists: store the field with `#[ommi(json)]`".into()),
            "Vec" => advice(inner),
            _ => None,
        };
    }
    match of {
        Type::Reference(reference) => Some(match word(&reference.elem).as_deref() {
            Some("str") => "a stored field owns its value: write `String`".into(),
            _ => "a stored field owns its value and cannot be a reference".into(),
        }),
        Type::Tuple(_) | Type::Array(_) => Some(
            "a tuple or an array cannot be stored in a field: use `Vec`, an embedded struct, or `#[ommi(json)]`".into(),
        ),
        _ => Some(match word(of)?.as_str() {
            "usize" => "`usize` is not the same size on every machine: write `u64` or `u32`".into(),
            "isize" => "`isize` is not the same size on every machine: write `i64` or `i32`".into(),
            name @ ("i128" | "u128") => {
                format!("`{name}` cannot be stored: integers have up to 64 bits, a `Decimal` has 28 digits")
            }
            "char" => "`char` cannot be stored: write `String`".into(),
            _ => return None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Type {
        syn::parse_str(text).unwrap()
    }

    #[test]
    fn options_are_seen_by_any_path() {
        for text in ["Option<i64>", "std::option::Option<i64>", "(Option<i64>)"] {
            assert!(is_integer(plain(&parse(text))), "{text}");
        }
        assert!(option(&parse("Optional<i64>")).is_none());
    }

    #[test]
    fn types_that_cannot_be_stored_get_advice() {
        for text in ["usize", "Option<Option<i64>>", "&'static str", "Vec<Vec<i64>>", "Vec<Option<i64>>", "[u8; 4]"] {
            assert!(advice(&parse(text)).is_some(), "{text}");
        }
        for text in ["u64", "Option<i64>", "Vec<Vec<u8>>", "Vec<u8>", "Anything", "a::B<C, D>"] {
            assert!(advice(&parse(text)).is_none(), "{text}");
        }
    }
}
