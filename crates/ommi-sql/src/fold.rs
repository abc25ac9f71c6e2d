//! Case-insensitive patterns for databases that fold ASCII only.

use ommi_core::query::TextOperator;
use ommi_core::query::pattern::fold_char;

/// A pattern of `LIKE` that, with ASCII letters folded, matches every text that a text matches by a
/// folding operator, and a few more.
///
/// A character that has a form outside of ASCII under folding becomes a wildcard: folding takes one
/// character to one, so that the lengths agree.
pub(crate) fn ascii_pattern(operator: TextOperator, text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    if matches!(operator, TextOperator::IContains | TextOperator::IEndsWith) {
        out.push('%');
    }
    let is_pattern = operator == TextOperator::ILike;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '%' | '_' if is_pattern => out.push(character),
            '\\' if is_pattern => {
                out.push('\\');
                out.extend(characters.next());
            }
            '%' | '_' | '\\' => out.extend(['\\', character]),
            plain if folds_within_ascii(plain) => out.push(plain),
            _ => out.push('_'),
        }
    }
    if matches!(operator, TextOperator::IContains | TextOperator::IStartsWith) {
        out.push('%');
    }
    out
}

/// Whether all characters that fold to what a character folds to are ASCII: the signs for kelvin and
/// the long s fold to `k` and `s`.
fn folds_within_ascii(character: char) -> bool {
    character.is_ascii() && !matches!(fold_char(character), 'k' | 's')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_folds_out_of_ascii_is_a_wildcard() {
        assert_eq!(ascii_pattern(TextOperator::IContains, "Straße"), "%_tra_e%");
        assert_eq!(ascii_pattern(TextOperator::IStartsWith, "100%"), r"100\%%");
        assert_eq!(ascii_pattern(TextOperator::IEndsWith, "Kelvin"), "%_elvin");
        assert_eq!(ascii_pattern(TextOperator::IEq, r"a\b"), r"a\\b");
        assert_eq!(ascii_pattern(TextOperator::ILike, r"ä%\_k"), r"_%\__");
    }

    #[test]
    fn no_other_character_folds_into_ascii() {
        for character in (0x80..=0x10FFFF).filter_map(char::from_u32) {
            let folded = fold_char(character);
            assert!(!folded.is_ascii() || !folds_within_ascii(folded), "{character:?}");
        }
    }
}
