//! Folding: what the case-insensitive tests compare.

use std::borrow::Cow;

/// The version of Unicode whose simple case folding the engine uses, and what is pushed down must.
pub const UNICODE_VERSION: (u64, u64, u64) = unicode_case_mapping::UNICODE_VERSION;

/// Folds a character by Unicode simple case folding: always to one character.
///
/// ```
/// use ommi_core::query::pattern::fold_char;
///
/// assert_eq!(fold_char('Ä'), 'ä');
/// assert_eq!(fold_char('ẞ'), 'ß');
/// ```
#[inline]
pub fn fold_char(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    unicode_case_mapping::case_folded(character).and_then(|folded| char::from_u32(folded.get())).unwrap_or(character)
}

/// Folds a text by Unicode simple case folding, character by character.
///
/// The number of characters stays the same, the number of bytes may change. A text without
/// anything to fold is borrowed.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(text.to_ascii_lowercase()),
            false => Cow::Borrowed(text),
        };
    }
    match text.chars().all(|character| fold_char(character) == character) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.chars().map(fold_char).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_is_simple_and_character_by_character() {
        assert_eq!(fold("GRÜẞE"), "grüße");
        assert_eq!(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"));
        assert_eq!(fold("\u{212A}elvin"), "kelvin");
        // full folding would make two characters of each of these
        assert_eq!(fold("ß"), "ß");
        assert_eq!(fold("\u{130}"), "\u{130}");
        assert_eq!(fold("ﬁ"), "ﬁ");
    }

    #[test]
    fn a_text_without_capitals_is_borrowed() {
        assert!(matches!(fold("plain"), Cow::Borrowed(_)));
        assert!(matches!(fold("grün"), Cow::Borrowed(_)));
        assert!(matches!(fold("Plain"), Cow::Owned(_)));
    }

    #[test]
    fn folding_a_folded_text_changes_nothing() {
        for character in (0..=0x10FFFF).filter_map(char::from_u32) {
            let folded = fold_char(character);
            assert_eq!(fold_char(folded), folded, "{character:?}");
        }
    }

    #[test]
    fn the_unicode_version_is_pinned() {
        assert_eq!(UNICODE_VERSION, (16, 0, 0));
    }
}
