//! Mistakes in derives and queries that do not compile, and what the compiler says to them.
//!
//! Each file of `compile_fail/` is named for the mistake in it; the message is beside it. After a
//! change of a message, run the test with `TRYBUILD=overwrite` and read the differences.
//!
//! The drivers of servers bring crates with types that are called `String` too, and the compiler then
//! says `std::string::String`: the messages are those of a program with the default features.
#![cfg(not(any(feature = "mongodb", feature = "postgres")))]

#[test]
fn mistakes_are_told_in_plain_words_where_they_are() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
