//! Trace fields (RFC 5321 §4.4, RFC 8601).

use std::time::{SystemTime, UNIX_EPOCH};

use address::{Address, Domain};
use message::compose::{Peer, Received};
use message::{Author, AuthorError, DateTime, field, forged};
use smtp_proto::{Reply, replies};

use super::client::Client;
use super::envelope::InboundEnvelope;
use crate::content::Content;
use crate::site::Settings;

/// "Normally at least 100 Received entries" (RFC 5321 §6.3).
const MAX_HOPS: usize = 100;

/// The facts about another host in the trace fields.
#[derive(Debug, Default)]
pub(super) struct PeerTrace {
    /// The name that leads to its address and back.
    pub(super) name: Option<String>,
    /// The fields with the results of the checks.
    pub(super) fields: String,
}

/// Refuses mail loops, and a header section with more lines than the number of fields that are read: a field after the
/// last of them would pass every filter.
pub(super) fn refuse_loops_and_long_headers(content: &Content) -> Result<(), Reply> {
    if memchr::memchr_iter(b'\n', content.header()).count() > field::MAX_FIELDS {
        return Err(replies::HEADER_TOO_BIG);
    }
    let hops = field::fields(content.header()).filter(|field| field.is("Received")).count();
    if hops > MAX_HOPS { Err(replies::ROUTING_LOOP) } else { Ok(()) }
}

/// Refuses a message with several From fields: RFC 5322 §3.6 forbids it, mail clients show one or the other, and
/// RFC 9989 §5.3.1 allows the refusal. Any other From with more than one meaning is accepted and recorded as such by
/// DMARC: malformed mail of honest senders must not be lost.
pub(super) fn refuse_several_authors(content: &Content) -> Result<(), Reply> {
    match Author::of(content.header()) {
        Err(error @ AuthorError::Several) => Err(replies::unreadable_author("From", error)),
        _ => Ok(()),
    }
}

/// Removes trace fields that a reader could mistake for ours: with them, the sender would vouch for itself
/// (RFC 8601 §5).
pub(super) fn remove_forged(content: &mut Content, hostname: &Domain) {
    let forged = forged::trace_fields(content.header(), hostname);
    content.remove(&forged);
}

/// Puts our trace fields on top: Received first, then the results of the checks.
pub(super) fn add_trace_fields(
    content: &mut Content,
    settings: &Settings,
    client: &Client,
    envelope: &InboundEnvelope,
    peer: &PeerTrace,
) {
    let tls = client.encryption.as_ref().map(|(version, suite)| format!("{version} {suite}"));
    let from = match (&client.user, client.peer.ip()) {
        // A user's location is private (RFC 6409 §8 leaves it to us).
        (Some(_), _) | (None, None) => None,
        (None, Some(ip)) => Some(Peer { helo: client.hello_name(), ip, name: peer.name.as_deref() }),
    };
    // An alias in UTF-8 for an ASCII address elsewhere: naming it would require SMTPUTF8 of that host.
    let is_shown = |address: &&Address| address.is_ascii() || envelope.remote().is_empty();
    let received = Received {
        from,
        by: settings.config.hostname.as_str(),
        with: client.protocol(envelope.smtputf8),
        tls: tls.as_deref(),
        id: envelope.id.as_str(),
        recipient: envelope.only_recipient().filter(is_shown),
        date: now(),
    };
    let mut fields = received.field();
    fields.push_str(&peer.fields);
    content.prepend(fields.as_bytes());
}

/// The present moment, in UTC.
pub(super) fn now() -> DateTime {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    DateTime::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX), 0)
}
