//! The time limits of a session, which shrink while a service fills up.

use std::time::Duration;

use handover::config;

/// The time limits of the sessions of a service.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimits {
    /// For one command, from its first octet to its end; also for a TLS handshake.
    pub(super) command: Duration,
    /// For silence between commands, in an unproved session, while the service is more than half full.
    pub(super) silence: Duration,
    /// For an unproved session.
    pub(super) unproved: Option<Duration>,
    /// The event that proves that a session is of use.
    pub(super) proof: Proof,
    /// The time by which a transfer may fall behind the least rate.
    pub(super) grace: Duration,
    /// The least rate of a transfer, in octets per second.
    pub(super) rate: u64,
}

/// The event that proves that a session is of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// A login, once.
    Login,
    /// An accepted message, which restarts the time limit.
    Message,
    /// The peer is one of our processes: nothing needs to be proved.
    None,
}

/// RFC 5321 §4.5.3.2.7: a server waits for the next command for at least 5 minutes.
const SILENCE: Duration = Duration::from_secs(5 * 60);

impl TimeLimits {
    /// For users: the session is of use once it is authenticated.
    pub fn for_users(limits: &config::SessionTimeouts) -> Self {
        let login = Duration::from_secs(limits.login_seconds);
        Self { unproved: Some(login), proof: Proof::Login, ..Self::new(limits) }
    }

    /// For other mail hosts: the session is of use when it brings a message that is accepted.
    pub fn for_hosts(limits: &config::SessionTimeouts) -> Self {
        let message = Duration::from_secs(limits.message_seconds);
        Self { unproved: Some(message), proof: Proof::Message, ..Self::new(limits) }
    }

    /// For our own processes: only one that hangs is ended.
    pub fn for_own_processes() -> Self {
        let limits =
            config::SessionTimeouts { command_seconds: 600, grace_seconds: 600, ..Default::default() };
        Self::new(&limits)
    }

    /// For our connections to other hosts: these must read at the least rate.
    pub(crate) fn for_outgoing() -> Self {
        Self::new(&config::SessionTimeouts::default())
    }

    fn new(limits: &config::SessionTimeouts) -> Self {
        Self {
            command: Duration::from_secs(limits.command_seconds),
            silence: SILENCE,
            unproved: None,
            proof: Proof::None,
            grace: Duration::from_secs(limits.grace_seconds),
            rate: limits.least_rate.max(1),
        }
    }
}

/// The fill level of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fill {
    /// The part of a time limit that is left, in percent.
    percent: u32,
}

impl Fill {
    /// No limit shrinks below this part: a full service still gives a client 30 seconds to log in.
    const MIN_PERCENT: usize = 100 / 6;

    /// All of each limit while half of the connections are free; from there down to a sixth when all are taken. A
    /// `most` of 0 means that connections are not limited.
    pub(crate) fn of(open: usize, most: usize) -> Self {
        let half = most.div_ceil(2);
        let percent = match open {
            _ if most == 0 || open <= half => 100,
            open if open >= most => Self::MIN_PERCENT,
            open => 100 - (100 - Self::MIN_PERCENT) * (open - half) / (most - half),
        };
        Self { percent: u32::try_from(percent).unwrap_or(100) }
    }

    /// True if limits have shrunk.
    pub(super) fn is_pressing(self) -> bool {
        self.percent < 100
    }

    /// Shrinks a limit.
    pub(super) fn scale(self, limit: Duration) -> Duration {
        limit * self.percent / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_shrink_while_the_second_half_of_the_connections_fills() {
        let left = |open| Fill::of(open, 500).percent;
        assert_eq!([0, 250, 375, 499, 500, 600].map(left), [100, 100, 58, 17, 16, 16]);
        assert_eq!(Fill::of(10_000, 0).percent, 100, "connections are not limited");
        assert_eq!(Fill::of(1, 1).percent, 100, "the only session of a service for one connection");
    }
}
