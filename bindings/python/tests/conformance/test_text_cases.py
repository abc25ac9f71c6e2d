import pytest

from models import Text, passing, still, stored
from ommi import QueryError

WORDS = ["Apple", "apple pie", "PINEAPPLE", "50%", "a_b", "back\\slash", "two\nlines", ""]


async def test_text_equality_is_exact(db):
    assert await passing(db, Text, "text", ["a", "A", "a ", " a", "á"], Text.text == "a") == ["a"]


async def test_contains_is_case_sensitive(db):
    assert await passing(db, Text, "text", WORDS, Text.text.contains("pple")) == ["Apple", "apple pie"]


async def test_every_character_is_plain_in_contains(db):
    await stored(db, Text, "text", WORDS)
    assert await still(db, Text, "text", Text.text.contains("%")) == ["50%"]
    assert await still(db, Text, "text", Text.text.contains("_")) == ["a_b"]
    assert await still(db, Text, "text", Text.text.contains("\\")) == ["back\\slash"]
    assert await still(db, Text, "text", Text.text.contains(".*")) == []


async def test_every_character_is_plain_in_starts_with_and_ends_with(db):
    await stored(db, Text, "text", ["%a", "_a", "a%", "a_", "[a]"])
    assert await still(db, Text, "text", Text.text.starts_with("%")) == ["%a"]
    assert await still(db, Text, "text", Text.text.ends_with("_")) == ["a_"]
    assert await still(db, Text, "text", Text.text.starts_with("[")) == ["[a]"]


async def test_the_empty_text_is_in_every_text(db):
    await stored(db, Text, "text", ["a", "", None])
    for predicate in (Text.text.contains(""), Text.text.starts_with(""), Text.text.ends_with("")):
        assert await still(db, Text, "text", predicate) == ["a", ""]


async def test_not_contains_is_the_opposite(db):
    assert await passing(db, Text, "text", ["ab", "cd", None], Text.text.not_contains("a")) == ["cd"]


async def test_starts_with_is_exact_at_the_end_of_the_code_space(db):
    values = ["\U0010ffff", "\U0010ffffa", "\U0010fffe", "a"]
    assert await passing(db, Text, "text", values, Text.text.starts_with("\U0010ffff")) == values[:2]


async def test_like_percent_is_any_text(db):
    assert await passing(db, Text, "text", WORDS, Text.text.like("a%e")) == ["apple pie"]


async def test_like_underscore_is_one_character(db):
    assert await passing(db, Text, "text", ["ab", "aéb", "a\U0001f600b", "aab"], Text.text.like("a_b")) == [
        "aéb",
        "a\U0001f600b",
        "aab",
    ]


async def test_like_matches_the_whole_text(db):
    assert await passing(db, Text, "text", ["abc", "b", "xb"], Text.text.like("b")) == ["b"]


async def test_like_matches_over_newlines(db):
    assert await passing(db, Text, "text", WORDS, Text.text.like("two%lines")) == ["two\nlines"]


async def test_like_is_case_sensitive(db):
    assert await passing(db, Text, "text", ["ab", "AB"], Text.text.like("a%")) == ["ab"]


async def test_like_escapes_with_a_backslash(db):
    await stored(db, Text, "text", WORDS)
    assert await still(db, Text, "text", Text.text.like(r"%\%")) == ["50%"]
    assert await still(db, Text, "text", Text.text.like(r"a\_b")) == ["a_b"]
    assert await still(db, Text, "text", Text.text.like(r"back\\slash")) == ["back\\slash"]


async def test_like_refuses_any_other_backslash(db):
    with pytest.raises((QueryError, ValueError)):
        await db.find(Text.text.like(r"a\b")).or_raise()


async def test_like_without_wildcards_is_equality(db):
    assert await passing(db, Text, "text", ["a", "A", "ab"], Text.text.like("a")) == ["a"]


async def test_not_like_is_the_opposite(db):
    assert await passing(db, Text, "text", ["ab", "cd", None], Text.text.not_like("a%")) == ["cd"]


async def test_ilike_folds_both_sides(db):
    assert await passing(db, Text, "text", ["Äpfel", "ÄPFEL", "apfel"], Text.text.ilike("äP%")) == ["Äpfel", "ÄPFEL"]


async def test_icontains_folds_both_sides(db):
    assert await passing(db, Text, "text", ["xÉx", "xéx", "xex"], Text.text.icontains("É")) == ["xÉx", "xéx"]


async def test_istarts_with_and_iends_with_fold_both_sides(db):
    await stored(db, Text, "text", ["ΣΊΣ", "sis", "ß"])
    assert await still(db, Text, "text", Text.text.istarts_with("σ")) == ["ΣΊΣ"]
    assert await still(db, Text, "text", Text.text.iends_with("Σ")) == ["ΣΊΣ"]


async def test_ieq_folds_both_sides_and_compares_whole_texts(db):
    assert await passing(db, Text, "text", ["Ab", "aB", "abc", "ab "], Text.text.ieq("AB")) == ["Ab", "aB"]


async def test_folding_is_simple_unicode_folding(db):
    await stored(db, Text, "text", ["ß", "SS", "ss", "ẞ", "K", "k"])
    assert await still(db, Text, "text", Text.text.ieq("ß")) == ["ß", "ẞ"]
    # the Kelvin sign folds to k
    assert await still(db, Text, "text", Text.text.ieq("K")) == ["K", "k"]


async def test_every_character_is_plain_in_folded_tests(db):
    assert await passing(db, Text, "text", ["A%", "ab", "a_"], Text.text.icontains("%")) == ["A%"]


async def test_regex_searches_anywhere(db):
    assert await passing(db, Text, "text", ["xaby", "ab", "ba"], Text.text.regex("ab")) == ["xaby", "ab"]


async def test_regex_takes_classes_groups_and_alternatives(db):
    values = ["cat", "cot", "cut", "dog"]
    assert await passing(db, Text, "text", values, Text.text.regex("^(c[ao]t|dog)$")) == ["cat", "cot", "dog"]


async def test_regex_quantifiers_are_greedy_and_bounded(db):
    assert await passing(db, Text, "text", ["a", "aa", "aaa"], Text.text.regex("^a{2,3}$")) == ["aa", "aaa"]


async def test_regex_anchors_are_the_ends_of_the_text(db):
    assert await passing(db, Text, "text", ["a", "a\n", "x\na"], Text.text.regex("^a$")) == ["a"]


async def test_regex_dot_excludes_newline(db):
    assert await passing(db, Text, "text", ["a\nb", "axb"], Text.text.regex("a.b")) == ["axb"]


async def test_regex_shorthands_are_ascii(db):
    await stored(db, Text, "text", ["5", "٥", "é", "_", "\u00a0", " "])
    assert await still(db, Text, "text", Text.text.regex(r"\d")) == ["5"]
    assert await still(db, Text, "text", Text.text.regex(r"\w")) == ["5", "_"]
    assert await still(db, Text, "text", Text.text.regex(r"\s")) == [" "]


async def test_regex_sees_characters_not_bytes(db):
    assert await passing(db, Text, "text", ["é", "ee", "\U0001f600"], Text.text.regex("^.$")) == ["é", "\U0001f600"]


@pytest.mark.parametrize("pattern", ["a*?", r"(a)\1", "(?=a)", r"\bx", "a{1,999}", "["])
async def test_regex_refuses_what_databases_do_not_agree_on(db, pattern):
    with pytest.raises((QueryError, ValueError)):
        await db.find(Text.text.regex(pattern)).or_raise()


async def test_composed_and_combining_characters_differ(db):
    assert await passing(db, Text, "text", ["\u00e9", "e\u0301"], Text.text == "e\u0301") == ["e\u0301"]


async def test_a_nul_character_is_refused_in_arguments(db):
    with pytest.raises((QueryError, TypeError, ValueError)):
        await db.find(Text.text == "a\0").or_raise()


async def test_a_nul_character_is_refused_in_writes(db):
    with pytest.raises(QueryError):
        await db.add(Text("a\0b")).or_raise()
    assert await db.find(Text).count.or_raise() == 0


async def test_a_long_text_is_searched_to_its_end(db):
    await stored(db, Text, "text", ["x" * 100_000 + "needle", "x" * 100_000])
    assert await db.find(Text.text.ends_with("needle")).count.or_raise() == 1
    assert await db.find(Text.text.contains("xneed")).count.or_raise() == 1


async def test_text_fields_compare_with_each_other(db):
    await db.add(Text("a", "b"), Text("b", "a"), Text("a", "a")).or_raise()
    assert await still(db, Text, "id", Text.text < Text.other) == [1]
    assert await still(db, Text, "id", Text.text == Text.other) == [3]
