//! Noticing code that loads related rows for one owner at a time.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::Route;

/// How many loads for one owner each, from one place of one task within [`WINDOW`], are a loop.
const REPEATED: u32 = 10;

/// The time in which loads are counted together.
const WINDOW: Duration = Duration::from_secs(1);

/// How many places are watched at once; past that the watch begins anew.
const PLACES: usize = 1024;

struct Count {
    since: Instant,
    loads: u32,
    warned: bool,
}

type Place = (&'static Location<'static>, Option<tokio::task::Id>);

static COUNTS: Mutex<Option<HashMap<Place, Count>>> = Mutex::new(None);

/// Notes that a relation was loaded for one owner, and warns once a place does so again and again.
pub(super) fn note(route: &Route, from: &'static Location<'static>) {
    let now = Instant::now();
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let counts = counts.get_or_insert_default();
    if counts.len() >= PLACES {
        counts.retain(|_, count| now.duration_since(count.since) < WINDOW);
    }
    if counts.len() >= PLACES {
        return;
    }
    let count = counts.entry((from, tokio::task::try_id())).or_insert(Count { since: now, loads: 0, warned: false });
    if now.duration_since(count.since) >= WINDOW {
        *count = Count { since: now, loads: 0, warned: false };
    }
    count.loads += 1;
    if count.loads > REPEATED && !count.warned {
        count.warned = true;
        tracing::warn!(
            model = &**route.source().name(),
            relation = &*route.name,
            at = %from,
            loads = count.loads,
            "a relation is loaded for one owner at a time, again and again: read the owners in one query, or load it with them by `with(..)`"
        );
    }
}
