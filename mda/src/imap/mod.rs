//! IMAP4rev1 (RFC 3501) over the users' mailboxes.
//!
//! One connection is one task. `session` holds the states and moves between them, `wire` the connection, `selected` a
//! mailbox as the session sees it; each command has its file in `verb`, named as in `imap_proto::command`. `fetch`
//! sends the contents of messages, and `search` finds messages.
//!
//! Guarantees: the tagged OK of APPEND, COPY, MOVE or STORE is sent when the mail is on disk; expunges are sent to a
//! client only where the protocol allows; passwords are accepted only over TLS. Not done here: access to
//! files, and bans of addresses, which many clients may share.

mod cancellation;
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

/// State shared by all IMAP sessions.
pub struct Server {
    /// The name in the greeting.
    pub hostname: Domain,
    /// All users' mail.
    pub store: Store,
    /// The accounts that may log in.
    pub directory: Arc<Directory>,
    /// The certificate in use.
    pub tls: Arc<Tls>,
    /// The largest message that APPEND accepts, in octets.
    pub message_size: u64,
}

/// The service that a client connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Port 143: clear text until STARTTLS.
    Imap,
    /// Port 993: TLS from the first octet (RFC 8314 §3.2).
    Imaps,
}

/// Sent to a client over the connection limit on port 143. On 993 the client could not read it.
pub const TOO_MANY_CONNECTIONS: &[u8] = b"* BYE [UNAVAILABLE] Too many connections. Try again later.\r\n";

/// Serves one client until it leaves, the server ends the session, or the daemon stops.
pub async fn serve(connection: Connection, server: Arc<Server>, service: Service) {
    let Connection { stream, peer, stop, .. } = connection;
    let (stream, privacy) = match service {
        Service::Imap => (stream, Privacy::Clear),
        Service::Imaps => match stream.secure(&server.tls, &[]).await {
            Ok(stream) => (stream, Privacy::Encrypted),
            Err(error) => {
                tracing::debug!(%peer, %error, "TLS handshake failed");
                return;
            }
        },
    };
    let wire = Wire::new(stream, privacy, stop, session::MAX_COMMAND_BEFORE_LOGIN);
    Session::new(wire, server, peer).run().await;
}

#[cfg(test)]
mod tests;
