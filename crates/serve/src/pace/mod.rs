//! The pace of a session: how the peer spends the time that it has.
//!
//! A [`Stream`](crate::Stream) notes by itself when octets move and when it waits for them; a protocol's loop adds what it
//! alone knows: a command has ended, a body is expected, a user has logged in, a message was accepted. What follows from
//! that is decided in one place, [`Limits`](crate::Limits), which ends a session by its pace: every wait of a stream then
//! comes back with the [`Expiry`].

mod conduct;
mod patience;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

pub use conduct::Expiry;
pub(crate) use conduct::{Conduct, Direction};
pub(crate) use patience::Fill;
pub use patience::Patience;

/// A session's conduct, shared by its stream, its loop and the limits of its service. Cloned freely.
#[derive(Debug, Clone)]
pub struct Pace(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Why we have ended the session, once we have.
    ended: watch::Sender<Option<Expiry>>,
}

#[derive(Debug)]
struct State {
    conduct: Conduct,
    /// The least rate of a transfer, in octets per second.
    rate: u64,
    /// How far the peer may fall behind in taking what it is sent.
    grace: Duration,
}

impl Pace {
    /// The pace of a session that begins now.
    pub(crate) fn new(patience: &Patience) -> Self {
        let conduct = Conduct::new(Instant::now());
        let state = State { conduct, rate: patience.rate, grace: patience.grace };
        Self(Arc::new(Shared { state: Mutex::new(state), ended: watch::Sender::new(None) }))
    }

    /// A command of the peer has come to its end.
    pub fn command_ended(&self) {
        self.state().conduct.command_ended();
    }

    /// What the peer sends from now on is a message, which may be long, or is not.
    pub fn expects_body(&self, is_body: bool) {
        self.state().conduct.expects_body(is_body, Instant::now());
    }

    /// A user has logged in.
    pub fn authenticated(&self, user: &str) {
        self.state().conduct.authenticated(user);
    }

    /// A message was accepted.
    pub fn accepted(&self) {
        self.state().conduct.accepted(Instant::now());
    }

    /// The stream waits for the peer, or has moved octets.
    pub(crate) fn note(&self, direction: Direction, moved: Option<usize>) {
        let (mut state, now) = (self.state(), Instant::now());
        let rate = state.rate;
        match moved {
            Some(octets) => state.conduct.moved(direction, octets, rate, now),
            None => state.conduct.waits(direction, now),
        }
    }

    /// A TLS handshake begins: the peer is waited for, and it has the time of a command.
    pub(crate) fn handshake_began(&self) {
        let (mut state, now) = (self.state(), Instant::now());
        state.conduct.command_began(now);
        state.conduct.waits(Direction::Reading, now);
    }

    /// How much longer the peer may take for what is being sent to it.
    pub(crate) fn taking_left(&self) -> Duration {
        let state = self.state();
        state.conduct.taking_left(state.grace)
    }

    /// Ends the session. The first reason counts.
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

    /// Whether the session has been ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.ended.borrow().is_some()
    }

    /// Looks at the conduct.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Conduct) -> T) -> T {
        look(&self.state().conduct)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
