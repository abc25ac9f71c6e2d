//! Words that are nearly right.

/// What other libraries call an attribute, and what it is called here.
const SYNONYMS: [(&str, &str); 22] = [
    ("primary_key", "key"),
    ("primary", "key"),
    ("pk", "key"),
    ("id", "key"),
    ("auto_increment", "auto"),
    ("autoincrement", "auto"),
    ("generated", "auto"),
    ("column", "name"),
    ("column_name", "name"),
    ("rename", "name"),
    ("foreign_key", "references"),
    ("belongs_to", "references"),
    ("fk", "references"),
    ("ignore", "skip"),
    ("transient", "skip"),
    ("length", "max_length"),
    ("flatten", "embed"),
    ("embedded", "embed"),
    ("table_name", "table"),
    ("view", "read_only"),
    ("created_at", "created"),
    ("updated_at", "updated"),
];

/// The known word that was probably meant.
pub(crate) fn suggestion<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let close = known
        .iter()
        .map(|known| (distance(&word, &known.to_lowercase()), *known))
        .filter(|(distance, known)| *distance <= 1 + known.chars().count() / 5)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known);
    close.or_else(|| {
        let (_, meant) = SYNONYMS.iter().find(|(synonym, _)| *synonym == word)?;
        known.iter().find(|known| *known == meant).copied()
    })
}

/// Words as a list: `` `a`, `b` ``.
pub(crate) fn list<S: std::fmt::Display>(words: impl IntoIterator<Item = S>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (row, own) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX - 1);
            let mut least = (at(&above, column) + usize::from(own != *other))
                .min(at(&above, column + 1) + 1)
                .min(at(&current, column) + 1);
            let swapped = column > 0 && previous == Some(*other) && right.get(column - 1) == Some(&own);
            if swapped {
                least = least.min(at(&before, column - 1) + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut above, current);
        previous = Some(own);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_suggested() {
        let known = ["key", "auto", "unique", "max_length", "references"];
        assert_eq!(suggestion("uniqe", &known), Some("unique"));
        assert_eq!(suggestion("kye", &known), Some("key"));
        assert_eq!(suggestion("reference", &known), Some("references"));
        assert_eq!(suggestion("maxLength", &known), Some("max_length"));
        assert_eq!(suggestion("colour", &known), None);
    }

    #[test]
    fn the_words_of_other_libraries_are_understood() {
        assert_eq!(suggestion("primary_key", &["key", "auto"]), Some("key"));
        assert_eq!(suggestion("primary_key", &["table"]), None);
    }

    #[test]
    fn distances_count_edits() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "acb"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
