//! Stored names: what MongoDB does not allow in a name is written with percent signs.

use std::borrow::Cow;

/// Whether text would be read as one of the marks that names are written with.
fn is_mark(rest: &str) -> bool {
    ["%24", "%25", "%2E", "%5F"].iter().any(|mark| rest.starts_with(mark))
}

/// The name of a field in a document: `.` and a leading `$` mean something else there, and `_id`
/// is the key's.
pub(crate) fn field(name: &str) -> Cow<'_, str> {
    if name == "_id" {
        return Cow::Borrowed("%5Fid");
    }
    if !name.contains(['.', '%']) && !name.starts_with('$') {
        return Cow::Borrowed(name);
    }
    Cow::Owned(written(name, |at, character| character == '.' || character == '$' && at == 0))
}

/// The name of a collection: `$` is not allowed in it, and `system.` in front is the server's.
pub(crate) fn collection(name: &str) -> Cow<'_, str> {
    let is_taken = name.starts_with("system.") || name.starts_with("ommi.") || name.starts_with('.');
    if !name.contains(['$', '%']) && !is_taken && !name.ends_with('.') {
        return Cow::Borrowed(name);
    }
    let last = name.len().saturating_sub(1);
    let dot = name.find('.').filter(|_| is_taken);
    Cow::Owned(written(name, |at, character| character == '$' || character == '.' && (Some(at) == dot || at == last)))
}

fn written(name: &str, is_escaped: impl Fn(usize, char) -> bool) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    for (at, character) in name.char_indices() {
        match character {
            '%' if is_mark(name.get(at..).unwrap_or_default()) => out.push_str("%25"),
            '$' if is_escaped(at, '$') => out.push_str("%24"),
            '.' if is_escaped(at, '.') => out.push_str("%2E"),
            plain => out.push(plain),
        }
    }
    out
}

/// The name that a stored one stands for.
pub(crate) fn read(stored: &str) -> Cow<'_, str> {
    if !stored.contains('%') {
        return Cow::Borrowed(stored);
    }
    let mut out = String::with_capacity(stored.len());
    let mut rest = stored;
    while let Some(character) = rest.chars().next() {
        let mark = match rest.get(..3) {
            Some("%24") => Some('$'),
            Some("%25") => Some('%'),
            Some("%2E") => Some('.'),
            Some("%5F") => Some('_'),
            _ => None,
        };
        out.push(mark.unwrap_or(character));
        rest = rest.get(if mark.is_some() { 3 } else { character.len_utf8() }..).unwrap_or_default();
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_they_were() {
        for name in ["id", "$1", "a.b", "100%", "%24", "%2524", "$$", "a$b", ".", "..", "", "ü.é", "%", "%2", "_id"] {
            assert_eq!(read(&field(name)), name);
            assert_eq!(read(&collection(name)), name);
        }
        for name in ["system.users", "a.b.", "ommi.counters", ".x", "a$.b"] {
            assert_eq!(read(&collection(name)), name);
        }
    }

    #[test]
    fn usual_names_stay_as_they_are() {
        assert_eq!(field("a$b"), "a$b");
        assert_eq!(field("two words"), "two words");
        assert_eq!(collection("a.b"), "a.b");
        assert_eq!(field("$gt"), "%24gt");
        assert_eq!(field("a.b"), "a%2Eb");
        assert_eq!(collection("system.users"), "system%2Eusers");
    }
}
