//! Who moves the bytes of a connection.
//!
//! The library's half of a connection has to be polled by somebody. A task of the connection's own
//! does that, as long as it lives; but where requests come one at a time, the task that waits for the
//! answer does it by itself, which saves the way from one task to the other, there and back.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// After how many requests that were alone it is taken that the next one is, too: those that come
/// together are sent together by the connection's own task.
const LONELY: u32 = 8;
/// How often a request looks for something to do before others have a turn.
const ROUNDS: u32 = 64;

/// The library's half of a connection, which ends when the connection does.
type Io = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connection's bytes, and who moves them.
pub(crate) struct Drive {
    /// Until the connection has ended.
    io: Mutex<Option<Io>>,
    calls: Arc<Calls>,
    /// How many requests are in flight.
    requests: AtomicUsize,
    /// Wakes whoever moves the bytes.
    of_io: Waker,
    /// Wakes the request that moves them.
    of_answer: Waker,
}

/// What woke whom.
#[derive(Default)]
struct Calls(Mutex<State>);

#[derive(Default)]
struct State {
    /// Whether there is something to do for the connection.
    has_io: bool,
    /// Whether there is something for the request that drives, or did.
    has_answer: bool,
    /// Whether that request is being polled, and looks for itself what there is to do.
    is_polled: bool,
    /// Whether a request drives, and not the connection's own task.
    is_driven: bool,
    /// How many requests were alone, one after the other.
    lonely: u32,
    /// Whether the program has, or had, requests of its own, which are not counted.
    was_lent: bool,
    request: Option<Waker>,
    task: Option<Waker>,
}

impl Calls {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a waker is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// The connection has something to do.
    Io,
    /// The request that drives, or did, has something of its answer.
    Answer,
}

struct Call {
    calls: Arc<Calls>,
    of: Of,
}

impl Call {
    fn waker(calls: &Arc<Calls>, of: Of) -> Waker {
        Arc::new(Call { calls: Arc::clone(calls), of }).into()
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.calls.state();
        match self.of {
            Of::Io => state.has_io = true,
            Of::Answer => state.has_answer = true,
        }
        let waker = match self.of {
            // it looks for itself
            _ if state.is_polled => None,
            Of::Io if !state.is_driven => state.task.clone(),
            Of::Io | Of::Answer => state.request.clone(),
        };
        drop(state);
        wake(waker);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Keeps a waker, unless it is there already.
fn keep(place: &mut Option<Waker>, waker: &Waker) {
    match place {
        Some(kept) => kept.clone_from(waker),
        None => *place = Some(waker.clone()),
    }
}

impl Drive {
    pub(crate) fn new(io: impl Future<Output = ()> + Send + 'static) -> Arc<Self> {
        let calls = Arc::<Calls>::default();
        Arc::new(Drive {
            io: Mutex::new(Some(Box::pin(io))),
            of_io: Call::waker(&calls, Of::Io),
            of_answer: Call::waker(&calls, Of::Answer),
            requests: AtomicUsize::new(0),
            calls,
        })
    }

    fn io(&self) -> MutexGuard<'_, Option<Io>> {
        self.io.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves bytes as far as they go; says whether the connection has ended.
    fn poll_io(&self) -> bool {
        let mut io = self.io();
        let Some(running) = io.as_mut() else { return true };
        let has_ended = running.as_mut().poll(&mut Context::from_waker(&self.of_io)).is_ready();
        if has_ended {
            // those that wait for answers are told
            *io = None;
        }
        has_ended
    }

    /// Notes that a request begins.
    #[inline]
    pub(crate) fn enter(&self) {
        if self.requests.fetch_add(1, Ordering::SeqCst) > 0 {
            self.hand_over();
        }
    }

    /// Notes that a request is over.
    #[inline]
    pub(crate) fn leave(&self) {
        self.requests.fetch_sub(1, Ordering::SeqCst);
    }

    /// Leaves the driving to the connection's own task: a request that drives may not be polled for
    /// long, and others wait no more on it.
    fn hand_over(&self) {
        let mut state = self.calls.state();
        state.lonely = 0;
        state.is_driven = false;
        let task = if state.has_io && !state.is_polled { state.task.clone() } else { None };
        drop(state);
        wake(task);
    }

    /// Lets a request drive, if it is alone and those before it were.
    fn begin(&self) -> bool {
        let mut state = self.calls.state();
        // who comes from now on hands over
        if self.requests.load(Ordering::SeqCst) > 1 {
            return false;
        }
        state.lonely = state.lonely.saturating_add(1);
        let drives = state.lonely > LONELY && !state.was_lent;
        if drives {
            state.is_driven = true;
            state.is_polled = true;
            state.has_answer = true;
        }
        drives
    }

    /// Notes that the program has requests of its own.
    pub(crate) fn lend(&self) {
        self.calls.state().was_lent = true;
        self.hand_over();
    }

    /// Ends the driving of a request.
    fn end(&self) {
        let mut state = self.calls.state();
        state.is_driven = false;
        state.is_polled = false;
        state.has_answer = false;
        let request = state.request.take();
        let task = if state.has_io { state.task.clone() } else { None };
        drop(state);
        drop(request);
        wake(task);
    }

    /// Does what the connection has to do until it ends, where no request does it.
    pub(crate) async fn run(self: Arc<Self>) {
        /// Ends the connection with the task, whose runtime may end before.
        struct Ending(Arc<Drive>);
        impl Drop for Ending {
            fn drop(&mut self) {
                let io = self.0.io().take();
                drop(io);
            }
        }
        let drive = Ending(self);
        let mut has_waited = false;
        std::future::poll_fn(|context| drive.0.poll_task(context, &mut has_waited)).await;
    }

    fn poll_task(&self, context: &Context<'_>, has_waited: &mut bool) -> Poll<()> {
        // where several requests are in flight, others may follow soon, and all go in one packet
        let waits = !*has_waited && self.requests.load(Ordering::Relaxed) > 1;
        *has_waited = waits;
        let mut state = self.calls.state();
        keep(&mut state.task, context.waker());
        if waits {
            drop(state);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !state.is_driven {
            state.has_io = false;
            drop(state);
            return if self.poll_io() { Poll::Ready(()) } else { Poll::Pending };
        }
        drop(state);
        if self.io().is_none() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// The future of a request, which drives the connection while it is alone.
    pub(crate) fn drive<'a, F>(&'a self, request: Pin<&'a mut F>) -> Driven<'a, F> {
        Driven { drive: self, request, seat: Seat::New }
    }
}

/// Where a request sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seat {
    /// It was not polled yet.
    New,
    /// It drives, or did until others came.
    Driver,
    /// The connection's own task drives.
    Passenger,
}

/// A request that drives its connection while it is alone.
pub(crate) struct Driven<'a, F> {
    drive: &'a Drive,
    request: Pin<&'a mut F>,
    seat: Seat,
}

impl<F: Future> Future for Driven<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let drive = self.drive;
        match self.seat {
            Seat::New if drive.begin() => self.seat = Seat::Driver,
            Seat::New => self.seat = Seat::Passenger,
            Seat::Driver => drive.calls.state().is_polled = true,
            Seat::Passenger => {}
        }
        if self.seat == Seat::Passenger {
            return self.request.as_mut().poll(context);
        }
        for _ in 0..ROUNDS {
            let mut state = drive.calls.state();
            let (has_io, has_answer) = (state.has_io, state.has_answer);
            if !has_io && !has_answer {
                keep(&mut state.request, context.waker());
                state.is_polled = false;
                return Poll::Pending;
            }
            state.has_io = false;
            state.has_answer = false;
            drop(state);
            if has_io && drive.poll_io() {
                // the task has to see it, too
                let task = drive.calls.state().task.clone();
                wake(task);
            }
            if has_answer
                && let Poll::Ready(answer) = self.request.as_mut().poll(&mut Context::from_waker(&drive.of_answer))
            {
                self.seat = Seat::Passenger;
                drive.end();
                return Poll::Ready(answer);
            }
        }
        let mut state = drive.calls.state();
        keep(&mut state.request, context.waker());
        state.is_polled = false;
        let task = if state.has_io && !state.is_driven { state.task.clone() } else { None };
        drop(state);
        wake(task);
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<F> Drop for Driven<'_, F> {
    fn drop(&mut self) {
        if self.seat == Seat::Driver {
            self.drive.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;
    use tokio::sync::{Semaphore, mpsc, oneshot};
    use tokio::task::{JoinHandle, try_id};

    use super::*;

    /// A connection that answers as many requests as it may, each with who moved the bytes.
    struct Echo {
        drive: Arc<Drive>,
        requests: mpsc::UnboundedSender<oneshot::Sender<Option<tokio::task::Id>>>,
        allowed: Arc<Semaphore>,
        task: JoinHandle<()>,
    }

    impl Echo {
        fn open(allowed: usize) -> Self {
            let allowed = Arc::new(Semaphore::new(allowed));
            let (requests, mut received) = mpsc::unbounded_channel::<oneshot::Sender<_>>();
            let allows = Arc::clone(&allowed);
            let drive = Drive::new(async move {
                while let Some(request) = received.recv().await {
                    let Ok(permit) = allows.acquire().await else { return };
                    permit.forget();
                    let _ = request.send(try_id());
                }
            });
            let task = tokio::spawn(Arc::clone(&drive).run());
            Echo { drive, requests, allowed, task }
        }

        /// A request; `None` if the connection ends.
        async fn ask(&self) -> Option<Option<tokio::task::Id>> {
            self.drive.enter();
            let answer = async {
                let (sender, answer) = oneshot::channel();
                self.requests.send(sender).ok()?;
                answer.await.ok()
            };
            let answer = self.drive.drive(pin!(answer)).await;
            self.drive.leave();
            answer
        }

        async fn ask_until_alone(&self) {
            for _ in 0..LONELY {
                assert_eq!(self.ask().await, Some(Some(self.task.id())));
            }
            assert_eq!(self.ask().await, Some(None));
        }
    }

    #[tokio::test]
    async fn requests_one_after_the_other_move_the_bytes_themselves() {
        let echo = Echo::open(100);
        echo.ask_until_alone().await;
        for _ in 0..LONELY * 2 {
            assert_eq!(echo.ask().await, Some(None));
        }
    }

    #[tokio::test]
    async fn a_second_request_does_not_wait_for_one_that_is_not_polled() {
        let echo = Echo::open(LONELY as usize + 1);
        echo.ask_until_alone().await;
        let mut first = pin!(echo.ask());
        assert!(poll!(first.as_mut()).is_pending());
        let mut second = pin!(echo.ask());
        assert!(poll!(second.as_mut()).is_pending());
        echo.allowed.add_permits(2);
        assert_eq!(second.await, Some(Some(echo.task.id())));
        assert_eq!(first.await, Some(Some(echo.task.id())));
        // those that came together are counted anew
        echo.allowed.add_permits(100);
        echo.ask_until_alone().await;
    }

    #[tokio::test]
    async fn the_task_goes_on_where_a_request_was_dropped() {
        let echo = Echo::open(LONELY as usize + 1);
        echo.ask_until_alone().await;
        {
            let mut dropped = pin!(echo.ask());
            assert!(poll!(dropped.as_mut()).is_pending());
        }
        echo.drive.leave();
        echo.allowed.add_permits(1);
        while echo.allowed.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        echo.allowed.add_permits(1);
        assert!(echo.ask().await.is_some());
    }

    #[tokio::test]
    async fn all_are_told_of_the_end() {
        let echo = Echo::open(LONELY as usize + 1);
        echo.ask_until_alone().await;
        let (asked, ()) = tokio::join!(echo.ask(), async { echo.allowed.close() });
        assert_eq!(asked, None);
        assert_eq!(echo.ask().await, None);
        echo.task.await.unwrap();
    }

    #[tokio::test]
    async fn the_connection_ends_with_its_task() {
        let echo = Echo::open(LONELY as usize + 1);
        echo.ask_until_alone().await;
        let (asked, ()) = tokio::join!(echo.ask(), async { echo.task.abort() });
        assert_eq!(asked, None);
    }
}
