//! Who holds the connections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a connection is for.
#[derive(Clone, Debug)]
pub struct Purpose {
    /// The operation.
    pub operation: &'static str,
    /// The model that it is about.
    pub model: Option<Arc<str>>,
}

impl Purpose {
    /// The purpose of an operation on a model.
    pub fn new(operation: &'static str, model: Option<&Arc<str>>) -> Self {
        Purpose { operation, model: model.map(Arc::clone) }
    }

    fn shown(&self) -> String {
        match &self.model {
            Some(model) => format!("`{} {model}`", self.operation),
            None => format!("`{}`", self.operation),
        }
    }
}

/// A connection that is held.
#[derive(Debug)]
struct Holder {
    purpose: Purpose,
    since: Instant,
}

/// The connections that are held, by the number of their place.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    places: Vec<Option<Holder>>,
    free: Vec<usize>,
}

impl Holders {
    /// Notes a connection that is lent now.
    pub(crate) fn enter(&mut self, purpose: Purpose, now: Instant) -> usize {
        let holder = Some(Holder { purpose, since: now });
        if let Some(place) = self.free.pop()
            && let Some(slot) = self.places.get_mut(place)
        {
            *slot = holder;
            return place;
        }
        self.places.push(holder);
        self.places.len() - 1
    }

    /// Says what a held connection does by now.
    pub(crate) fn change(&mut self, place: usize, purpose: Purpose) {
        if let Some(Some(holder)) = self.places.get_mut(place) {
            holder.purpose = purpose;
        }
    }

    pub(crate) fn leave(&mut self, place: usize) {
        if let Some(slot) = self.places.get_mut(place)
            && slot.take().is_some()
        {
            self.free.push(place);
        }
    }

    /// Who holds connections, those alike together, the longest first.
    pub(crate) fn shown(&self) -> String {
        let mut alike: BTreeMap<String, (usize, Duration)> = BTreeMap::new();
        for holder in self.places.iter().flatten() {
            let (count, longest) = alike.entry(holder.purpose.shown()).or_default();
            *count += 1;
            *longest = (*longest).max(holder.since.elapsed());
        }
        let mut alike: Vec<(String, (usize, Duration))> = alike.into_iter().collect();
        alike.sort_by_key(|(_, (_, longest))| std::cmp::Reverse(*longest));
        let shown: Vec<String> = alike
            .into_iter()
            .map(|(purpose, (count, longest))| match count {
                1 => format!("{purpose} for {:.1} s", longest.as_secs_f64()),
                count => format!("{count} × {purpose} for up to {:.1} s", longest.as_secs_f64()),
            })
            .collect();
        shown.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_hold_connections_are_named_with_their_models() {
        let mut holders = Holders::default();
        let now = Instant::now();
        let model: Arc<str> = "User".into();
        let first = holders.enter(Purpose::new("find", Some(&model)), now);
        holders.enter(Purpose::new("find", Some(&model)), now);
        let last = holders.enter(Purpose::new("transaction", None), now);
        holders.change(last, Purpose::new("update", Some(&model)));
        assert!(holders.shown().contains("2 × `find User`"), "{}", holders.shown());
        assert!(holders.shown().contains("`update User`"));
        holders.leave(first);
        holders.leave(first);
        assert_eq!(holders.free, [first]);
    }
}
