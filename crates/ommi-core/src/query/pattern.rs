//! What text is tested with: folding, `like` patterns and regular expressions.
//!
//! All three mean the same on every database. Patterns are checked before anything is sent; a
//! driver that pushes one down may rely on its form, and a driver that cannot calls the functions
//! here from its database, or leaves the test to the engine.

mod class;
mod fold;
mod like;
mod regex;

pub use self::fold::{UNICODE_VERSION, fold, fold_char};
pub use self::like::LikePattern;
pub use self::regex::RegexPattern;
