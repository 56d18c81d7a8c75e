//! What the queue knows of a message beside its octets: one TOML file a message, readable by a person.

use address::{Address, ReversePath};
use serde::{Deserialize, Serialize};
use smtp_proto::command;

use super::MailId;
use crate::outcome::Outcome;
use crate::timestamp::Timestamp;

/// The envelope of a queued message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The message's name; the file's too.
    pub id: MailId,
    /// When we answered for it.
    pub created: Timestamp,
    /// Who logged in to send it. None for a stranger's mail, which is never bounced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Address>,
    /// Who hears of failures.
    pub sender: ReversePath,
    /// How the sender declared the body (RFC 6152).
    #[serde(default)]
    pub body: BodyKind,
    /// For whom it is, and how far that went.
    #[serde(rename = "recipient")]
    pub recipients: Vec<Recipient>,
    /// Whether the file is older than this, because it could not be written. Not on disk itself.
    #[serde(skip)]
    pub(super) ahead_of_disk: bool,
}

/// The parameter `BODY` of MAIL (RFC 6152 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BodyKind {
    /// `7BIT`, or nothing said.
    #[default]
    #[serde(rename = "7bit")]
    SevenBit,
    /// `8BITMIME`.
    #[serde(rename = "8bitmime")]
    EightBitMime,
}

impl From<command::BodyKind> for BodyKind {
    fn from(kind: command::BodyKind) -> Self {
        match kind {
            command::BodyKind::SevenBit => Self::SevenBit,
            command::BodyKind::EightBitMime => Self::EightBitMime,
        }
    }
}

impl From<BodyKind> for command::BodyKind {
    fn from(kind: BodyKind) -> Self {
        match kind {
            BodyKind::SevenBit => Self::SevenBit,
            BodyKind::EightBitMime => Self::EightBitMime,
        }
    }
}

/// One recipient of a queued message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// The mailbox.
    pub address: Address,
    /// How far it went.
    pub state: State,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; no meaning once it ended.
    pub next: Timestamp,
    /// When it was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// Why the last attempt did not deliver it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// Whether an attempt is being made. Not on disk: after a crash none is.
    #[serde(skip)]
    pub(super) underway: bool,
}

/// How far a recipient went.
///
/// ```text
///  Waiting ──> Delivered
///     │
///     └──────> Failed ──> Reported
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// To be tried at `next`.
    Waiting,
    /// The next host answers for it.
    Delivered,
    /// Given up; the sender does not know yet.
    Failed,
    /// Given up, and the sender has been told, or cannot be.
    Reported,
}

/// Why the last attempt did not deliver it, as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The enhanced status code.
    pub status: String,
    /// What was said.
    pub text: String,
    /// Who said it, when it was a remote host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
}

impl Recipient {
    /// A recipient that is to be tried at once.
    pub fn new(address: Address, now: Timestamp) -> Self {
        Self {
            address,
            state: State::Waiting,
            attempts: 0,
            next: now,
            last: None,
            error: None,
            underway: false,
        }
    }

    /// Notes what an attempt brought. `retry` is when to try again; without one, a deferral is the end.
    pub(super) fn note(&mut self, outcome: &Outcome, now: Timestamp, retry: Option<Timestamp>) {
        self.attempts = self.attempts.saturating_add(1);
        self.last = Some(now);
        self.error = outcome.reason().map(|reason| Failure {
            status: reason.status.to_string(),
            text: reason.text.clone(),
            remote: reason.remote.clone(),
        });
        match (outcome, retry) {
            (Outcome::Delivered, _) => self.state = State::Delivered,
            (Outcome::Deferred(_), Some(next)) => self.next = next,
            (Outcome::Deferred(_), None) | (Outcome::Failed(_), _) => self.state = State::Failed,
        }
    }
}

impl Envelope {
    /// Whether nothing is left to do but to remove the files.
    pub(super) fn is_done(&self) -> bool {
        self.recipients.iter().all(|recipient| matches!(recipient.state, State::Delivered | State::Reported))
    }

    /// Whether something follows from its state that has not been done: the file, a report, or the removal.
    pub(super) fn is_unsettled(&self) -> bool {
        self.ahead_of_disk
            || self.is_done()
            || self.recipients.iter().any(|recipient| recipient.state == State::Failed)
    }

    /// The file's content.
    pub(super) fn to_toml(&self) -> String {
        toml::to_string(self).expect("an envelope is tables and texts only")
    }

    /// Reads a file's content.
    pub(super) fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Status;

    #[test]
    fn an_envelope_is_readable_by_a_person_and_reads_back() {
        let created = Timestamp::new(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_370_399));
        let id = MailId::parse("01jd9e8h0w3abcdef").unwrap();
        let bob = Recipient::new(Address::parse("bob@example.net").unwrap(), created);
        let mut eve = Recipient::new(Address::parse("\"eve eve\"@example.net").unwrap(), created);
        eve.note(&Outcome::failed(Status::new(5, 1, 1), "550 5.1.1 no such user"), created, None);
        let envelope = Envelope {
            id,
            created,
            login: Some(Address::parse("ann@example.org").unwrap()),
            sender: ReversePath::Address(Address::parse("ann@example.org").unwrap()),
            body: BodyKind::EightBitMime,
            recipients: vec![bob, eve],
            ahead_of_disk: false,
        };
        let text = envelope.to_toml();
        assert_eq!(
            text,
            r#"id = "01jd9e8h0w3abcdef"
created = "2026-11-22T17:59:59Z"
login = "ann@example.org"
sender = "<ann@example.org>"
body = "8bitmime"

[[recipient]]
address = "bob@example.net"
state = "waiting"
attempts = 0
next = "2026-11-22T17:59:59Z"

[[recipient]]
address = '"eve eve"@example.net'
state = "failed"
attempts = 1
next = "2026-11-22T17:59:59Z"
last = "2026-11-22T17:59:59Z"

[recipient.error]
status = "5.1.1"
text = "550 5.1.1 no such user"
"#
        );
        assert_eq!(Envelope::from_toml(&text).unwrap(), envelope);
        assert!(Envelope::from_toml(&text.replace("attempts", "tries")).is_err());
    }
}
