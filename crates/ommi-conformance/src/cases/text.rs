//! Tests of texts.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::{Item, fill, item, named, names};

cases! { "text":
    text_equality_is_exact,
    contains_is_case_sensitive,
    every_character_is_plain_in_contains,
    every_character_is_plain_in_starts_with_and_ends_with,
    the_empty_text_is_in_every_text,
    not_contains_is_the_opposite,
    starts_with_is_exact_at_the_end_of_the_code_space,
    like_percent_is_any_text,
    like_underscore_is_one_character,
    like_matches_the_whole_text,
    like_matches_over_newlines,
    like_is_case_sensitive,
    like_escapes_with_a_backslash,
    like_refuses_any_other_backslash,
    like_without_wildcards_is_equality,
    not_like_is_the_opposite,
    ilike_folds_both_sides,
    icontains_folds_both_sides,
    istarts_with_and_iends_with_fold_both_sides,
    ieq_folds_both_sides_and_compares_whole_texts,
    folding_is_simple_unicode_folding,
    the_turkish_dotted_capital_i_has_no_simple_folding,
    every_character_is_plain_in_folded_tests,
    regex_searches_anywhere,
    regex_takes_classes_groups_and_alternatives,
    regex_quantifiers_are_greedy_and_bounded,
    regex_anchors_are_the_ends_of_the_text,
    regex_dot_excludes_newline,
    regex_shorthands_are_ascii,
    regex_sees_characters_not_bytes,
    regex_refuses_what_databases_do_not_agree_on,
    composed_and_combining_characters_differ,
    a_nul_character_is_refused_in_arguments,
    a_nul_character_is_refused_in_writes,
    a_long_text_is_searched_to_its_end,
    text_fields_compare_with_each_other,
}

async fn text_equality_is_exact(db: Db) -> Verdict {
    fill(&db, named(&["a", "A", "a ", " a", "ä", "", "a\n"])).await?;
    for text in ["a", "A", "a ", " a", "ä", "", "a\n"] {
        check_eq!(names(&db, Item::NAME.eq(text)).await?, [text]);
    }
    check_eq!(db.find(Item::NAME.ne("a")).count().await?, 6);
    check_eq!(names(&db, Item::NAME.in_(["a", "ä", "b"])).await?, ["a", "ä"]);
    Ok(())
}

async fn contains_is_case_sensitive(db: Db) -> Verdict {
    fill(&db, named(&["Earth", "earth", "Hearth", "EARTH"])).await?;
    check_eq!(
        names(&db, Item::NAME.contains("earth")).await?,
        ["earth", "Hearth"].map(String::from).into_iter().rev().collect::<Vec<_>>()
    );
    check_eq!(names(&db, Item::NAME.contains("Ear")).await?, ["Earth"]);
    check_eq!(names(&db, Item::NAME.starts_with("E")).await?, ["EARTH", "Earth"]);
    check_eq!(names(&db, Item::NAME.ends_with("TH")).await?, ["EARTH"]);
    Ok(())
}

const PLAIN: [&str; 12] = ["%", "_", "\\", "*", "?", "[a]", "(", ".", "'", "\"", "$", "^"];

async fn every_character_is_plain_in_contains(db: Db) -> Verdict {
    let texts: Vec<String> =
        PLAIN.iter().map(|plain| format!("x{plain}y")).chain(["xy".into(), "xay".into()]).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    fill(&db, named(&texts)).await?;
    for plain in PLAIN {
        check_eq!(names(&db, Item::NAME.contains(plain)).await?, [format!("x{plain}y")]);
        check_eq!(db.find(Item::NAME.not_contains(plain)).count().await?, 13, "not_contains of {plain}");
    }
    Ok(())
}

async fn every_character_is_plain_in_starts_with_and_ends_with(db: Db) -> Verdict {
    let texts: Vec<String> =
        PLAIN.iter().map(|plain| format!("{plain}y{plain}")).chain(["xy".into(), "y".into()]).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    fill(&db, named(&texts)).await?;
    for plain in PLAIN {
        check_eq!(names(&db, Item::NAME.starts_with(plain)).await?, [format!("{plain}y{plain}")]);
        check_eq!(names(&db, Item::NAME.ends_with(plain)).await?, [format!("{plain}y{plain}")]);
    }
    Ok(())
}

async fn the_empty_text_is_in_every_text(db: Db) -> Verdict {
    fill(&db, named(&["", "a"])).await?;
    check_eq!(names(&db, Item::NAME.contains("")).await?, ["", "a"]);
    check_eq!(names(&db, Item::NAME.starts_with("")).await?, ["", "a"]);
    check_eq!(names(&db, Item::NAME.ends_with("")).await?, ["", "a"]);
    check_eq!(names(&db, Item::NAME.icontains("")).await?, ["", "a"]);
    check_eq!(names(&db, Item::NAME.like("")).await?, [""]);
    check_eq!(db.find(Item::NAME.not_contains("")).count().await?, 0);
    Ok(())
}

async fn not_contains_is_the_opposite(db: Db) -> Verdict {
    fill(&db, named(&["ab", "b", "cab"])).await?;
    check_eq!(names(&db, Item::NAME.not_contains("a")).await?, ["b"]);
    check_eq!(names(&db, !Item::NAME.contains("a")).await?, ["b"]);
    check_eq!(names(&db, !Item::NAME.not_contains("a")).await?, ["ab", "cab"]);
    Ok(())
}

async fn starts_with_is_exact_at_the_end_of_the_code_space(db: Db) -> Verdict {
    fill(&db, named(&["a\u{10FFFF}", "a\u{10FFFF}b", "b", "a", "a\u{FFFF}", "\u{10FFFF}"])).await?;
    check_eq!(names(&db, Item::NAME.starts_with("a\u{10FFFF}")).await?, ["a\u{10FFFF}", "a\u{10FFFF}b"]);
    check_eq!(names(&db, Item::NAME.starts_with("\u{10FFFF}")).await?, ["\u{10FFFF}"]);
    check_eq!(names(&db, Item::NAME.starts_with("a\u{FFFF}")).await?, ["a\u{FFFF}"]);
    check_eq!(names(&db, Item::NAME.like("a\u{D7FF}%")).await?, Vec::<String>::new());
    check_eq!(names(&db, Item::NAME.like("a\u{FFFF}%")).await?, ["a\u{FFFF}"]);
    Ok(())
}

async fn like_percent_is_any_text(db: Db) -> Verdict {
    fill(&db, named(&["", "a", "ab", "ba", "bab"])).await?;
    check_eq!(names(&db, Item::NAME.like("%")).await?, ["", "a", "ab", "ba", "bab"]);
    check_eq!(names(&db, Item::NAME.like("a%")).await?, ["a", "ab"]);
    check_eq!(names(&db, Item::NAME.like("%a")).await?, ["a", "ba"]);
    check_eq!(names(&db, Item::NAME.like("%a%")).await?, ["a", "ab", "ba", "bab"]);
    check_eq!(names(&db, Item::NAME.like("b%b")).await?, ["bab"]);
    check_eq!(names(&db, Item::NAME.like("%%a%%")).await?, ["a", "ab", "ba", "bab"]);
    Ok(())
}

async fn like_underscore_is_one_character(db: Db) -> Verdict {
    fill(&db, named(&["", "a", "é", "\u{1F600}", "e\u{301}", "ab"])).await?;
    check_eq!(names(&db, Item::NAME.like("_")).await?, ["a", "é", "\u{1F600}"]);
    check_eq!(names(&db, Item::NAME.like("__")).await?, ["ab", "e\u{301}"]);
    check_eq!(names(&db, Item::NAME.like("_%")).await?, ["a", "ab", "e\u{301}", "é", "\u{1F600}"]);
    Ok(())
}

async fn like_matches_the_whole_text(db: Db) -> Verdict {
    fill(&db, named(&["abc", "ab", "bc", "b"])).await?;
    check_eq!(names(&db, Item::NAME.like("b")).await?, ["b"]);
    check_eq!(names(&db, Item::NAME.like("_b")).await?, ["ab"]);
    Ok(())
}

async fn like_matches_over_newlines(db: Db) -> Verdict {
    fill(&db, named(&["a\nb", "a\r\nb", "ab"])).await?;
    check_eq!(names(&db, Item::NAME.like("a%b")).await?, ["a\nb", "a\r\nb", "ab"]);
    check_eq!(names(&db, Item::NAME.like("a_b")).await?, ["a\nb"]);
    Ok(())
}

async fn like_is_case_sensitive(db: Db) -> Verdict {
    fill(&db, named(&["abc", "ABC", "Abc"])).await?;
    check_eq!(names(&db, Item::NAME.like("a%")).await?, ["abc"]);
    check_eq!(names(&db, Item::NAME.like("%C")).await?, ["ABC"]);
    Ok(())
}

async fn like_escapes_with_a_backslash(db: Db) -> Verdict {
    fill(&db, named(&["100%", "100x", "a_b", "axb", "c\\d", "c\\%"])).await?;
    check_eq!(names(&db, Item::NAME.like(r"100\%")).await?, ["100%"]);
    check_eq!(names(&db, Item::NAME.like(r"a\_b")).await?, ["a_b"]);
    check_eq!(names(&db, Item::NAME.like(r"c\\_")).await?, [r"c\%", r"c\d"]);
    check_eq!(names(&db, Item::NAME.like(r"c\\\%")).await?, [r"c\%"]);
    Ok(())
}

async fn like_refuses_any_other_backslash(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    for pattern in [r"\a", r"a\", r"\\\", r"%\n"] {
        let error = refused(db.find(Item::NAME.like(pattern)).all().await)?;
        check!(error.is_query(), "the error of {pattern} is {error}");
        check!(refused(db.find(Item::NAME.ilike(pattern)).all().await)?.is_query());
    }
    Ok(())
}

async fn like_without_wildcards_is_equality(db: Db) -> Verdict {
    fill(&db, named(&["abc", "ABC", "abcd"])).await?;
    check_eq!(names(&db, Item::NAME.like("abc")).await?, ["abc"]);
    check_eq!(names(&db, Item::NAME.ilike("abc")).await?, ["ABC", "abc"]);
    Ok(())
}

async fn not_like_is_the_opposite(db: Db) -> Verdict {
    fill(&db, named(&["abc", "b", ""])).await?;
    check_eq!(names(&db, Item::NAME.not_like("a%")).await?, ["", "b"]);
    check_eq!(names(&db, !Item::NAME.not_like("a%")).await?, ["abc"]);
    Ok(())
}

async fn ilike_folds_both_sides(db: Db) -> Verdict {
    fill(&db, named(&["Ärger", "ärger", "ÄRGER", "arger"])).await?;
    check_eq!(names(&db, Item::NAME.ilike("ÄR%")).await?, ["ÄRGER", "Ärger", "ärger"]);
    check_eq!(names(&db, Item::NAME.ilike("_rGER")).await?, ["arger", "ÄRGER", "Ärger", "ärger"]);
    Ok(())
}

async fn icontains_folds_both_sides(db: Db) -> Verdict {
    fill(&db, named(&["ПРИВЕТ", "привет", "пока", "Grüße", "GRÜSSE"])).await?;
    check_eq!(names(&db, Item::NAME.icontains("Вет")).await?, ["ПРИВЕТ", "привет"]);
    check_eq!(names(&db, Item::NAME.icontains("RÜ")).await?, ["GRÜSSE", "Grüße"]);
    check_eq!(names(&db, Item::NAME.icontains("ss")).await?, ["GRÜSSE"]);
    Ok(())
}

async fn istarts_with_and_iends_with_fold_both_sides(db: Db) -> Verdict {
    fill(&db, named(&["Ωmega", "ωmega", "megaΩ", "MEGAω"])).await?;
    check_eq!(names(&db, Item::NAME.istarts_with("ΩM")).await?, ["Ωmega", "ωmega"]);
    check_eq!(names(&db, Item::NAME.iends_with("aΩ")).await?, ["MEGAω", "megaΩ"]);
    // the sign of the unit ohm folds to omega
    check_eq!(names(&db, Item::NAME.istarts_with("\u{2126}")).await?, ["Ωmega", "ωmega"]);
    Ok(())
}

async fn ieq_folds_both_sides_and_compares_whole_texts(db: Db) -> Verdict {
    fill(&db, named(&["Straße", "STRASSE", "straße", "STRAẞE", "straße "])).await?;
    check_eq!(names(&db, Item::NAME.ieq("STRAẞE")).await?, ["STRAẞE", "Straße", "straße"]);
    check_eq!(names(&db, Item::NAME.ieq("strasse")).await?, ["STRASSE"]);
    check_eq!(names(&db, Item::NAME.ieq("stra%e")).await?, Vec::<String>::new());
    Ok(())
}

async fn folding_is_simple_unicode_folding(db: Db) -> Verdict {
    // the Kelvin sign and k, the long s and s, the final sigma and sigma, Cherokee, Deseret
    let pairs =
        [("\u{212A}", "k"), ("ſ", "S"), ("ς", "Σ"), ("ϐ", "Β"), ("\u{13A0}", "\u{AB70}"), ("\u{10400}", "\u{10428}")];
    let texts: Vec<&str> = pairs.iter().map(|(text, _)| *text).collect();
    fill(&db, named(&texts)).await?;
    for (text, other) in pairs {
        check_eq!(names(&db, Item::NAME.ieq(other)).await?, [text], "what is the same as {other}");
        check_eq!(names(&db, Item::NAME.icontains(other)).await?, [text]);
        check_eq!(names(&db, Item::NAME.ilike(other)).await?, [text]);
    }
    // one character never folds to two
    check_eq!(db.find(Item::NAME.ieq("ss")).count().await?, 0);
    Ok(())
}

async fn the_turkish_dotted_capital_i_has_no_simple_folding(db: Db) -> Verdict {
    fill(&db, named(&["İ", "i", "I", "ı"])).await?;
    check_eq!(names(&db, Item::NAME.ieq("i")).await?, ["I", "i"]);
    check_eq!(names(&db, Item::NAME.ieq("İ")).await?, ["İ"]);
    check_eq!(names(&db, Item::NAME.ieq("ı")).await?, ["ı"]);
    Ok(())
}

async fn every_character_is_plain_in_folded_tests(db: Db) -> Verdict {
    let texts: Vec<String> = PLAIN.iter().map(|plain| format!("{plain}A{plain}")).collect();
    let mut rows: Vec<Item> = (1..).zip(&texts).map(|(id, text)| item(id, text)).collect();
    rows.push(item(99, "xAx"));
    fill(&db, rows).await?;
    for (plain, text) in PLAIN.iter().zip(&texts) {
        check_eq!(names(&db, Item::NAME.icontains(format!("{plain}a"))).await?, [text.clone()]);
        check_eq!(names(&db, Item::NAME.istarts_with(format!("{plain}a"))).await?, [text.clone()]);
        check_eq!(names(&db, Item::NAME.iends_with(format!("a{plain}"))).await?, [text.clone()]);
        check_eq!(names(&db, Item::NAME.ieq(format!("{plain}a{plain}"))).await?, [text.clone()]);
    }
    Ok(())
}

async fn regex_searches_anywhere(db: Db) -> Verdict {
    fill(&db, named(&["abc", "xbx", "ac", ""])).await?;
    check_eq!(names(&db, Item::NAME.regex("b")).await?, ["abc", "xbx"]);
    check_eq!(names(&db, Item::NAME.regex("")).await?, ["", "abc", "ac", "xbx"]);
    check_eq!(names(&db, !Item::NAME.regex("b")).await?, ["", "ac"]);
    check_eq!(names(&db, Item::NAME.regex("B")).await?, Vec::<String>::new());
    Ok(())
}

async fn regex_takes_classes_groups_and_alternatives(db: Db) -> Verdict {
    fill(&db, named(&["gray", "grey", "groy", "gry", "a-b", "a]b"])).await?;
    check_eq!(names(&db, Item::NAME.regex("gr[ae]y")).await?, ["gray", "grey"]);
    check_eq!(names(&db, Item::NAME.regex("gr[^ae]y")).await?, ["groy"]);
    check_eq!(names(&db, Item::NAME.regex("gr(a|oy|y)")).await?, ["gray", "groy", "gry"]);
    check_eq!(names(&db, Item::NAME.regex("gr(?:a|e)y|a-b")).await?, ["a-b", "gray", "grey"]);
    check_eq!(names(&db, Item::NAME.regex(r"a[\]\-]b")).await?, ["a-b", "a]b"]);
    Ok(())
}

async fn regex_quantifiers_are_greedy_and_bounded(db: Db) -> Verdict {
    fill(&db, named(&["b", "ab", "aab", "aaab"])).await?;
    check_eq!(names(&db, Item::NAME.regex("^a*b$")).await?, ["aaab", "aab", "ab", "b"]);
    check_eq!(names(&db, Item::NAME.regex("^a+b$")).await?, ["aaab", "aab", "ab"]);
    check_eq!(names(&db, Item::NAME.regex("^a?b$")).await?, ["ab", "b"]);
    check_eq!(names(&db, Item::NAME.regex("^a{2}b$")).await?, ["aab"]);
    check_eq!(names(&db, Item::NAME.regex("^a{2,}b$")).await?, ["aaab", "aab"]);
    check_eq!(names(&db, Item::NAME.regex("^a{1,2}b$")).await?, ["aab", "ab"]);
    check_eq!(names(&db, Item::NAME.regex("^a{0,255}b$")).await?, ["aaab", "aab", "ab", "b"]);
    check!(refused(db.find(Item::NAME.regex("a{256}")).all().await)?.is_query());
    Ok(())
}

async fn regex_anchors_are_the_ends_of_the_text(db: Db) -> Verdict {
    fill(&db, named(&["a", "a\n", "\na", "b\na\nb"])).await?;
    check_eq!(names(&db, Item::NAME.regex("^a$")).await?, ["a"]);
    check_eq!(names(&db, Item::NAME.regex("^a")).await?, ["a", "a\n"]);
    check_eq!(names(&db, Item::NAME.regex("a$")).await?, ["\na", "a"]);
    Ok(())
}

async fn regex_dot_excludes_newline(db: Db) -> Verdict {
    fill(&db, named(&["a\nb", "axb", "a\rb", "a\u{1F600}b", "ab"])).await?;
    check_eq!(names(&db, Item::NAME.regex("a.b")).await?, ["a\rb", "axb", "a\u{1F600}b"]);
    check_eq!(names(&db, Item::NAME.regex("a[^x]b")).await?, ["a\nb", "a\rb", "a\u{1F600}b"]);
    Ok(())
}

async fn regex_shorthands_are_ascii(db: Db) -> Verdict {
    fill(&db, named(&["5", "٥", "a", "ä", "_", " ", "\u{A0}", "-"])).await?;
    check_eq!(names(&db, Item::NAME.regex(r"^\d$")).await?, ["5"]);
    check_eq!(names(&db, Item::NAME.regex(r"^\w$")).await?, ["5", "_", "a"]);
    check_eq!(names(&db, Item::NAME.regex(r"^\s$")).await?, [" "]);
    check_eq!(names(&db, Item::NAME.regex(r"^[\d_]$")).await?, ["5", "_"]);
    Ok(())
}

async fn regex_sees_characters_not_bytes(db: Db) -> Verdict {
    fill(&db, named(&["é", "\u{1F600}", "日本", "z"])).await?;
    check_eq!(names(&db, Item::NAME.regex("^.$")).await?, ["z", "é", "\u{1F600}"]);
    check_eq!(names(&db, Item::NAME.regex("^[日本]{2}$")).await?, ["日本"]);
    check_eq!(names(&db, Item::NAME.regex("^[a-é]$")).await?, ["z", "é"]);
    Ok(())
}

async fn regex_refuses_what_databases_do_not_agree_on(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let patterns = [
        r"(a)\1",
        "a(?=b)",
        "a(?!b)",
        "(?<=a)b",
        "a*?",
        "a+?",
        "a{1,2}?",
        "a*+",
        r"\bа",
        r"\p{L}",
        "(?i)a",
        "(?P<n>a)",
        "[[:alpha:]]",
        "(",
        ")",
        "[",
        "a{2,1}",
        "*a",
        r"\",
        r"\Aa",
        r"a\z",
        r"\x41",
        "[a&&b]",
    ];
    for pattern in patterns {
        let error = refused(db.find(Item::NAME.regex(pattern)).all().await)?;
        check!(error.is_query(), "the error of {pattern} is {error}");
    }
    Ok(())
}

async fn composed_and_combining_characters_differ(db: Db) -> Verdict {
    fill(&db, named(&["\u{E9}", "e\u{301}"])).await?;
    check_eq!(names(&db, Item::NAME.eq("\u{E9}")).await?, ["\u{E9}"]);
    check_eq!(names(&db, Item::NAME.contains("e")).await?, ["e\u{301}"]);
    check_eq!(names(&db, Item::NAME.ieq("E\u{301}")).await?, ["e\u{301}"]);
    Ok(())
}

async fn a_nul_character_is_refused_in_arguments(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let filters = [
        Item::NAME.eq("a\0"),
        Item::NAME.contains("\0"),
        Item::NAME.starts_with("\0a"),
        Item::NAME.ieq("\0"),
        Item::NAME.like("\0%"),
        Item::NAME.regex("\0"),
        Item::NAME.in_(["b", "\0"]),
        !Item::NAME.ne("\0"),
    ];
    for filter in filters {
        let shown = format!("{:?}", filter.condition());
        let error = refused(db.find(filter).all().await)?;
        check!(error.is_query(), "the error of {shown} is {error}");
    }
    Ok(())
}

async fn a_nul_character_is_refused_in_writes(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let error = refused(db.add(item(2, "b\0c")).await)?;
    check!(error.is_query(), "{error}");
    check_eq!(error.fields(), ["name"]);
    check!(refused(db.find(Item::all()).update(Item::NAME.set("\0")).await)?.is_query());
    check_eq!(names(&db, Item::all()).await?, ["a"]);
    Ok(())
}

async fn a_long_text_is_searched_to_its_end(db: Db) -> Verdict {
    let long = format!("{}needle", "x".repeat(300_000));
    fill(&db, vec![item(1, &long), item(2, "short")]).await?;
    check_eq!(db.find(Item::NAME.contains("xneedle")).select(Item::ID).all().await?, [1]);
    check_eq!(db.find(Item::NAME.ends_with("needle")).select(Item::ID).all().await?, [1]);
    check_eq!(db.find(Item::NAME.icontains("NEEDLE")).select(Item::ID).all().await?, [1]);
    check_eq!(db.find(Item::NAME.like("x%needle")).select(Item::ID).all().await?, [1]);
    check_eq!(db.find(Item::NAME.regex("needle$")).select(Item::ID).all().await?, [1]);
    check_eq!(db.find(Item::NAME.eq(long.as_str())).select(Item::ID).all().await?, [1]);
    Ok(())
}

async fn text_fields_compare_with_each_other(db: Db) -> Verdict {
    let of = |id, name: &str, note: &str| Item { note: Some(note.into()), ..item(id, name) };
    fill(&db, vec![of(1, "a", "a"), of(2, "a", "A"), of(3, "a", "a "), of(4, "b", "a"), item(5, "a")]).await?;
    let keys = |filter| crate::models::matching(&db, filter);
    check_eq!(keys(Item::NAME.eq(Item::NOTE)).await?, [1]);
    check_eq!(keys(Item::NAME.lt(Item::NOTE)).await?, [3]);
    check_eq!(keys(Item::NAME.gt(Item::NOTE)).await?, [2, 4]);
    Ok(())
}
