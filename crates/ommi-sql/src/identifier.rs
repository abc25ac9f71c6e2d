//! Names in the database: their quoting, their limits, and those that are made up.

use ommi_core::{Error, Result};

/// A name between quotes, quotes in it doubled.
pub fn quote(name: &str, mark: char) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push(mark);
    for character in name.chars() {
        if character == mark {
            quoted.push(mark);
        }
        quoted.push(character);
    }
    quoted.push(mark);
    quoted
}

/// Refuses names that the database cannot have.
///
/// # Errors
///
/// `Schema` if the name is empty, longer than the limit, or has a NUL character in it.
pub fn check(name: &str, limit: usize) -> Result<()> {
    if name.is_empty() {
        return Err(Error::schema("a stored name is empty"));
    }
    if name.contains('\0') {
        return Err(Error::schema(format!("the stored name {name:?} has a NUL character")));
    }
    if name.len() > limit {
        return Err(Error::schema(format!(
            "the stored name `{name}` has {} bytes, and the database allows {limit}: give a shorter one with `table = \"..\"` or `name = \"..\"`",
            name.len()
        )));
    }
    Ok(())
}

/// The name that joins parts with underscores, cut to the limit and made distinct by a hash of
/// the whole where it is longer.
pub fn joined<'a>(parts: impl IntoIterator<Item = &'a str>, limit: usize) -> String {
    let parts: Vec<&str> = parts.into_iter().collect();
    let name = parts.join("_");
    if name.len() <= limit {
        return name;
    }
    // the parts are hashed with their boundaries: the joint name may be that of other parts
    let hash = hash(parts.join("\0").as_bytes());
    let kept = name.char_indices().map(|(at, character)| at + character.len_utf8());
    let end = kept.take_while(|end| end + 17 <= limit).last().unwrap_or_default();
    format!("{}_{hash:016x}", name.get(..end).unwrap_or_default())
}

/// FNV-1a: the names must be the same for every release of the compiler.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_a_name_are_doubled() {
        assert_eq!(quote("a\"b c", '"'), "\"a\"\"b c\"");
        assert_eq!(quote("a`b", '`'), "`a``b`");
    }

    #[test]
    fn names_beyond_the_limit_are_refused() {
        assert!(check("ümlaut", 7).is_ok());
        assert!(check("ümlaut", 6).unwrap_err().to_string().contains("7 bytes"));
        assert!(check("", 6).unwrap_err().is_schema());
        assert!(check("a\0b", 6).unwrap_err().is_schema());
    }

    #[test]
    fn long_joint_names_are_cut_and_stay_distinct() {
        assert_eq!(joined(["Book", "title", "idx"], 63), "Book_title_idx");
        let long = "é".repeat(40);
        let first = joined([&long, "a", "idx"], 63);
        let second = joined([&long, "b", "idx"], 63);
        assert!(first.len() <= 63 && first.starts_with("ééé"));
        assert_ne!(first, second);
        assert_eq!(first, joined([&long, "a", "idx"], 63));
    }
}
