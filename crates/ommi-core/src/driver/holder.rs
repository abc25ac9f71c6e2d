//! Who holds a connection.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who holds a connection and since when, for the error of those who waited for it in vain.
///
/// It displays as `the transaction begun at src/shop.rs:40, for 3.2 s`.
#[derive(Clone, Debug)]
pub struct Holder {
    what: What,
    since: Instant,
}

#[derive(Clone, Debug)]
enum What {
    Transaction { name: Option<Arc<str>>, place: Option<&'static Location<'static>> },
    Call { operation: &'static str, model: Arc<str> },
    Operation(&'static str),
}

impl Holder {
    /// A transaction, by its name and the place in the program where it began.
    pub fn transaction(name: Option<Arc<str>>, place: Option<&'static Location<'static>>) -> Self {
        Holder::now(What::Transaction { name, place })
    }

    /// A call of an operation on a model: a stream, or a statement that takes long.
    pub fn call(operation: &'static str, model: &Arc<str>) -> Self {
        Holder::now(What::Call { operation, model: Arc::clone(model) })
    }

    /// An operation that has no model, such as `raw` or `native`.
    pub fn operation(operation: &'static str) -> Self {
        Holder::now(What::Operation(operation))
    }

    fn now(what: What) -> Self {
        Holder { what, since: Instant::now() }
    }

    /// How long it has held the connection.
    pub fn held_for(&self) -> Duration {
        self.since.elapsed()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Transaction { name: None, place: None } => f.write_str("a transaction")?,
            What::Transaction { name, place } => {
                f.write_str("the transaction")?;
                if let Some(name) = name {
                    write!(f, " `{name}`")?;
                }
                if let Some(place) = place {
                    write!(f, " begun at {}:{}", place.file(), place.line())?;
                }
            }
            What::Call { operation, model } => write!(f, "`{operation}` of `{model}`")?,
            What::Operation(operation) => write!(f, "`{operation}`")?,
        }
        write!(f, ", for {:.1} s", self.held_for().as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_says_what_it_is_and_for_how_long() {
        let place = Location::caller();
        let shown = |holder: Holder| holder.to_string();
        assert_eq!(shown(Holder::transaction(None, None)), "a transaction, for 0.0 s");
        assert_eq!(
            shown(Holder::transaction(Some("import".into()), Some(place))),
            format!("the transaction `import` begun at {}:{}, for 0.0 s", place.file(), place.line())
        );
        assert_eq!(shown(Holder::call("stream", &"Book".into())), "`stream` of `Book`, for 0.0 s");
        assert_eq!(shown(Holder::operation("native")), "`native`, for 0.0 s");
    }
}
