//! Why a case fails, and how it says so.

use std::fmt::{self, Debug};
use std::panic::Location;

use ommi::Error;

/// What a case ends in.
pub(crate) type Verdict = Result<(), Failure>;

/// Why a case failed, and where.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    place: &'static Location<'static>,
}

impl Failure {
    /// A failure at the place of the caller.
    #[track_caller]
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Failure { message: message.into(), place: Location::caller() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.place.file();
        let file = file.split_once("/src/").map_or(file, |(_, file)| file);
        write!(f, "{} ({file}:{})", self.message, self.place.line())
    }
}

impl From<Error> for Failure {
    #[track_caller]
    fn from(error: Error) -> Self {
        Failure::new(error.to_string())
    }
}

// A check inside the closure of a transaction ends it with an error.
impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Error::detached(failure.to_string())
    }
}

/// The error of an operation that has to fail.
///
/// # Errors
///
/// A failure if the operation succeeded.
#[track_caller]
pub(crate) fn refused<T: Debug>(answer: Result<T, Error>) -> Result<Error, Failure> {
    match answer {
        Ok(value) => {
            let mut shown = format!("{value:?}");
            if let Some((end, _)) = shown.char_indices().nth(300) {
                shown.truncate(end);
            }
            Err(Failure::new(format!("an error was expected, the answer is {shown}")))
        }
        Err(error) => Ok(error),
    }
}

/// The value of an `Option` that has to have one.
///
/// # Errors
///
/// A failure if there is none.
#[track_caller]
pub(crate) fn present<T>(value: Option<T>) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::new("there is no value"))
}

/// Fails the case if a condition does not hold.
macro_rules! check {
    ($condition:expr $(,)?) => {
        check!($condition, "`{}` does not hold", stringify!($condition))
    };
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            Err($crate::check::Failure::new(format!($($message)+)))?
        }
    };
}

/// Fails the case if two values differ.
macro_rules! check_eq {
    ($left:expr, $right:expr $(,)?) => {
        check_eq!($left, $right, "`{}`", stringify!($left))
    };
    ($left:expr, $right:expr, $($about:tt)+) => {
        match (&$left, &$right) {
            (left, right) => {
                if *left != *right {
                    let about = format!($($about)+);
                    Err($crate::check::Failure::new(format!("{about} is {left:?}, not {right:?}")))?
                }
            }
        }
    };
}
