//! Who holds the connections.

use std::cmp::Reverse;

use ommi_core::driver::Holder;

/// How many holders an error names.
const NAMED: usize = 5;

/// Who holds connections, by the number of the place.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    places: Vec<Option<Holder>>,
    free: Vec<usize>,
}

impl Holders {
    /// Notes who has a connection from now on.
    pub(crate) fn enter(&mut self, holder: Holder) -> usize {
        if let Some(place) = self.free.pop()
            && let Some(slot) = self.places.get_mut(place)
        {
            *slot = Some(holder);
            return place;
        }
        self.places.push(Some(holder));
        self.places.len() - 1
    }

    pub(crate) fn leave(&mut self, place: usize) {
        if let Some(slot) = self.places.get_mut(place)
            && slot.take().is_some()
        {
            self.free.push(place);
        }
    }

    /// Who holds connections, the longest first.
    pub(crate) fn shown(&self) -> String {
        let mut holders: Vec<&Holder> = self.places.iter().flatten().collect();
        holders.sort_by_key(|holder| Reverse(holder.held_for()));
        let mut named: Vec<String> = holders.iter().take(NAMED).map(|holder| holder.to_string()).collect();
        match holders.len() {
            0 => return "connections that are being restored".into(),
            all if all > NAMED => named.push(format!("and {} more", all - NAMED)),
            _ => {}
        }
        named.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_hold_connections_are_named_the_longest_first() {
        let mut holders = Holders::default();
        let first = holders.enter(Holder::operation("raw"));
        std::thread::sleep(std::time::Duration::from_millis(2));
        holders.enter(Holder::call("stream", &"Book".into()));
        let shown = holders.shown();
        assert_eq!(shown, "`raw`, for 0.0 s; `stream` of `Book`, for 0.0 s");
        holders.leave(first);
        holders.leave(first);
        assert_eq!(holders.free, [first]);
        for _ in 0..7 {
            holders.enter(Holder::operation("native"));
        }
        assert!(holders.shown().ends_with("and 3 more"), "{}", holders.shown());
    }
}
