//! Sessions with peers and with submitting clients: one connection, one task.
//!
//! ```text
//!  octets ──> session ──events──> visit ──┬── hello, login ─────── who is there        guest.rs, login.rs
//!    ▲           │                        ├── sender, recipient ── the envelope        sender.rs, recipient.rs
//!    └──replies──┘                        ├── body ─────────────── spooled once        arrival.rs
//!                                         └── message ──────────── acceptance.rs:
//!                                                 fields of a submission, or checks    submission.rs, fields.rs
//!                                                 trace fields on top                  trace.rs
//!                                                 LMTP, queue                          delivery.rs
//!                                                 what the peer is told                verdict.rs
//! ```
//!
//! What this promises: nobody is told 250 before the message is in every local mailbox or in the queue, on disk;
//! nothing goes elsewhere for somebody who has not logged in, whatever address the peer has; what is refused is
//! refused here, so that nothing that a stranger sent is bounced later. It decides nothing by the checks' results:
//! they are recorded.

mod acceptance;
mod arrival;
mod delivery;
mod fields;
mod guest;
mod login;
mod recipient;
mod room;
mod sender;
mod session;
mod submission;
mod trace;
mod transaction;
mod verdict;
mod visit;

use serve::metrics::Kind;
use smtp_proto::{Dialect, replies};

pub use session::attend;

/// Where a connection came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Port 25: other hosts. Nobody logs in here, and nothing is relayed.
    Smtp,
    /// Port 587: users, who ask for TLS first (RFC 6409).
    Submission,
    /// Port 465: users, under TLS from the first octet (RFC 8314).
    Submissions,
}

impl Door {
    fn dialect(self) -> Dialect {
        match self {
            Self::Smtp => Dialect::Smtp,
            Self::Submission | Self::Submissions => Dialect::Submission,
        }
    }

    /// The door's name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Submission => "submission",
            Self::Submissions => "submissions",
        }
    }

    /// Who comes in there.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Smtp => Kind::Peers,
            Self::Submission | Self::Submissions => Kind::Users,
        }
    }

    /// What a peer is told where there are too many, before the connection is closed; nothing where TLS comes first.
    pub fn busy(self) -> &'static [u8] {
        match self {
            Self::Smtp | Self::Submission => replies::TOO_MANY_CONNECTIONS,
            Self::Submissions => b"",
        }
    }
}

#[cfg(test)]
mod tests;
