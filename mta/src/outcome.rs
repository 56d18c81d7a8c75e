//! The outcome of a delivery for one recipient.

use std::fmt;

use smtp_proto::{Reply, client, replies};

/// The outcome for one recipient of one message. Permanent and temporary are types, not numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The next host has taken responsibility for it.
    Delivered,
    /// A later attempt may succeed.
    Deferred(Reason),
    /// Every attempt would fail.
    Failed(Reason),
}

/// The reason why a recipient was not delivered, in words for a person and for a report (RFC 3464 §2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The enhanced status code (RFC 3463).
    pub status: Status,
    /// One line: the reply of the other side, or the fault on this side.
    pub text: String,
    /// The host that answered, when one did; then `text` is its reply.
    pub remote: Option<String>,
}

/// `status-code = class "." subject "." detail` (RFC 3463 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// 2, 4 or 5.
    pub class: u8,
    /// The subject of the status.
    pub subject: u16,
    /// The detail within the subject.
    pub detail: u16,
}

impl Status {
    /// A code of this class, subject and detail.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }

    /// Reads `5.1.1`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
        let class = class.parse().ok().filter(|class| matches!(class, 2 | 4 | 5))?;
        match parts.next() {
            Some(_) => None,
            None => Some(Self::new(class, subject.parse().ok()?, detail.parse().ok()?)),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl Outcome {
    /// Deferred by a fault on this side or on the way.
    pub fn deferred(status: Status, text: impl Into<String>) -> Self {
        Self::Deferred(Reason { status, text: text.into(), remote: None })
    }

    /// Failed by a fact that is known here.
    pub fn failed(status: Status, text: impl Into<String>) -> Self {
        Self::Failed(Reason { status, text: text.into(), remote: None })
    }

    /// The outcome of a session with a peer. `remote` is the peer's name, when reports may show it.
    pub(crate) fn from_peer(outcome: client::Outcome, remote: Option<&str>) -> Self {
        match outcome {
            client::Outcome::Delivered(_) => Self::Delivered,
            client::Outcome::Deferred(reply) => Self::Deferred(Reason::from_reply(&reply, remote)),
            client::Outcome::Failed(reply) => Self::Failed(Reason::from_reply(&reply, remote)),
        }
    }

    /// The reason why it was not delivered, if it was not.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Delivered => None,
            Self::Deferred(reason) | Self::Failed(reason) => Some(reason),
        }
    }
}

impl Reason {
    /// The reason in a reply; a reply that stands for a peer's silence is in our own words.
    pub(crate) fn from_reply(reply: &Reply, remote: Option<&str>) -> Self {
        const OURS: [Reply; 7] = [
            replies::CONNECTION_LOST,
            replies::PEER_TIMED_OUT,
            replies::MALFORMED_REPLY,
            replies::PEER_MAIL_LIMIT,
            replies::PEER_WITHOUT_TLS,
            replies::PEER_WITHOUT_AUTH,
            replies::LOCAL_ERROR,
        ];
        let class = if reply.code().number() >= 500 { 5 } else { 4 };
        let status = Status::parse(&reply.status_code()).unwrap_or(Status::new(class, 0, 0));
        if OURS.contains(reply) {
            let host = remote.map(|remote| format!(" ({remote})")).unwrap_or_default();
            return Self { status, text: format!("{}{host}", reply.text()), remote: None };
        }
        Self { status, text: reply.to_string(), remote: remote.map(str::to_owned) }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.remote {
            Some(remote) => write!(f, "{remote} replied: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}
