use serde::{Deserialize, Serialize};

/// The time limits of a session, besides the protocol's own limits on silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionTimeouts {
    /// One command, from its first octet to its end, in seconds.
    pub command_seconds: u64,
    /// A session of a user from its beginning to its login, in seconds.
    pub login_seconds: u64,
    /// A session of another host from its beginning, or from the last message that was accepted, to the next one, in
    /// seconds. The time in which a message is transferred does not count.
    pub message_seconds: u64,
    /// The time that a transfer may fall behind the minimum rate, in seconds.
    pub grace_seconds: u64,
    /// The minimum rate of a transfer, in octets per second.
    pub least_rate: u64,
}

impl Default for SessionTimeouts {
    /// RFC 5321 §4.5.3.2.7 asks a server for 5 minutes. A mobile client that transfers 1 KiB/s stays above the minimum
    /// rate, and one that is out of range for 3 minutes (RFC 5321 §4.5.3.2.5) is waited for.
    fn default() -> Self {
        Self {
            command_seconds: 5 * 60,
            login_seconds: 3 * 60,
            message_seconds: 10 * 60,
            grace_seconds: 3 * 60,
            least_rate: 512,
        }
    }
}
