//! Names in the cases that `rename_all` knows, and the names of constants.

/// The cases by the names that `rename_all` takes.
const CASES: [(&str, Case); 7] = [
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("PascalCase", Case::Pascal),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
];

/// A way to write a name of several words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Camel,
    Snake,
    Pascal,
    ScreamingSnake,
    Kebab,
    Lower,
    Upper,
}

impl Case {
    /// The case of a name, as `rename_all` takes it.
    pub(crate) fn from_name(name: &str) -> Option<Case> {
        CASES.iter().find(|(known, _)| *known == name).map(|(_, case)| *case)
    }

    /// The names of all cases.
    pub(crate) fn names() -> Vec<&'static str> {
        CASES.iter().map(|(name, _)| *name).collect()
    }

    /// A name in this case; underscores at its beginning stay, and at its end where words have them between.
    pub(crate) fn apply(self, name: &str) -> String {
        match self {
            Case::Lower => return name.to_lowercase(),
            Case::Upper => return name.to_uppercase(),
            _ => {}
        }
        let bare = name.trim_start_matches('_');
        let lead = "_".repeat(name.chars().count() - bare.chars().count());
        let trail = "_".repeat(bare.chars().rev().take_while(|character| *character == '_').count());
        let words = words(bare);
        let capitalized = |word: &String| {
            let mut characters = word.chars();
            characters
                .next()
                .map(|first| first.to_uppercase().chain(characters).collect::<String>())
                .unwrap_or_default()
        };
        lead + &match self {
            Case::Snake => words.join("_") + &trail,
            Case::Kebab => words.join("-"),
            Case::ScreamingSnake => words.join("_").to_uppercase() + &trail,
            Case::Pascal => words.iter().map(capitalized).collect::<String>(),
            _ => match words.split_first() {
                Some((first, rest)) => first.clone() + &rest.iter().map(capitalized).collect::<String>(),
                None => String::new(),
            },
        }
    }
}

/// The words of a name, in lower case: `author_id`, `authorId` and `AuthorID` have the same.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut characters = name.chars().peekable();
    let mut last = None::<char>;
    while let Some(character) = characters.next() {
        let begins = character.is_uppercase()
            && last
                .is_some_and(|last| !last.is_uppercase() || characters.peek().is_some_and(|next| next.is_lowercase()));
        if (begins || character == '_') && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character != '_' {
            word.extend(character.to_lowercase());
        }
        last = Some(character);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_every_case() {
        for name in ["author_id", "authorId", "AuthorId", "AuthorID"] {
            let all = CASES.map(|(_, case)| case).map(|case| case.apply(name));
            assert_eq!(all[..5], ["authorId", "author_id", "AuthorId", "AUTHOR_ID", "author-id"]);
        }
        assert_eq!(Case::Lower.apply("Author_Id"), "author_id");
        assert_eq!(Case::Upper.apply("Author_Id"), "AUTHOR_ID");
    }

    #[test]
    fn acronyms_and_digits_stay_together() {
        assert_eq!(Case::Snake.apply("HTTPServer2Go"), "http_server2_go");
        assert_eq!(Case::Camel.apply("line_2"), "line2");
        assert_eq!(Case::ScreamingSnake.apply("line2"), "LINE2");
    }

    #[test]
    fn underscores_around_a_name_stay() {
        assert_eq!(Case::Camel.apply("_some_id"), "_someId");
        assert_eq!(Case::ScreamingSnake.apply("__"), "__");
        assert_eq!(Case::ScreamingSnake.apply("type_"), "TYPE_");
        assert_eq!(Case::Camel.apply("type_"), "type");
    }

    #[test]
    fn letters_of_any_alphabet_have_cases() {
        assert_eq!(Case::ScreamingSnake.apply("größe"), "GRÖSSE");
        assert_eq!(Case::Pascal.apply("číslo_domu"), "ČísloDomu");
    }
}
