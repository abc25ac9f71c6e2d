//! Tests of texts, as expressions of MongoDB: patterns become regular expressions that spell out
//! every character, so that the server's version of Unicode does not matter.

use std::collections::HashMap;
use std::sync::LazyLock;

use ommi_core::query::TextOperator;
use ommi_core::query::pattern::{RegexPattern, fold_char};
use ommi_core::value::Datum;
use ommi_core::{Error, Result};

use crate::template::{Node, document, operators, text};

/// The most bytes of a regular expression in BSON.
const PATTERN_BYTES: usize = 32_764;

/// The characters that fold to the same, for those that are not alone.
static FOLDED: LazyLock<HashMap<char, Vec<char>>> = LazyLock::new(|| {
    let mut found: HashMap<char, Vec<char>> = HashMap::new();
    for character in '\u{1}'..=char::MAX {
        let folded = fold_char(character);
        if folded != character {
            found.entry(folded).or_insert_with(|| vec![folded]).push(character);
        }
    }
    found
});

/// The text test of an expression, as an expression that is true or false. The value is that of the
/// argument, if it is a parameter.
///
/// # Errors
///
/// `Query` if a pattern is longer than MongoDB takes.
pub(crate) fn test(operator: TextOperator, of: &Node, argument: &Node, value: Option<&Datum>) -> Result<Node> {
    let pattern = match (operator, value) {
        (_, Some(Datum::Null)) => return Ok(Node::Bool(false)),
        (TextOperator::Contains, _) => return Ok(contains(of, argument)),
        (TextOperator::StartsWith, _) => return Ok(operators("$eq", [index_of(of, argument, None), Node::Int(0)])),
        (TextOperator::EndsWith, _) => return Ok(ends_with(of, argument)),
        (_, Some(Datum::Text(pattern))) => pattern,
        _ => return Err(Error::query("a pattern that is no constant: a fault of Ommi")),
    };
    let regex = match operator {
        TextOperator::Like => like(pattern, false),
        TextOperator::ILike => like(pattern, true),
        TextOperator::Regex => portable(RegexPattern::cached(pattern)?.portable()),
        TextOperator::IContains => folded(pattern),
        TextOperator::IStartsWith => format!("^{}", folded(pattern)),
        TextOperator::IEndsWith => format!(r"{}(?:\z)", folded(pattern)),
        _ => format!(r"^{}(?:\z)", folded(pattern)),
    };
    if regex.len() > PATTERN_BYTES {
        return Err(Error::query(format!(
            "the pattern of `{}` comes to {} bytes as a regular expression of MongoDB, which takes {PATTERN_BYTES}",
            operator.name(),
            regex.len()
        )));
    }
    Ok(document([("$regexMatch", document([("input", of.clone()), ("regex", Node::Regex(regex))]))]))
}

fn index_of(of: &Node, argument: &Node, from: Option<Node>) -> Node {
    let mut arguments = vec![of.clone(), argument.clone()];
    arguments.extend(from);
    document([("$indexOfBytes", Node::Array(arguments))])
}

fn contains(of: &Node, argument: &Node) -> Node {
    operators("$gte", [index_of(of, argument, None), Node::Int(0)])
}

fn ends_with(of: &Node, argument: &Node) -> Node {
    let length = |of: &Node| document([("$strLenBytes", of.clone())]);
    let variable = |name: &str, of: Node, test: Node| {
        document([("$let", document([("vars", document([(name, of)])), ("in", test)]))])
    };
    let at = operators("$subtract", [length(of), length(argument)]);
    let found = index_of(of, argument, Some(text("$$at")));
    let test = operators(
        "$cond",
        [operators("$gte", [text("$$at"), Node::Int(0)]), operators("$eq", [found, text("$$at")]), Node::Bool(false)],
    );
    variable("at", at, test)
}

/// The least text that is greater than all texts that begin with another; none if there is no such
/// text.
pub(crate) fn after_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

fn escape(character: char, out: &mut String) {
    if character.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(character);
}

fn character(character: char, is_folded: bool, out: &mut String) {
    if !is_folded {
        return escape(character, out);
    }
    let folded = fold_char(character);
    match FOLDED.get(&folded) {
        Some(all) => {
            out.push('[');
            all.iter().for_each(|one| escape(*one, out));
            out.push(']');
        }
        None => escape(folded, out),
    }
}

fn folded(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() * 4);
    pattern.chars().for_each(|one| character(one, true, &mut out));
    out
}

/// The regular expression of a `like` pattern. What stands between two `%` is found as early as
/// possible and never looked for again: the server's matcher gives up where it would have to try
/// too often.
fn like(pattern: &str, is_folded: bool) -> String {
    let mut segments = vec![String::new()];
    let mut characters = pattern.chars();
    while let Some(one) = characters.next() {
        if one == '%' {
            segments.push(String::new());
            continue;
        }
        let Some(segment) = segments.last_mut() else { continue };
        match one {
            '_' => segment.push_str(r"[\s\S]"),
            '\\' => character(characters.next().unwrap_or('\\'), is_folded, segment),
            plain => character(plain, is_folded, segment),
        }
    }
    let Some((first, rest)) = segments.split_first() else { return String::new() };
    let mut out = format!("^{first}");
    if let Some((last, middle)) = rest.split_last() {
        for segment in middle.iter().filter(|segment| !segment.is_empty()) {
            out.push_str(&format!(r"(?>[\s\S]*?{segment})"));
        }
        out.push_str(r"[\s\S]*");
        out.push_str(last);
    }
    out.push_str(r"(?:\z)");
    out
}

/// The portable form of a regular expression, in which `$` is the end of the text and not also the
/// place before a newline at its end.
fn portable(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut characters = pattern.chars();
    let mut in_class = false;
    while let Some(one) = characters.next() {
        match one {
            '\\' => {
                out.push('\\');
                out.extend(characters.next());
                continue;
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '$' if !in_class => {
                out.push_str(r"(?:\z)");
                continue;
            }
            _ => {}
        }
        out.push(one);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_spelled_out() {
        assert_eq!(like("a%b", false), r"^a[\s\S]*b(?:\z)");
        assert_eq!(like(r"100\%_%x%", false), r"^100\%[\s\S](?>[\s\S]*?x)[\s\S]*(?:\z)");
        assert_eq!(like("plain", false), r"^plain(?:\z)");
        assert_eq!(folded("k."), "[kK\u{212A}]\\.");
        assert_eq!(portable(r"^a$|[$]\$"), r"^a(?:\z)|[$]\$");
    }

    #[test]
    fn the_range_of_a_prefix_ends_before_the_next() {
        assert_eq!(after_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_prefix("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(after_prefix("\u{10FFFF}"), None);
        assert_eq!(after_prefix(""), None);
    }
}
