//! The timing of one session, as a value: events are passed in with the time at which they happened, and it reports
//! whether a limit has been exceeded.
//!
//! ```text
//!  first octet ── command ── ended     a command has a deadline, however its octets are spread
//!  began ──────── body ───── ended     a body has a least rate, with a grace for the time out of range
//!  reply ──────── read                 the peer must read replies at the same least rate
//!  since ──────── login, message       an unproved session has a time limit
//! ```
//!
//! Only time in which the peer keeps us waiting counts: our own work is bounded elsewhere.

use std::time::Duration;

use tokio::time::Instant;

use super::time_limits::{Fill, Proof, TimeLimits};

/// The reason why a session is ended by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The peer sent nothing while the service was filling up.
    Silence,
    /// A command was not completed in time.
    Command,
    /// A message was sent more slowly than the least rate.
    Body,
    /// The peer read our replies more slowly than the least rate.
    SlowReader,
    /// Neither a login nor, on port 25, a message came in time.
    Unproved,
    /// The service is full, and the session was evicted for another client.
    Evicted,
}

/// The direction in which a session waits for its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// For octets from the peer.
    Reading,
    /// For the peer to read octets.
    Writing,
}

/// The times that count against a session's limits.
#[derive(Debug)]
pub(crate) struct SessionTiming {
    /// The time of the connection or, on port 25, of the last accepted message.
    since: Instant,
    /// The octets since then, in both directions.
    octets: u64,
    /// The part of that time in which a body was transferred.
    bodies: Duration,
    last_octet: Instant,
    /// The start of the current command.
    command: Option<Instant>,
    /// The start of the current body.
    body: Option<(Instant, Debt)>,
    sending: Debt,
    waiting: Option<(Direction, Instant)>,
    user: Option<Box<str>>,
}

/// The time by which a transfer is behind the least rate: grows by the time for which we wait, shrinks by the time that
/// the octets would have taken at that rate. A head start is not kept, so that a trickle cannot live on it.
#[derive(Debug, Clone, Copy, Default)]
struct Debt(Duration);

impl Debt {
    fn settle(&mut self, waited: Duration, octets: u64, rate: u64) {
        let paid = Duration::from_millis(octets.saturating_mul(1000) / rate.max(1));
        self.0 = (self.0 + waited).saturating_sub(paid);
    }
}

impl SessionTiming {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            since: now,
            octets: 0,
            bodies: Duration::ZERO,
            last_octet: now,
            command: None,
            body: None,
            sending: Debt::default(),
            waiting: None,
            user: None,
        }
    }

    /// The session waits for the peer.
    pub(crate) fn start_waiting(&mut self, direction: Direction, now: Instant) {
        if self.waiting.is_none_or(|(before, _)| before != direction) {
            self.waiting = Some((direction, now));
        }
    }

    /// The peer has sent or read octets; the session works.
    pub(crate) fn transferred(&mut self, direction: Direction, octets: usize, rate: u64, now: Instant) {
        let waited = self.waited(direction, now);
        let octets = octets as u64;
        self.waiting = None;
        self.octets += octets;
        self.last_octet = now;
        match (direction, &mut self.body) {
            (Direction::Writing, _) => self.sending.settle(waited, octets, rate),
            (Direction::Reading, Some((_, debt))) => debt.settle(waited, octets, rate),
            (Direction::Reading, None) => {
                self.command.get_or_insert(now);
            }
        }
    }

    /// Starts a command before its first octet: a TLS handshake.
    pub(crate) fn command_began(&mut self, now: Instant) {
        self.command.get_or_insert(now);
    }

    /// Ends a command.
    pub(crate) fn command_ended(&mut self) {
        self.command = None;
    }

    /// Sets whether the peer sends a message body from now on.
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

    /// Sets the authenticated user.
    pub(crate) fn authenticated(&mut self, user: &str) {
        self.user = Some(user.into());
    }

    /// Records an accepted message.
    pub(crate) fn accepted(&mut self, now: Instant) {
        (self.since, self.octets, self.bodies) = (now, 0, Duration::ZERO);
    }

    /// The authenticated user.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// True if the session waits for its peer: at other times it is not ended, for a message may be being written to
    /// disk.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// The time for which the peer has neither sent nor read anything.
    pub(crate) fn idle(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_octet)
    }

    /// The duration of the session, and its octets per second.
    pub(crate) fn rate(&self, now: Instant) -> (Duration, u64) {
        let held = now.saturating_duration_since(self.since);
        (held, self.octets / held.as_secs().max(1))
    }

    /// The time that is left for the peer to read what is being sent to it.
    pub(crate) fn send_time_left(&self, grace: Duration) -> Duration {
        grace.saturating_sub(self.sending.0)
    }

    /// The limit that the session has exceeded, if any. A session whose user has logged in keeps all of its time.
    pub(crate) fn expiry(&self, time_limits: &TimeLimits, fill: Fill, now: Instant) -> Option<Expiry> {
        let (direction, _) = self.waiting?;
        let is_proved = time_limits.proof == Proof::None || self.user.is_some();
        let limit = |limit: Duration| if is_proved { limit } else { fill.scale(limit) };
        let since = |begin: Instant| now.saturating_duration_since(begin);
        if direction == Direction::Writing {
            let behind = self.sending.0 + self.waited(direction, now);
            return (behind >= limit(time_limits.grace)).then_some(Expiry::SlowReader);
        }
        // The time of message transfers is not counted against a host; a user has nothing to send before the login.
        let mut bodies = self.bodies;
        if let Some((began, debt)) = self.body {
            bodies += since(began);
            if debt.0 + self.waited(direction, now) >= limit(time_limits.grace) {
                return Some(Expiry::Body);
            }
        }
        let age = match time_limits.proof {
            Proof::Message => since(self.since).saturating_sub(bodies),
            Proof::Login | Proof::None => since(self.since),
        };
        if !is_proved && time_limits.unproved.is_some_and(|unproved| age >= limit(unproved)) {
            return Some(Expiry::Unproved);
        }
        if self.command.is_some_and(|began| since(began) >= limit(time_limits.command)) {
            return Some(Expiry::Command);
        }
        let is_silent = self.body.is_none() && self.idle(now) >= limit(time_limits.silence);
        (is_silent && !is_proved && fill.is_pressing()).then_some(Expiry::Silence)
    }

    fn waited(&self, direction: Direction, now: Instant) -> Duration {
        let begin = self.waiting.filter(|(waiting, _)| *waiting == direction);
        begin.map_or(Duration::ZERO, |(_, begin)| now.saturating_duration_since(begin))
    }
}

#[cfg(test)]
mod tests;
