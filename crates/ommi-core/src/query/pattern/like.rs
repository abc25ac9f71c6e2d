//! Patterns of `like` and `ilike`.

use std::str::Chars;

use super::fold::fold_char;
use crate::error::{Error, Result};

/// A pattern of `like`: `%` stands for any characters, `_` for one, `\` escapes `%`, `_` and `\`.
///
/// It matches whole texts, newlines included.
///
/// ```
/// use ommi_core::query::pattern::LikePattern;
///
/// let pattern = LikePattern::parse(r"100\% %e")?;
/// assert!(pattern.matches("100% pure", false));
/// assert!(!pattern.matches("100 pure", false));
/// # Ok::<(), ommi_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LikePattern {
    parts: Vec<Part>,
    prefix: String,
    is_literal: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// This character.
    Character(char),
    /// Any one character.
    One,
    /// Any number of characters.
    Any,
}

impl LikePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// `Query` if a `\` stands before anything but `%`, `_` and `\`, or the pattern has a NUL
    /// character.
    pub fn parse(pattern: &str) -> Result<LikePattern> {
        crate::value::check::text(pattern)?;
        let mut parts = Vec::with_capacity(pattern.len());
        let mut characters = pattern.char_indices();
        while let Some((at, character)) = characters.next() {
            let part = match character {
                '%' => Part::Any,
                '_' => Part::One,
                '\\' => match characters.next() {
                    Some((_, escaped @ ('%' | '_' | '\\'))) => Part::Character(escaped),
                    other => return Err(wrong_escape(at, other.map(|(_, character)| character))),
                },
                plain => Part::Character(plain),
            };
            // `%%` is `%`: the matcher would only search twice.
            if part != Part::Any || parts.last() != Some(&Part::Any) {
                parts.push(part);
            }
        }
        let prefix: String = parts
            .iter()
            .map_while(|part| match part {
                Part::Character(character) => Some(*character),
                _ => None,
            })
            .collect();
        let is_literal = parts.iter().all(|part| matches!(part, Part::Character(_)));
        Ok(LikePattern { parts, prefix, is_literal })
    }

    /// The text that every match begins with, unescaped.
    pub fn literal_prefix(&self) -> &str {
        &self.prefix
    }

    /// The one text that the pattern matches, if it has neither `%` nor `_`.
    pub fn literal(&self) -> Option<&str> {
        self.is_literal.then_some(self.prefix.as_str())
    }

    /// Whether the pattern matches a whole text; with `folded`, both are folded.
    pub fn matches(&self, text: &str, folded: bool) -> bool {
        if !folded {
            if self.is_literal {
                return text == self.prefix;
            }
            if !text.starts_with(&self.prefix) {
                return false;
            }
        }
        let is_same = |found: char, wanted: char| match folded {
            true => fold_char(found) == fold_char(wanted),
            false => found == wanted,
        };
        let mut rest = text.chars();
        let mut at = 0;
        // Where the last `%` lets the match begin anew: only that one ever needs to, since what
        // came before it has matched as early as possible.
        let mut anew: Option<(usize, Chars<'_>)> = None;
        loop {
            match self.parts.get(at) {
                Some(Part::Any) => {
                    at += 1;
                    if at == self.parts.len() {
                        return true;
                    }
                    anew = Some((at, rest.clone()));
                    continue;
                }
                Some(part) => {
                    let mut ahead = rest.clone();
                    // A longer `%` leaves even less text: there is no match.
                    let Some(found) = ahead.next() else { return false };
                    let matched = match part {
                        Part::Character(wanted) => is_same(found, *wanted),
                        _ => true,
                    };
                    if matched {
                        rest = ahead;
                        at += 1;
                        continue;
                    }
                }
                None if rest.as_str().is_empty() => return true,
                None => {}
            }
            let Some((after, begin)) = &mut anew else { return false };
            if begin.next().is_none() {
                return false;
            }
            at = *after;
            rest = begin.clone();
        }
    }
}

#[cold]
fn wrong_escape(at: usize, escaped: Option<char>) -> Error {
    let what = match escaped {
        Some(character) => format!("`\\{character}`"),
        None => "a `\\` at the end".to_owned(),
    };
    Error::query(format!(
        "the `like` pattern has {what} at byte {at}: a `\\` can only escape `%`, `_` and `\\`; write `\\\\` for the character itself"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        LikePattern::parse(pattern).unwrap().matches(text, false)
    }

    #[test]
    fn a_pattern_matches_the_whole_text() {
        assert!(matches("abc", "abc"));
        assert!(!matches("abc", "abcd"));
        assert!(!matches("bc", "abc"));
        assert!(matches("", ""));
        assert!(!matches("", "a"));
        assert!(matches("%", ""));
        assert!(matches("%%", "anything"));
    }

    #[test]
    fn percent_stands_for_any_characters_newlines_included() {
        assert!(matches("a%c", "a\n\nc"));
        assert!(matches("%b%", "abc"));
        assert!(matches("a%b%c", "axxbyybzzc"));
        assert!(!matches("a%b%c", "axxbyyb"));
        assert!(matches("%ab", "aab"));
        assert!(matches("%aab", "aaab"));
    }

    #[test]
    fn an_underscore_stands_for_one_character_not_one_byte() {
        assert!(matches("_", "ü"));
        assert!(matches("a_c", "a\nc"));
        assert!(matches("__", "👍x"));
        assert!(!matches("_", ""));
        assert!(!matches("_", "ab"));
        assert!(matches("%_", "a"));
        assert!(!matches("%_", ""));
    }

    #[test]
    fn trailing_spaces_count() {
        assert!(!matches("a", "a "));
        assert!(matches("a_", "a "));
    }

    #[test]
    fn a_backslash_escapes_what_has_a_meaning() {
        assert!(matches(r"50\%", "50%"));
        assert!(!matches(r"50\%", "50x"));
        assert!(matches(r"a\_b", "a_b"));
        assert!(!matches(r"a\_b", "axb"));
        assert!(matches(r"a\\%", r"a\b"));
    }

    #[test]
    fn any_other_backslash_is_refused_with_its_place() {
        let error = LikePattern::parse(r"ab\c").unwrap_err();
        assert!(error.is_query());
        assert!(error.message().contains(r"`\c` at byte 2"), "{error}");
        assert!(LikePattern::parse("ab\\").unwrap_err().message().contains("at the end at byte 2"));
        assert!(LikePattern::parse("a\0").unwrap_err().is_query());
    }

    #[test]
    fn folded_patterns_ignore_case_beyond_ascii() {
        let pattern = LikePattern::parse("ÄB%_Ω").unwrap();
        assert!(pattern.matches("äbxyω", true));
        assert!(!pattern.matches("äbxyω", false));
        assert!(LikePattern::parse("k").unwrap().matches("\u{212A}", true));
    }

    #[test]
    fn the_literal_prefix_ends_at_the_first_wildcard() {
        assert_eq!(LikePattern::parse(r"a\%b%c").unwrap().literal_prefix(), "a%b");
        assert_eq!(LikePattern::parse("_a").unwrap().literal_prefix(), "");
        assert_eq!(LikePattern::parse(r"a\_b").unwrap().literal(), Some("a_b"));
        assert_eq!(LikePattern::parse("a%").unwrap().literal(), None);
    }

    #[test]
    fn many_wildcards_do_not_explode() {
        let pattern = "%a".repeat(40) + "%b";
        assert!(!matches(&pattern, &"a".repeat(20_000)));
    }
}
