//! Connections that short requests share.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Instant;

use ommi_core::Result;
use ommi_core::driver::Holder;

use super::{Found, Idle, Permit, Pool, State, Want};
use crate::kept::Kept;
use crate::lane::Lane;
use crate::lease::{Lease, Place};
use crate::opener::Opener;

/// What came first for a request that waits.
pub(super) enum Either<'a, O: Opener> {
    /// The right to a connection.
    Permit(Permit<'a, O>),
    /// A place in a lane.
    Place(Lease<O>),
}

impl<O: Opener> Pool<O> {
    /// Lends a connection for one short request, which may share it with others.
    ///
    /// # Errors
    ///
    /// As [`Pool::lease`].
    pub async fn share(self: &Arc<Self>, holder: Holder) -> Result<Lease<O>> {
        // those that wait come first
        if self.sharing.load(Ordering::Relaxed) == 0
            && let Some(lease) = self.try_share(&holder)?
        {
            return Ok(lease);
        }
        Box::pin(self.lease_slowly(holder, None, None, Want::Shared)).await
    }

    fn try_share(self: &Arc<Self>, holder: &Holder) -> Result<Option<Lease<O>>> {
        let now = Instant::now();
        let mut gone = Vec::new();
        let mut state = self.state();
        self.check_open()?;
        let opens = state.lanes.len() < self.settings.lanes() && !state.idle.is_empty();
        if opens && let Ok(permit) = self.permits.try_acquire() {
            match self.take_idle(&mut state, now, &mut gone) {
                Found::Ready(connection) => {
                    permit.forget();
                    return Ok(Some(self.open_lane(&mut state, connection, holder.clone(), now)));
                }
                Found::Suspect(connection, since) => state.idle.push(Idle { connection, since }),
                Found::Nothing => {}
            }
        }
        Ok(self.join_lane(&mut state, now))
    }

    /// A place in the lane with the fewest requests, if there is one.
    fn join_lane(self: &Arc<Self>, state: &mut State<O::Connection>, now: Instant) -> Option<Lease<O>> {
        let settings = &self.settings;
        let is_fit = |lane: &&mut Lane<O::Connection>| {
            lane.depth() < settings.lane_depth
                && !lane.connection.is_old(now)
                && lane.moves(settings.lane_patience, now)
                && self.opener.is_open(&lane.connection)
        };
        let lane = state.lanes.iter_mut().filter(is_fit).min_by_key(|lane| lane.depth())?;
        let place = Place::Lane(lane.id, lane.join(now));
        self.acquired.fetch_add(1, Ordering::Relaxed);
        Some(Lease::new(Arc::clone(self), Arc::clone(&lane.connection), place))
    }

    pub(super) fn open_lane(
        self: &Arc<Self>,
        state: &mut State<O::Connection>,
        connection: Arc<Kept<O::Connection>>,
        holder: Holder,
        now: Instant,
    ) -> Lease<O> {
        let id = state.next_lane;
        state.next_lane += 1;
        let holder = state.holders.enter(holder);
        let requests = state.requests.pop().unwrap_or_default();
        state.lanes.push(Lane::new(id, Arc::clone(&connection), holder, requests, now));
        self.acquired.fetch_add(1, Ordering::Relaxed);
        Lease::new(Arc::clone(self), connection, Place::Lane(id, 0))
    }

    /// Waits for the right to a connection, or for a place in a lane.
    pub(super) async fn permit_or_place(self: &Arc<Self>) -> Result<Either<'_, O>> {
        struct Sharing<'a>(&'a AtomicUsize);
        impl Drop for Sharing<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let is_first = self.sharing.fetch_add(1, Ordering::Relaxed) == 0;
        let _sharing = Sharing(&self.sharing);
        let mut permit = pin!(self.permit());
        let mut place = pin!(self.place(is_first));
        poll_fn(|context| {
            if let Poll::Ready(permit) = permit.as_mut().poll(context) {
                return Poll::Ready(permit.map(Either::Permit));
            }
            place.as_mut().poll(context).map(|lease| Ok(Either::Place(lease)))
        })
        .await
    }

    /// Waits for a place in a lane.
    async fn place(self: &Arc<Self>, is_first: bool) -> Lease<O> {
        // others that wait have been told of places that are free
        let mut looks = is_first;
        loop {
            let mut told = pin!(self.places.notified());
            told.as_mut().enable();
            if looks && let Some(lease) = self.join_lane(&mut self.state(), Instant::now()) {
                return lease;
            }
            told.await;
            looks = true;
        }
    }

    /// Tells those that wait for a place in a lane that there are some.
    pub(super) fn tell_of_places(&self, places: usize) {
        for _ in 0..places.min(self.sharing.load(Ordering::Relaxed)) {
            self.places.notify_one();
        }
    }
}
