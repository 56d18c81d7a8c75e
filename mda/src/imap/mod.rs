//! IMAP4rev1 (RFC 3501) over the users' mailboxes.
//!
//! One connection is one task. `session` holds the states and moves between them, `wire` the connection, `selected` a
//! mailbox as the session sees it; each verb has its file in `verb`, named as in `imap_proto::command`. `fetch` tells what
//! messages hold, and `search` finds them.
//!
//! What it promises: a tagged OK of APPEND, COPY, MOVE or STORE is given when the mail is on disk; a client is told of
//! expunges only where the protocol allows; a password is taken over TLS alone. What it does not do: it knows nothing of
//! files, and it never bans anybody, since addresses are shared.

mod abandon;
mod contents;
mod fetch;
mod flags;
mod names;
mod reply;
mod search;
mod selected;
mod session;
mod verb;
mod wire;

use std::sync::Arc;

use accounts::Directory;
use address::Domain;
use serve::Connection;
use serve::tls::Tls;

use crate::mailbox::Store;
use session::Session;
use wire::{Privacy, Wire};

/// What all IMAP sessions share.
pub struct Server {
    /// The name in the greeting.
    pub hostname: Domain,
    /// All users' mail.
    pub store: Store,
    /// Who may log in.
    pub directory: Arc<Directory>,
    /// The certificate at work.
    pub tls: Arc<Tls>,
    /// The largest message that APPEND takes, in octets.
    pub message_size: u64,
}

/// Through which port a client came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// 143: in clear until STARTTLS.
    Imap,
    /// 993: TLS from the first octet (RFC 8314 §3.2).
    Imaps,
}

/// What a client is told that is one too many, on port 143; on 993 it could not read it.
pub const BUSY: &[u8] = b"* BYE [UNAVAILABLE] There are too many connections. Try again later.\r\n";

/// Serves one client until it leaves, is thrown out, or the daemon stops.
pub async fn serve(connection: Connection, server: Arc<Server>, door: Door) {
    let Connection { stream, peer, stop, .. } = connection;
    let (stream, privacy) = match door {
        Door::Imap => (stream, Privacy::Clear),
        Door::Imaps => match stream.secure(&server.tls, &[]).await {
            Ok(stream) => (stream, Privacy::Encrypted),
            Err(error) => {
                tracing::debug!(%peer, %error, "no tls");
                return;
            }
        },
    };
    let wire = Wire::new(stream, privacy, stop, session::SHORT_COMMAND);
    Session::new(wire, server, peer).run().await;
}

#[cfg(test)]
mod tests;
