//! Regular expressions in the subset that every database reads alike.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use regex_syntax::ast::{
    AssertionKind, Ast, ClassBracketed, ClassPerl, ClassPerlKind, ClassSet, ClassSetItem, GroupKind, Literal,
    LiteralKind, Repetition, RepetitionKind, RepetitionRange, Span, SpecialLiteralKind, parse::ParserBuilder,
};

use super::class::CharacterSet;
use crate::error::{Error, Result};

/// The greatest bound of a quantifier.
const MAX_BOUND: u32 = 255;
/// The deepest nesting of groups.
const MAX_DEPTH: u32 = 100;
/// The greatest number of characters and classes once the bounds of quantifiers are written out.
const MAX_SIZE: u64 = 10_000;
/// How many patterns [`RegexPattern::cached`] keeps.
const CACHED_PATTERNS: usize = 32;

/// A regular expression, checked and compiled.
///
/// It takes literals, escapes of punctuation, `\n \t \r`, classes, `\d \w \s` and their negations
/// (ASCII), groups, `|`, `^` and `$` as the ends of the text, `.` for any character but a newline,
/// and the greedy quantifiers `* + ? {m} {m,} {m,n}` with bounds up to 255.
///
/// ```
/// use ommi_core::query::pattern::RegexPattern;
///
/// let pattern = RegexPattern::parse(r"^(N|n)\d{3}")?;
/// assert!(pattern.is_match("N123UA"));
/// assert_eq!(pattern.portable(), "^(?:N|n)[0-9]{3}");
/// assert!(RegexPattern::parse(r"a+?").unwrap_err().is_query());
/// # Ok::<(), ommi_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RegexPattern {
    portable: String,
    compiled: regex::Regex,
}

static CACHE: Mutex<VecDeque<(Box<str>, Arc<RegexPattern>)>> = Mutex::new(VecDeque::new());

impl RegexPattern {
    /// Reads and compiles a pattern.
    ///
    /// # Errors
    ///
    /// `Query`, with the construct and its place, if the pattern is no regular expression, has a
    /// construct that some database reads otherwise, or is too large.
    pub fn parse(pattern: &str) -> Result<RegexPattern> {
        crate::value::check::text(pattern)?;
        let ast = ParserBuilder::new()
            .nest_limit(MAX_DEPTH)
            .build()
            .parse(pattern)
            .map_err(|error| refuse(pattern, &error.kind().to_string(), error.span()))?;
        let mut printer = Printer { pattern, out: String::with_capacity(pattern.len() + 8) };
        let size = printer.print(&ast)?;
        if printer.out.is_empty() {
            // some databases refuse an empty pattern
            printer.out.push_str("(?:)");
        }
        if size > MAX_SIZE {
            return Err(Error::query(format!(
                "the regular expression comes to {size} characters once its quantifiers are written out, more than {MAX_SIZE}"
            )));
        }
        let compiled = regex::RegexBuilder::new(&printer.out)
            .size_limit(1 << 27)
            .build()
            .map_err(|error| Error::query(format!("the regular expression is too large: {error}")))?;
        Ok(RegexPattern { portable: printer.out, compiled })
    }

    /// The pattern from a small cache of those parsed last, or parsed anew.
    ///
    /// # Errors
    ///
    /// As [`RegexPattern::parse`].
    pub fn cached(pattern: &str) -> Result<Arc<RegexPattern>> {
        let lock = || CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut cache = lock();
            if let Some(at) = cache.iter().position(|(source, _)| **source == *pattern) {
                // the last used stands in front
                if let Some(entry) = cache.remove(at) {
                    let found = Arc::clone(&entry.1);
                    cache.push_front(entry);
                    return Ok(found);
                }
            }
        }
        let parsed = Arc::new(RegexPattern::parse(pattern)?);
        let mut cache = lock();
        cache.truncate(CACHED_PATTERNS - 1);
        cache.push_front((pattern.into(), Arc::clone(&parsed)));
        Ok(parsed)
    }

    /// The pattern in a canonical form: the same constructs spelled so that all dialects read them
    /// alike.
    ///
    /// Classes are brackets of characters and ranges, `.` is `[^\n]`, groups do not capture. It
    /// needs a dialect in which `^` and `$` are only the ends of the text.
    pub fn portable(&self) -> &str {
        &self.portable
    }

    /// Whether a match is anywhere in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }
}

#[cold]
fn refuse(pattern: &str, what: &str, span: &Span) -> Error {
    let start = span.start.offset;
    let shown: String = pattern.get(start..span.end.offset).unwrap_or_default().chars().take(40).collect();
    let shown = if shown.is_empty() { shown } else { format!("`{shown}` ") };
    Error::query(format!(
        "the regular expression is refused for {shown}at byte {start}: {what}. It may have literals, classes, groups, `|`, `^`, `$`, `.`, `\\d \\w \\s` and greedy quantifiers up to {MAX_BOUND}"
    ))
}

/// Checks a parsed pattern and prints it in the portable form.
struct Printer<'a> {
    pattern: &'a str,
    out: String,
}

impl Printer<'_> {
    fn refuse<T>(&self, what: &str, span: &Span) -> Result<T> {
        Err(refuse(self.pattern, what, span))
    }

    /// Prints a part and gives its size with the bounds of quantifiers written out.
    fn print(&mut self, ast: &Ast) -> Result<u64> {
        match ast {
            Ast::Empty(_) => Ok(0),
            Ast::Flags(flags) => self.refuse("flags are not portable", &flags.span),
            Ast::Literal(literal) => {
                let character = self.character(literal)?;
                match character {
                    '\n' => self.out.push_str(r"\n"),
                    '\t' => self.out.push_str(r"\t"),
                    '\r' => self.out.push_str(r"\r"),
                    meta if r"\.+*?()|[]{}^$".contains(meta) => {
                        self.out.push('\\');
                        self.out.push(meta);
                    }
                    plain => self.out.push(plain),
                }
                Ok(1)
            }
            Ast::Dot(_) => {
                self.out.push_str(r"[^\n]");
                Ok(1)
            }
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine => {
                    self.out.push('^');
                    Ok(0)
                }
                AssertionKind::EndLine => {
                    self.out.push('$');
                    Ok(0)
                }
                AssertionKind::StartText | AssertionKind::EndText => {
                    self.refuse("write `^` and `$` for the ends of the text", &assertion.span)
                }
                _ => self.refuse("word boundaries are not portable", &assertion.span),
            },
            Ast::ClassUnicode(class) => self.refuse("classes of Unicode properties are not portable", &class.span),
            Ast::ClassPerl(class) => {
                perl(class).print(&mut self.out);
                Ok(1)
            }
            Ast::ClassBracketed(class) => {
                let set = self.bracketed(class)?;
                if set.is_empty() {
                    return self.refuse("the class has no characters and can never match", &class.span);
                }
                set.print(&mut self.out);
                Ok(1)
            }
            Ast::Repetition(repetition) => self.repetition(repetition),
            Ast::Group(group) => {
                match &group.kind {
                    GroupKind::CaptureIndex(_) => {}
                    GroupKind::NonCapturing(flags) if flags.items.is_empty() => {}
                    GroupKind::NonCapturing(flags) => return self.refuse("flags are not portable", &flags.span),
                    GroupKind::CaptureName { name, .. } => {
                        return self.refuse("groups with names are not portable", &name.span);
                    }
                }
                self.out.push_str("(?:");
                let size = self.print(&group.ast)?;
                self.out.push(')');
                Ok(size)
            }
            Ast::Alternation(alternation) => {
                let mut size = 0u64;
                for (index, branch) in alternation.asts.iter().enumerate() {
                    if index > 0 {
                        self.out.push('|');
                    }
                    if branch.is_empty() {
                        self.out.push_str("(?:)");
                    }
                    size = size.saturating_add(self.print(branch)?);
                }
                Ok(size)
            }
            Ast::Concat(concat) => {
                let mut size = 0u64;
                for part in &concat.asts {
                    size = size.saturating_add(self.print(part)?);
                }
                Ok(size)
            }
        }
    }

    fn repetition(&mut self, repetition: &Repetition) -> Result<u64> {
        let span = &repetition.op.span;
        if !repetition.greedy {
            return self.refuse("lazy quantifiers are not portable", span);
        }
        match &*repetition.ast {
            Ast::Repetition(_) => {
                return self
                    .refuse("a quantifier after a quantifier is not portable: put a group around the first", span);
            }
            Ast::Assertion(_) => return self.refuse("`^` and `$` cannot be repeated", span),
            _ => {}
        }
        let size = self.print(&repetition.ast)?;
        let (sign, most) = match &repetition.op.kind {
            RepetitionKind::ZeroOrOne => ("?".to_owned(), 1),
            RepetitionKind::ZeroOrMore => ("*".to_owned(), 1),
            RepetitionKind::OneOrMore => ("+".to_owned(), 1),
            RepetitionKind::Range(range) => {
                let (sign, most) = match *range {
                    RepetitionRange::Exactly(times) => (format!("{{{times}}}"), times),
                    RepetitionRange::AtLeast(least) => (format!("{{{least},}}"), least),
                    RepetitionRange::Bounded(least, most) => (format!("{{{least},{most}}}"), most),
                };
                if most > MAX_BOUND {
                    return self.refuse("the bound of a quantifier is at most 255", span);
                }
                (sign, most)
            }
        };
        self.out.push_str(&sign);
        Ok(size.saturating_mul(u64::from(most.max(1))))
    }

    /// The character of a literal that is written in a portable way.
    fn character(&self, literal: &Literal) -> Result<char> {
        match &literal.kind {
            LiteralKind::Verbatim | LiteralKind::Meta | LiteralKind::Superfluous => Ok(literal.c),
            LiteralKind::Special(
                SpecialLiteralKind::LineFeed | SpecialLiteralKind::Tab | SpecialLiteralKind::CarriageReturn,
            ) => Ok(literal.c),
            _ => self.refuse(
                "only punctuation, `\\n`, `\\t` and `\\r` can be escaped: write the character itself",
                &literal.span,
            ),
        }
    }

    fn bracketed(&self, class: &ClassBracketed) -> Result<CharacterSet> {
        let mut set = CharacterSet::default();
        match &class.kind {
            ClassSet::Item(item) => self.item(item, &mut set)?,
            ClassSet::BinaryOp(operation) => {
                return self.refuse("set operations in classes are not portable", &operation.span);
            }
        }
        Ok(if class.negated { set.complement() } else { set })
    }

    fn item(&self, item: &ClassSetItem, set: &mut CharacterSet) -> Result<()> {
        match item {
            ClassSetItem::Empty(_) => {}
            ClassSetItem::Literal(literal) => {
                let character = self.character(literal)?;
                set.add(&CharacterSet::of(&[(character, character)]));
            }
            ClassSetItem::Range(range) => {
                set.add(&CharacterSet::of(&[(self.character(&range.start)?, self.character(&range.end)?)]));
            }
            ClassSetItem::Perl(class) => set.add(&perl(class)),
            ClassSetItem::Union(union) => union.items.iter().try_for_each(|item| self.item(item, set))?,
            ClassSetItem::Ascii(class) => {
                return self.refuse("named classes are not portable: write the ranges", &class.span);
            }
            ClassSetItem::Unicode(class) => {
                return self.refuse("classes of Unicode properties are not portable", &class.span);
            }
            ClassSetItem::Bracketed(class) => {
                return self.refuse("classes in classes are not portable; write `\\[` for the character", &class.span);
            }
        }
        Ok(())
    }
}

fn perl(class: &ClassPerl) -> CharacterSet {
    let set = CharacterSet::of(match class.kind {
        ClassPerlKind::Digit => CharacterSet::DIGITS,
        ClassPerlKind::Word => CharacterSet::WORD,
        ClassPerlKind::Space => CharacterSet::SPACE,
    });
    if class.negated { set.complement() } else { set }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portable(pattern: &str) -> String {
        RegexPattern::parse(pattern).unwrap().portable().to_owned()
    }

    fn is_match(pattern: &str, text: &str) -> bool {
        RegexPattern::parse(pattern).unwrap().is_match(text)
    }

    #[test]
    fn a_pattern_searches() {
        assert!(is_match("b+", "abbc"));
        assert!(!is_match("^b", "ab"));
        assert!(is_match("", ""));
        assert!(is_match("ü.ß", "xüäßx"));
        assert!(!is_match("A", "a"));
    }

    #[test]
    fn the_anchors_are_the_ends_of_the_text() {
        assert!(!is_match("^b", "a\nb"));
        assert!(!is_match("a$", "a\n"));
        assert!(is_match("^$", ""));
    }

    #[test]
    fn a_dot_is_anything_but_a_newline() {
        assert!(!is_match("a.b", "a\nb"));
        assert!(is_match("a.b", "a\rb"));
        assert!(is_match("^.$", "👍"));
        assert!(is_match("a[^x]b", "a\nb"));
    }

    #[test]
    fn perl_classes_are_ascii() {
        assert!(!is_match(r"\d", "٣"));
        assert!(!is_match(r"\w", "ü"));
        assert!(!is_match(r"\s", "\u{A0}"));
        assert!(is_match(r"^\D\W\S$", "üüü"));
        assert!(is_match(r"^\s+$", "\t\n\r \u{B}\u{C}"));
        assert!(is_match(r"^[\s\S]$", "\n"));
    }

    #[test]
    fn the_portable_form_spells_classes_out() {
        assert_eq!(portable(r"\d\w\s"), "[0-9][0-9A-Z_a-z][\\t-\\r ]");
        assert_eq!(portable(r"[^\w.-]"), r"[^\-.0-9A-Z_a-z]");
        assert_eq!(portable(r"[\D5]"), "[^0-46-9]");
        assert_eq!(portable(r"[^\D]"), "[0-9]");
        assert_eq!(portable("a.b"), r"a[^\n]b");
        assert_eq!(portable(r"(a|)(?:b)"), "(?:a|(?:))(?:b)");
        assert_eq!(portable(r"a{2}b{2,}c{2,3}d*e+f?"), "a{2}b{2,}c{2,3}d*e+f?");
        assert_eq!(portable(r"\.\-\/\n\t\r\$"), r"\.-/\n\t\r\$");
        assert_eq!(portable(r"[\]\[a&~^]"), r"[\&\[\]\^a\~]");
        assert_eq!(portable(""), "(?:)");
    }

    #[test]
    fn the_portable_form_of_a_portable_form_is_itself() {
        for pattern in [r"^[^\w.-]+(a|b|)*\s?$", r"[\s\S]{0,255}x", r"\(\[\{\\\^", "[a-zä-ü-]", ""] {
            let once = portable(pattern);
            assert_eq!(portable(&once), once, "{pattern}");
        }
    }

    #[test]
    fn what_is_not_portable_is_refused_with_its_place() {
        for (pattern, says) in [
            ("a+?", "lazy"),
            ("a*+", "quantifier after a quantifier"),
            ("a**", "quantifier after a quantifier"),
            ("x(?i)a", "flags"),
            ("(?i:a)", "flags"),
            (r"a\b", "word boundaries"),
            (r"\Aa", "write `^`"),
            (r"a\z", "write `^`"),
            (r"\pL", "Unicode properties"),
            (r"[\pL]", "Unicode properties"),
            ("[a&&b]", "set operations"),
            ("[a-c--b]", "set operations"),
            ("[a[b]]", "classes in classes"),
            ("[[:alpha:]]", "named classes"),
            (r"(a)\1", "backreferences"),
            ("(?=a)", "look-around"),
            ("(?<!a)b", "look-around"),
            ("(?P<n>a)", "names"),
            ("(?<n>a)", "names"),
            (r"\x41", "escaped"),
            (r"\u0041", "escaped"),
            (r"\f", "escaped"),
            ("^*", "repeated"),
            ("a{256}", "255"),
            ("a{3,999}", "255"),
            ("(", "unclosed"),
            ("a)", "unopened"),
            ("*a", "missing"),
            (r"[^\s\S]", "never match"),
            (r"\q", "unrecognized"),
            ("a\\", "incomplete"),
            ("[b-a]", "range"),
            ("{", "missing"),
        ] {
            let error = RegexPattern::parse(pattern).expect_err(pattern);
            assert!(error.is_query(), "{pattern}");
            assert!(error.message().contains(says), "{pattern}: {error}");
            assert!(error.message().contains("at byte "), "{pattern}: {error}");
        }
        assert!(RegexPattern::parse("ab(?i)").unwrap_err().message().contains("at byte 2"));
        assert!(RegexPattern::parse("a\0b").unwrap_err().is_query());
    }

    #[test]
    fn a_pattern_that_would_be_huge_is_refused() {
        let error = RegexPattern::parse("((a{255}){255}){255}").unwrap_err();
        assert!(error.is_query() && error.message().contains("more than 10000"), "{error}");
        assert!(RegexPattern::parse(&"(".repeat(5_000)).unwrap_err().is_query());
        assert!(is_match(r"^(?:[^x]{100}){90}$", &"ü".repeat(9_000)));
    }

    #[test]
    fn cached_patterns_are_shared() {
        let first = RegexPattern::cached("shared [abc]").unwrap();
        let second = RegexPattern::cached("shared [abc]").unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        assert!(RegexPattern::cached("(").unwrap_err().is_query());
    }
}
