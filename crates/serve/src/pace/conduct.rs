//! One session's conduct as a value: the facts are put in with the time at which they happened, and it says whether a limit
//! has been passed.
//!
//! ```text
//!  first octet ── command ── ended     a command has a deadline, however its octets are spread
//!  began ──────── body ───── ended     a body has a least rate, with a grace for the time out of range
//!  reply ──────── taking               the peer takes what we send at the same least rate
//!  since ──────── login, message       and a session that proves nothing has a life
//! ```
//!
//! Only time in which the peer keeps us waiting counts: our own work is bounded elsewhere.

use std::time::Duration;

use tokio::time::Instant;

use super::patience::{Fill, Patience, Proof};

/// Why a session is ended by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The peer sent nothing while many waited for its place.
    Silence,
    /// A command was not sent to its end in time.
    Command,
    /// A message was sent more slowly than the least rate.
    Body,
    /// The peer took our answers more slowly than the least rate.
    Taking,
    /// Neither a login, nor on port 25 a message, came in time.
    Unproved,
    /// The service is full, and the place was given to another client.
    Evicted,
}

/// For whom a session waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// For octets from the peer.
    Reading,
    /// For the peer to take octets.
    Writing,
}

/// What a session has done so far.
#[derive(Debug)]
pub(crate) struct Conduct {
    /// Connected; on port 25, the last message was accepted.
    since: Instant,
    /// The octets since then, in both directions.
    octets: u64,
    /// The part of that time in which a body was transferred.
    bodies: Duration,
    last_octet: Instant,
    /// The command that is under way.
    command: Option<Instant>,
    /// The body that is under way.
    body: Option<(Instant, Debt)>,
    taking: Debt,
    waiting: Option<(Direction, Instant)>,
    user: Option<Box<str>>,
}

/// How far a transfer is behind the least rate: grows by the time for which we wait, shrinks by the time that the octets
/// would have taken at that rate. A head start is not kept, so that no trickle can live on it.
#[derive(Debug, Clone, Copy, Default)]
struct Debt(Duration);

impl Debt {
    fn settle(&mut self, waited: Duration, octets: u64, rate: u64) {
        let paid = Duration::from_millis(octets.saturating_mul(1000) / rate.max(1));
        self.0 = (self.0 + waited).saturating_sub(paid);
    }
}

impl Conduct {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            since: now,
            octets: 0,
            bodies: Duration::ZERO,
            last_octet: now,
            command: None,
            body: None,
            taking: Debt::default(),
            waiting: None,
            user: None,
        }
    }

    /// The session waits for the peer.
    pub(crate) fn waits(&mut self, direction: Direction, now: Instant) {
        if self.waiting.is_none_or(|(before, _)| before != direction) {
            self.waiting = Some((direction, now));
        }
    }

    /// The peer has sent or taken octets; the session works.
    pub(crate) fn moved(&mut self, direction: Direction, octets: usize, rate: u64, now: Instant) {
        let waited = self.waited(direction, now);
        let octets = octets as u64;
        self.waiting = None;
        self.octets += octets;
        self.last_octet = now;
        match (direction, &mut self.body) {
            (Direction::Writing, _) => self.taking.settle(waited, octets, rate),
            (Direction::Reading, Some((_, debt))) => debt.settle(waited, octets, rate),
            (Direction::Reading, None) => {
                self.command.get_or_insert(now);
            }
        }
    }

    /// A command begins before its first octet: a TLS handshake.
    pub(crate) fn command_began(&mut self, now: Instant) {
        self.command.get_or_insert(now);
    }

    /// A command has come to its end.
    pub(crate) fn command_ended(&mut self) {
        self.command = None;
    }

    /// What the peer sends from now on is a message, or is not.
    pub(crate) fn expects_body(&mut self, is_body: bool, now: Instant) {
        match self.body {
            None if is_body => {
                self.command = None;
                self.body = Some((now, Debt::default()));
            }
            Some((began, _)) if !is_body => {
                self.bodies += now.saturating_duration_since(began);
                self.body = None;
            }
            _ => {}
        }
    }

    /// A user has logged in.
    pub(crate) fn authenticated(&mut self, user: &str) {
        self.user = Some(user.into());
    }

    /// A message was accepted.
    pub(crate) fn accepted(&mut self, now: Instant) {
        (self.since, self.octets, self.bodies) = (now, 0, Duration::ZERO);
    }

    /// Who has logged in.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Whether the session waits for its peer: at other times it is not ended, for a message may be on its way to the disk.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// For how long the peer has neither sent nor taken anything.
    pub(crate) fn idle(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_octet)
    }

    /// For how long the session has held its place, and the octets per second that came of it.
    pub(crate) fn rate(&self, now: Instant) -> (Duration, u64) {
        let held = now.saturating_duration_since(self.since);
        (held, self.octets / held.as_secs().max(1))
    }

    /// How much longer the peer may take for what is being sent to it.
    pub(crate) fn taking_left(&self, grace: Duration) -> Duration {
        grace.saturating_sub(self.taking.0)
    }

    /// The limit that the session has passed, if there is one. A session whose user has logged in keeps all of its time.
    pub(crate) fn expiry(&self, patience: &Patience, fill: Fill, now: Instant) -> Option<Expiry> {
        let (direction, _) = self.waiting?;
        let is_proved = patience.proof == Proof::None || self.user.is_some();
        let limit = |limit: Duration| if is_proved { limit } else { fill.scale(limit) };
        let since = |begin: Instant| now.saturating_duration_since(begin);
        if direction == Direction::Writing {
            let behind = self.taking.0 + self.waited(direction, now);
            return (behind >= limit(patience.grace)).then_some(Expiry::Taking);
        }
        // The time of messages is not held against a host that sends them; a user has nothing to send before the login.
        let mut bodies = self.bodies;
        if let Some((began, debt)) = self.body {
            bodies += since(began);
            if debt.0 + self.waited(direction, now) >= limit(patience.grace) {
                return Some(Expiry::Body);
            }
        }
        let life = match patience.proof {
            Proof::Message => since(self.since).saturating_sub(bodies),
            Proof::Login | Proof::None => since(self.since),
        };
        if !is_proved && patience.unproved.is_some_and(|unproved| life >= limit(unproved)) {
            return Some(Expiry::Unproved);
        }
        if self.command.is_some_and(|began| since(began) >= limit(patience.command)) {
            return Some(Expiry::Command);
        }
        let is_silent = self.body.is_none() && self.idle(now) >= limit(patience.silence);
        (is_silent && !is_proved && fill.is_pressing()).then_some(Expiry::Silence)
    }

    fn waited(&self, direction: Direction, now: Instant) -> Duration {
        let begin = self.waiting.filter(|(waiting, _)| *waiting == direction);
        begin.map_or(Duration::ZERO, |(_, begin)| now.saturating_duration_since(begin))
    }
}

#[cfg(test)]
mod tests;
