//! Sets of characters: what the classes of a regular expression come to.

/// A set of characters as ranges that are sorted and apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CharacterSet {
    ranges: Vec<(char, char)>,
}

impl CharacterSet {
    /// The ASCII digits.
    pub(super) const DIGITS: &'static [(char, char)] = &[('0', '9')];
    /// The ASCII letters, digits and the underscore.
    pub(super) const WORD: &'static [(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
    /// The ASCII white space: tab, line feed, vertical tab, form feed, carriage return, space.
    pub(super) const SPACE: &'static [(char, char)] = &[('\t', '\r'), (' ', ' ')];

    /// The set of some ranges.
    pub(super) fn of(ranges: &[(char, char)]) -> Self {
        let mut set = CharacterSet { ranges: ranges.to_vec() };
        set.tidy();
        set
    }

    /// Adds the characters of another set.
    pub(super) fn add(&mut self, other: &CharacterSet) {
        self.ranges.extend_from_slice(&other.ranges);
        self.tidy();
    }

    fn tidy(&mut self) {
        self.ranges.sort_unstable();
        let mut tidy: Vec<(char, char)> = Vec::with_capacity(self.ranges.len());
        for (first, last) in self.ranges.drain(..) {
            match tidy.last_mut() {
                Some((_, end)) if after(*end).is_none_or(|next| first <= next) => *end = last.max(*end),
                _ => tidy.push((first, last)),
            }
        }
        self.ranges = tidy;
    }

    /// The characters that are not in the set.
    pub(super) fn complement(&self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = Some('\0');
        for (first, last) in &self.ranges {
            if let (Some(from), Some(to)) = (next, before(*first))
                && from <= to
            {
                ranges.push((from, to));
            }
            next = after(*last);
        }
        if let Some(from) = next {
            ranges.push((from, char::MAX));
        }
        CharacterSet { ranges }
    }

    /// Whether the set is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Writes the set as a bracket class that every dialect of regular expressions reads alike:
    /// only characters and ranges, no NUL.
    pub(super) fn print(&self, out: &mut String) {
        // Text holds no NUL, so a set with it is written by what it lacks.
        let is_negative = self.ranges.first().is_some_and(|(first, _)| *first == '\0');
        let complement = self.complement();
        let shown = if is_negative { &complement } else { self };
        if shown.is_empty() {
            out.push_str(r"(?:[^\n]|\n)");
            return;
        }
        out.push_str(if is_negative { "[^" } else { "[" });
        for (first, last) in &shown.ranges {
            print_character(*first, out);
            if first != last {
                if after(*first) != Some(*last) {
                    out.push('-');
                }
                print_character(*last, out);
            }
        }
        out.push(']');
    }
}

/// The character after one, leaving out the surrogates.
fn after(character: char) -> Option<char> {
    match character {
        '\u{D7FF}' => Some('\u{E000}'),
        _ => char::from_u32(u32::from(character) + 1),
    }
}

/// The character before one, leaving out the surrogates.
fn before(character: char) -> Option<char> {
    match character {
        '\u{E000}' => Some('\u{D7FF}'),
        _ => char::from_u32(u32::from(character).checked_sub(1)?),
    }
}

fn print_character(character: char, out: &mut String) {
    match character {
        '\n' => out.push_str(r"\n"),
        '\t' => out.push_str(r"\t"),
        '\r' => out.push_str(r"\r"),
        '\\' | '[' | ']' | '^' | '-' | '&' | '~' => {
            out.push('\\');
            out.push(character);
        }
        plain => out.push(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(set: &CharacterSet) -> String {
        let mut out = String::new();
        set.print(&mut out);
        out
    }

    #[test]
    fn ranges_that_touch_become_one() {
        let set = CharacterSet::of(&[('d', 'f'), ('a', 'c'), ('b', 'e'), ('x', 'x')]);
        assert_eq!(printed(&set), "[a-fx]");
    }

    #[test]
    fn a_complement_is_written_without_nul() {
        let digits = CharacterSet::of(CharacterSet::DIGITS);
        assert_eq!(printed(&digits.complement()), "[^0-9]");
        assert_eq!(digits.complement().complement(), digits);
        let mut with_five = digits.complement();
        with_five.add(&CharacterSet::of(&[('5', '5')]));
        assert_eq!(printed(&with_five), "[^0-46-9]");
    }

    #[test]
    fn everything_and_nothing_are_told_apart() {
        let everything = CharacterSet::default().complement();
        assert_eq!(printed(&everything), r"(?:[^\n]|\n)");
        assert!(everything.complement().is_empty());
    }

    #[test]
    fn surrogates_are_stepped_over() {
        let set = CharacterSet::of(&[('a', '\u{D7FF}'), ('\u{E000}', '\u{E001}')]);
        assert_eq!(printed(&set), "[a-\u{E001}]");
        assert_eq!(set.complement().complement(), set);
    }
}
