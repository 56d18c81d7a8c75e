//! LMTP (RFC 2033): receives messages from the MTA over a Unix socket.
//!
//! One connection is one task. [`smtp_proto::server::Session`] implements the protocol; `session` moves its octets,
//! `commands` answers its events, `arrival` receives the message and `delivery` delivers it to each recipient.
//!
//! Guarantees: a 250 after a message means that it is on disk in that recipient's mailbox, and every recipient has a
//! reply of its own. An empty line is added where the fields of a message end, so that no octet of it continues one of
//! our fields. Not done here: it knows no aliases, checks nothing about the message, and trusts every process that may
//! open the socket.

mod arrival;
mod commands;
mod delivery;
mod recipient;
mod reply;
mod session;

use std::sync::Arc;

use accounts::Directory;
use address::Domain;

use crate::mailbox::Store;
pub use session::serve;

/// State shared by all LMTP sessions.
pub struct Server {
    /// The name in the greeting.
    pub hostname: Domain,
    /// All users' mail.
    pub store: Store,
    /// The accounts that have mail here.
    pub directory: Arc<Directory>,
    /// The largest message that is accepted, in octets.
    pub message_size: u64,
}

/// Sent to a client over the connection limit.
pub const BUSY_REPLY: &[u8] = smtp_proto::replies::TOO_MANY_CONNECTIONS;

#[cfg(test)]
mod tests;
