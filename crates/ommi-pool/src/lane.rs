//! Connections that several short requests share.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::kept::Kept;

/// Requests in flight, by their numbers, and since when.
pub(crate) type Requests = VecDeque<(u64, Instant)>;

/// A connection with its requests in flight, which the server answers in their order.
pub(crate) struct Lane<C> {
    pub(crate) id: u64,
    pub(crate) connection: Arc<Kept<C>>,
    /// The place of its holder.
    pub(crate) holder: usize,
    /// In the order in which they were sent.
    pub(crate) requests: Requests,
    next: u64,
}

impl<C> Lane<C> {
    /// A lane with its first request, which it keeps in an empty list.
    pub(crate) fn new(id: u64, connection: Arc<Kept<C>>, holder: usize, mut requests: Requests, now: Instant) -> Self {
        requests.push_back((0, now));
        Lane { id, connection, holder, requests, next: 1 }
    }

    /// How many requests are in flight.
    pub(crate) fn depth(&self) -> usize {
        self.requests.len()
    }

    /// Whether the oldest request is still young.
    pub(crate) fn moves(&self, patience: Duration, now: Instant) -> bool {
        self.requests.front().is_none_or(|(_, since)| now.saturating_duration_since(*since) < patience)
    }

    /// Adds a request, and gives its number.
    pub(crate) fn join(&mut self, now: Instant) -> u64 {
        let request = self.next;
        self.next += 1;
        self.requests.push_back((request, now));
        request
    }

    /// Removes a request; if none is left, says when that one was sent.
    pub(crate) fn leave(&mut self, request: u64) -> Option<Instant> {
        let at = self.requests.iter().position(|(other, _)| *other == request)?;
        let (_, since) = self.requests.remove(at)?;
        self.requests.is_empty().then_some(since)
    }
}
