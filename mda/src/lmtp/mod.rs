//! LMTP (RFC 2033): how the MTA hands over messages, over a Unix socket.
//!
//! One connection is one task. [`smtp_proto::server::Session`] knows the protocol; `session` moves its octets, `visit`
//! answers its questions, `arrival` receives the message and `delivery` brings it to each recipient.
//!
//! What it promises: a 250 after a message means that it is on disk in that recipient's mailbox, and every recipient has an
//! answer of its own. An empty line is put where the fields of a message end, so that no octet of it continues a field of
//! ours. What it does not do: it knows no aliases, checks nothing about the message, and trusts whoever may
//! open the socket.

mod arrival;
mod delivery;
mod recipient;
mod reply;
mod session;
mod visit;

use std::sync::Arc;

use accounts::Directory;
use address::Domain;

use crate::mailbox::Store;
pub use session::serve;

/// What all LMTP sessions share.
pub struct Server {
    /// The name in the greeting.
    pub hostname: Domain,
    /// All users' mail.
    pub store: Store,
    /// Who has mail here.
    pub directory: Arc<Directory>,
    /// The largest message that is taken, in octets.
    pub message_size: u64,
}

/// What a client is told that is one too many.
pub const BUSY: &[u8] = smtp_proto::replies::TOO_MANY_CONNECTIONS;

#[cfg(test)]
mod tests;
