//! Sessions with peers and with submitting clients: one connection, one task.
//!
//! ```text
//!  octets ──> session ──events──> commands ─┬── hello, login ─────── the client        client.rs, login.rs
//!    ▲           │                          ├── sender, recipient ── the envelope      sender.rs, recipient.rs
//!    └──replies──┘                          ├── body ─────────────── spooled once      arrival.rs
//!                                           └── message ──────────── acceptance.rs:
//!                                                   lines of a submission              transcoding.rs
//!                                                   fields of a submission, or checks  submission.rs, fields.rs
//!                                                   trace fields on top                trace.rs
//!                                                   LMTP, queue                        delivery.rs
//!                                                   reply to the peer                  disposition.rs
//! ```
//!
//! The guarantees: the MTA answers 250 only after the message is in every local mailbox or in the queue, on disk; only
//! authenticated users can send to other hosts, whatever address the peer has; refused mail is refused here, so that no
//! message from outside is bounced later to a sender that may be forged. The checks decide as the policy says, and are
//! recorded.

mod acceptance;
mod arrival;
mod client;
mod commands;
mod delivery;
mod disposition;
mod envelope;
mod fields;
mod forwarding;
mod login;
mod policy;
mod quota;
mod recipient;
mod sender;
mod session;
mod submission;
mod trace;
mod transcoding;

use serve::metrics::PeerKind;
use smtp_proto::{Dialect, replies};

pub use session::serve_connection;

/// A listening service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// Port 25: other hosts. Has no login, and relays nothing.
    Smtp,
    /// Port 587: users, who ask for TLS first (RFC 6409).
    Submission,
    /// Port 465: users, under TLS from the first octet (RFC 8314).
    Submissions,
}

impl ServiceKind {
    fn dialect(self) -> Dialect {
        match self {
            Self::Smtp => Dialect::Smtp,
            Self::Submission | Self::Submissions => Dialect::Submission,
        }
    }

    /// The service's name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Submission => "submission",
            Self::Submissions => "submissions",
        }
    }

    /// The kind of clients that the service has.
    pub(crate) fn client_kind(self) -> PeerKind {
        match self {
            Self::Smtp => PeerKind::Peers,
            Self::Submission | Self::Submissions => PeerKind::Users,
        }
    }

    /// The reply to a client when there are too many connections, before the connection is closed; empty where TLS
    /// comes first.
    pub fn busy_reply(self) -> &'static [u8] {
        match self {
            Self::Smtp | Self::Submission => replies::TOO_MANY_CONNECTIONS,
            Self::Submissions => b"",
        }
    }
}

#[cfg(test)]
mod tests;
