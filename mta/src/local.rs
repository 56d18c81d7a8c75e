//! Delivery to local mailboxes: LMTP (RFC 2033) to the MDA over its socket.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use address::{Address, Domain, ForwardPath, Host, ReversePath};
use serde::{Deserialize, Serialize};
use serve::MailId;
use smtp_proto::client::{Envelope, Settings, Tls};
use smtp_proto::command::EnvelopeId;
use smtp_proto::{Dialect, replies};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::content::Content;
use crate::outcome::Outcome;
use crate::smtp_client::{OpenError, SmtpClient, Timeouts};

/// The MDA is on this machine: if it takes longer than this, a disk hangs. A peer that waits for our answer meanwhile
/// gives up after ten minutes (RFC 5321 §4.5.3.2.6).
const TIMEOUTS: Timeouts = Timeouts {
    command: Duration::from_secs(60),
    final_reply: Duration::from_secs(5 * 60),
    total: Duration::from_secs(8 * 60),
};

/// Long enough for the owner of the socket to restart: the backlog holds the connection meanwhile.
const CONNECT: Duration = Duration::from_secs(10);

/// The mailbox of each recipient that a message goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetMailbox {
    /// The INBOX.
    #[default]
    Inbox,
    /// The Junk mailbox.
    Junk,
}

/// Delivers a message to local recipients, one transaction for all; the MDA gets our identifier of the message. The
/// outcomes are in their order.
///
/// An outcome of [`Outcome::Delivered`] means that the MDA answered 250 after the message: it is on its disk.
pub async fn deliver(
    socket: &Path,
    hostname: &Domain,
    id: MailId,
    sender: &ReversePath,
    recipients: &[Address],
    mailbox: TargetMailbox,
    content: &Content,
) -> Vec<Outcome> {
    let Some(mut client) = open(socket, hostname, id).await else { return unavailable(recipients) };
    let is_junk = mailbox == TargetMailbox::Junk;
    let envelope = Envelope { is_junk, ..envelope(id, sender, recipients, content.len()) };
    let outcomes = client.deliver(id, envelope, content).await;
    // In a task of its own: the outcomes need not wait for it.
    tokio::spawn(client.quit());
    outcomes.into_iter().map(|outcome| Outcome::from_peer(outcome, None)).collect()
}

/// Probes which recipients the MDA would accept for a message of this size, and delivers nothing. The outcomes are in
/// the recipients' order.
pub async fn probe(
    socket: &Path,
    hostname: &Domain,
    id: MailId,
    sender: &ReversePath,
    recipients: &[Address],
    size: u64,
) -> Vec<Outcome> {
    let Some(mut client) = open(socket, hostname, id).await else { return unavailable(recipients) };
    let outcomes = client.probe(envelope(id, sender, recipients, size)).await;
    tokio::spawn(client.quit());
    outcomes.into_iter().map(|outcome| Outcome::from_peer(outcome, None)).collect()
}

fn envelope(id: MailId, sender: &ReversePath, recipients: &[Address], size: u64) -> Envelope {
    Envelope {
        sender: sender.clone(),
        recipients: recipients.iter().cloned().map(ForwardPath::Address).collect(),
        size,
        body: smtp_proto::command::BodyKind::EightBitMime,
        // The mail store keeps the octets as they are.
        has_utf8_header: false,
        requires_tls: false,
        id: EnvelopeId::new(id.as_str()),
        is_junk: false,
    }
}

/// Opens a session with the MDA, if it accepts mail.
async fn open(socket: &Path, hostname: &Domain, id: MailId) -> Option<SmtpClient> {
    let stream = match timeout(CONNECT, UnixStream::connect(socket)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::warn!(%id, socket = %socket.display(), %error, "cannot connect to the mail store");
            return None;
        }
        Err(_) => {
            tracing::warn!(%id, socket = %socket.display(), "connection to the mail store timed out");
            return None;
        }
    };
    let settings = Settings {
        dialect: Dialect::Lmtp,
        hello_name: Host::Domain(hostname.clone()),
        tls: Tls::Never,
        login: None,
    };
    match SmtpClient::open(stream.into(), Arc::new(settings), None, TIMEOUTS).await {
        Ok(client) => Some(client),
        Err(OpenError::Unusable(reply) | OpenError::LoginRefused(reply)) => {
            tracing::warn!(%id, %reply, "mail store refused the session");
            None
        }
        Err(OpenError::Handshake(_)) => None,
    }
}

fn unavailable(recipients: &[Address]) -> Vec<Outcome> {
    let outcome = smtp_proto::client::Outcome::Deferred(replies::STORE_UNAVAILABLE);
    vec![Outcome::from_peer(outcome, None); recipients.len()]
}

#[cfg(test)]
mod tests;
