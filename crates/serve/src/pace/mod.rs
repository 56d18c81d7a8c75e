//! The pace of a session: how the peer uses its time.
//!
//! A [`Stream`](crate::Stream) itself records when octets move and when it waits for them; a protocol's loop adds what
//! it alone knows: a command has ended, a body is expected, a user has logged in, a message was accepted. The
//! consequences are decided in one place, [`Limits`](crate::Limits), which ends a session by its pace: every wait of a
//! stream then returns the [`Expiry`].

mod time_limits;
mod timing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

pub(crate) use time_limits::Fill;
pub use time_limits::TimeLimits;
pub use timing::Expiry;
pub(crate) use timing::{Direction, SessionTiming};

/// The timing of a session, shared by its stream, its loop and the limits of its service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pace(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// The reason why the server has ended the session, if it has.
    ended: watch::Sender<Option<Expiry>>,
}

#[derive(Debug)]
struct State {
    timing: SessionTiming,
    /// The least rate of a transfer, in octets per second.
    rate: u64,
    /// The time by which the peer may fall behind in reading.
    grace: Duration,
}

impl Pace {
    /// The pace of a session that begins now.
    pub(crate) fn new(time_limits: &TimeLimits) -> Self {
        let timing = SessionTiming::new(Instant::now());
        let state = State { timing, rate: time_limits.rate, grace: time_limits.grace };
        Self(Arc::new(Shared { state: Mutex::new(state), ended: watch::Sender::new(None) }))
    }

    /// Ends a command of the peer.
    pub fn command_ended(&self) {
        self.state().timing.command_ended();
    }

    /// Sets whether the peer sends a message from now on, which may be long.
    pub fn expects_body(&self, is_body: bool) {
        self.state().timing.expects_body(is_body, Instant::now());
    }

    /// Sets the authenticated user.
    pub fn authenticated(&self, user: &str) {
        self.state().timing.authenticated(user);
    }

    /// Records an accepted message.
    pub fn accepted(&self) {
        self.state().timing.accepted(Instant::now());
    }

    /// Records that the stream waits for the peer, or has moved octets.
    pub(crate) fn record(&self, direction: Direction, moved: Option<usize>) {
        let (mut state, now) = (self.state(), Instant::now());
        let rate = state.rate;
        match moved {
            Some(octets) => state.timing.transferred(direction, octets, rate, now),
            None => state.timing.start_waiting(direction, now),
        }
    }

    /// Starts a TLS handshake, which has the time of a command; the stream waits for the peer.
    pub(crate) fn handshake_began(&self) {
        let (mut state, now) = (self.state(), Instant::now());
        state.timing.command_began(now);
        state.timing.start_waiting(Direction::Reading, now);
    }

    /// The time that is left for the peer to read what is being sent to it.
    pub(crate) fn send_time_left(&self) -> Duration {
        let state = self.state();
        state.timing.send_time_left(state.grace)
    }

    /// Ends the session. The first reason is kept.
    pub(crate) fn end(&self, expiry: Expiry) {
        self.0.ended.send_if_modified(|ended| {
            let is_first = ended.is_none();
            ended.get_or_insert(expiry);
            is_first
        });
    }

    /// Completes when the session has been ended. May be dropped and called again, as `select!` does.
    pub(crate) async fn ended(&self) -> Expiry {
        let mut ended = self.0.ended.subscribe();
        let expiry = ended.wait_for(Option::is_some).await.ok().and_then(|expiry| *expiry);
        match expiry {
            Some(expiry) => expiry,
            // The sender lives as long as this value.
            None => std::future::pending().await,
        }
    }

    /// True if the session has been ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.ended.borrow().is_some()
    }

    /// Calls a function with the session's timing.
    pub(crate) fn with_timing<T>(&self, look: impl FnOnce(&SessionTiming) -> T) -> T {
        look(&self.state().timing)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
