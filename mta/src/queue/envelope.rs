//! The envelope of a queued message: one TOML file per message, readable by a person.
//!
//! The file has wall-clock times. In memory, waits and ages are counted by the monotonic clock, so that setting the
//! clock neither delays an attempt nor ends a message early.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use address::{Address, ReversePath};
use serde::{Deserialize, Serialize};
use smtp_proto::command;

use super::notes::Route;
use super::schedule::MAX_WAIT;
use super::{MailId, NewEntry, NewRecipient};
use crate::local::TargetMailbox;
use crate::outcome::Outcome;
use crate::timestamp::Timestamp;

/// The envelope of a queued message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The message's identifier, also the name of the file.
    pub id: MailId,
    /// The time at which we accepted the message.
    pub created: Timestamp,
    /// The user who submitted it. `None` for mail from a peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Address>,
    /// The origin of a message without a login.
    #[serde(default, skip_serializing_if = "Origin::is_default")]
    pub origin: Origin,
    /// The address that gets reports of failures.
    pub sender: ReversePath,
    /// The sender's declaration of the body (RFC 6152).
    #[serde(default)]
    pub body: BodyKind,
    /// The mailbox of each local recipient.
    #[serde(default, skip_serializing_if = "is_inbox")]
    pub mailbox: TargetMailbox,
    /// The sender's declaration that addresses and header fields may be in UTF-8 (RFC 6531).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub smtputf8: bool,
    /// The sender's demand that the message travels under TLS to verified hosts only (RFC 8689).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub requires_tls: bool,
    /// The recipients and their states.
    #[serde(rename = "recipient")]
    pub recipients: Vec<Recipient>,
    /// The time to retry the steps that follow from the recipients' states, after they could not be written to disk.
    #[serde(skip)]
    pub(super) settle_at: InMemory<Option<Instant>>,
    /// The moment at which the age was [`Envelope::age_when_read`].
    #[serde(skip)]
    read_at: InMemory<Present>,
    #[serde(skip)]
    age_when_read: InMemory<Duration>,
}

// The shape that serde asks for.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_inbox(mailbox: &TargetMailbox) -> bool {
    *mailbox == TargetMailbox::Inbox
}

/// A value that is not in the file, and that is ignored when two envelopes are compared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct InMemory<T>(pub(super) T);

impl<T> PartialEq for InMemory<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for InMemory<T> {}

/// An instant that defaults to the present.
#[derive(Clone, Copy, Debug)]
pub(super) struct Present(Instant);

impl Default for Present {
    fn default() -> Self {
        Self(Instant::now())
    }
}

/// The origin of a message that no user submitted: it decides who learns of a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A peer, whose sender address may be forged: it never gets a report.
    #[default]
    Unauthenticated,
    /// A peer, and the domain of the sender address vouches for it, by SPF or DKIM.
    Authenticated,
    /// This server: a report about another message.
    Own,
}

impl Origin {
    // The shape that serde asks for.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The parameter `BODY` of MAIL (RFC 6152 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BodyKind {
    /// `7BIT`, or no declaration.
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
            // Binary parts are encoded on arrival.
            command::BodyKind::EightBitMime | command::BodyKind::BinaryMime => Self::EightBitMime,
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
    /// The address here through which the message reaches the mailbox, if it is an alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<Address>,
    /// The state of its delivery.
    pub state: RecipientState,
    /// The number of attempts.
    pub attempts: u32,
    /// The time of the next attempt; without meaning in any state but [`RecipientState::Waiting`].
    pub next: Timestamp,
    /// The time of the last attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// The reason why the last attempt did not deliver it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// [`Recipient::next`] by the monotonic clock.
    #[serde(skip)]
    due: InMemory<Present>,
    /// The attempt that is under way, as long as it lives.
    #[serde(skip)]
    attempt: InMemory<Weak<()>>,
}

/// The state of a recipient.
///
/// ```text
///  Waiting ──> Delivered
///     │
///     └──────> Failed ──> Reported
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecipientState {
    /// The next attempt is at `next`.
    Waiting,
    /// The next host has taken responsibility for it.
    Delivered,
    /// Given up; neither the sender nor a user here has a report yet.
    Failed,
    /// Given up, and someone has a report, or the failure is counted for the next one.
    Reported,
}

/// The reason why the last attempt did not deliver, as it is written to the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The enhanced status code.
    pub status: String,
    /// The reply, or our own words.
    pub text: String,
    /// The remote host that sent the reply, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
}

impl Recipient {
    /// A recipient that is due at once.
    pub fn new(recipient: NewRecipient, now: Timestamp) -> Self {
        let NewRecipient { address, alias } = recipient;
        Self {
            address,
            alias,
            state: RecipientState::Waiting,
            attempts: 0,
            next: now,
            last: None,
            error: None,
            due: InMemory::default(),
            attempt: InMemory::default(),
        }
    }

    /// The way of the message to this recipient.
    pub(super) fn route(&self) -> Route {
        Route { alias: self.alias.clone(), mailbox: self.address.clone() }
    }

    /// The moment of the next attempt; `None` when the recipient needs no more, or an attempt is under way.
    pub(super) fn due(&self) -> Option<Instant> {
        let waits = self.state == RecipientState::Waiting && self.attempt.0.strong_count() == 0;
        waits.then_some(self.due.0.0)
    }

    /// Waits for this long. Not written to disk.
    pub(super) fn defer(&mut self, wait: Duration) {
        self.due = InMemory(Present(Instant::now() + wait.min(MAX_WAIT)));
    }

    /// Begins an attempt, which ends with an outcome or when the mark is dropped.
    pub(super) fn begin(&mut self, mark: &Arc<()>) {
        self.attempt = InMemory(Arc::downgrade(mark));
    }

    /// True if the attempt with this mark is under way.
    pub(super) fn is_in(&self, mark: &Arc<()>) -> bool {
        std::ptr::eq(self.attempt.0.as_ptr(), Arc::as_ptr(mark))
    }

    /// Notes the outcome of an attempt. `wait` is the time until the next one; without it, a deferral becomes a
    /// failure.
    pub(super) fn note(&mut self, outcome: &Outcome, now: Timestamp, wait: Option<Duration>) {
        self.attempt = InMemory::default();
        self.attempts = self.attempts.saturating_add(1);
        self.last = Some(now);
        self.error = outcome.reason().map(|reason| Failure {
            status: reason.status.to_string(),
            text: reason.text.clone(),
            remote: reason.remote.clone(),
        });
        match (outcome, wait) {
            (Outcome::Delivered, _) => self.state = RecipientState::Delivered,
            (Outcome::Deferred(_), Some(wait)) => {
                self.next = now.after(wait);
                self.defer(wait);
            }
            (Outcome::Deferred(_), None) | (Outcome::Failed(_), _) => self.state = RecipientState::Failed,
        }
    }
}

impl Envelope {
    /// The envelope of a new message.
    pub(super) fn new(id: MailId, entry: NewEntry, now: Timestamp) -> Self {
        let recipients = entry.recipients.into_iter().map(|recipient| Recipient::new(recipient, now));
        Self {
            id,
            created: now,
            login: entry.login,
            origin: entry.origin,
            sender: entry.sender,
            body: entry.body,
            mailbox: entry.mailbox,
            smtputf8: entry.smtputf8,
            requires_tls: entry.requires_tls,
            recipients: recipients.collect(),
            settle_at: InMemory::default(),
            read_at: InMemory::default(),
            age_when_read: InMemory::default(),
        }
    }

    /// The time since we accepted the message.
    pub(super) fn age(&self) -> Duration {
        self.age_when_read.0.saturating_add(self.read_at.0.0.elapsed())
    }

    /// Converts the times of the file for a process that reads it `now`. A time that lies further ahead than any wait
    /// comes from a clock that was ahead, or is behind now: the wait for it is cut, and the file keeps it.
    pub(super) fn resume(&mut self, now: Timestamp) {
        self.age_when_read = InMemory(now.since(self.created));
        self.read_at = InMemory::default();
        for recipient in &mut self.recipients {
            // The clock may have been set since: the wait is never longer than planned.
            let planned = recipient.next.since(recipient.last.unwrap_or(self.created));
            recipient.defer(recipient.next.since(now).min(planned));
        }
        if self.is_unsettled() {
            // A crash came between an outcome and the steps that follow from it.
            self.settle_at = InMemory(Some(Instant::now()));
        }
    }

    /// True if the only step left is to remove the files.
    pub(super) fn is_done(&self) -> bool {
        self.recipients
            .iter()
            .all(|recipient| matches!(recipient.state, RecipientState::Delivered | RecipientState::Reported))
    }

    /// True if the recipients' states require a step: a report, or the removal.
    fn is_unsettled(&self) -> bool {
        self.is_done() || self.recipients.iter().any(|recipient| recipient.state == RecipientState::Failed)
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
    fn an_envelope_is_written_as_readable_toml_and_read_back() {
        let created = Timestamp::new(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_370_399));
        let id = MailId::parse("01jd9e8h0w3abcdef").unwrap();
        let recipient = |address: &str| Recipient::new(Address::parse(address).unwrap().into(), created);
        let mut bob = recipient("bob@example.net");
        bob.alias = Some(Address::parse("list@example.org").unwrap());
        let mut eve = recipient("\"eve eve\"@example.net");
        eve.note(&Outcome::failed(Status::new(5, 1, 1), "550 5.1.1 no such user"), created, None);
        let entry = NewEntry {
            login: Some(Address::parse("ann@example.org").unwrap()),
            origin: Origin::Authenticated,
            sender: ReversePath::Address(Address::parse("ann@example.org").unwrap()),
            body: BodyKind::EightBitMime,
            mailbox: TargetMailbox::Inbox,
            smtputf8: false,
            requires_tls: false,
            recipients: Vec::new(),
        };
        let envelope = Envelope { recipients: vec![bob, eve], ..Envelope::new(id, entry, created) };
        let text = envelope.to_toml();
        assert_eq!(
            text,
            r#"id = "01jd9e8h0w3abcdef"
created = "2026-11-22T17:59:59Z"
login = "ann@example.org"
origin = "authenticated"
sender = "<ann@example.org>"
body = "8bitmime"

[[recipient]]
address = "bob@example.net"
alias = "list@example.org"
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
        // A file of the previous version.
        let before =
            text.replace("origin = \"authenticated\"\n", "").replace("alias = \"list@example.org\"\n", "");
        let read = Envelope::from_toml(&before).unwrap();
        assert_eq!((read.origin, &read.recipients[0].alias), (Origin::Unauthenticated, &None));
        let demanding = Envelope { requires_tls: true, ..envelope };
        assert_eq!(Envelope::from_toml(&demanding.to_toml()).unwrap(), demanding);
    }

    #[test]
    fn times_from_a_clock_that_was_ahead_do_not_delay_attempts() {
        let now = Timestamp::now();
        let ahead = now.after(Duration::from_secs(400 * 24 * 3600));
        let entry = NewEntry {
            login: None,
            origin: Origin::default(),
            sender: ReversePath::Null,
            body: BodyKind::SevenBit,
            mailbox: TargetMailbox::Inbox,
            smtputf8: false,
            requires_tls: false,
            recipients: vec![Address::parse("bob@example.net").unwrap().into()],
        };
        let mut envelope = Envelope::new(MailId::parse("01jd9e8h0w3abcdef").unwrap(), entry, ahead);
        envelope.recipients[0].last = Some(ahead);
        for (wait, longest) in [(Duration::from_secs(60), Duration::from_secs(60)), (Duration::MAX, MAX_WAIT)]
        {
            envelope.recipients[0].next = ahead.after(wait);
            envelope.resume(now);
            assert!(envelope.recipients[0].due().unwrap() <= Instant::now() + longest);
        }
        // The clock may be behind now: then the message must not have aged when it is right again.
        assert_eq!(envelope.created, ahead);
        assert!(envelope.age() < Duration::from_secs(3600));
    }

    #[test]
    fn an_attempt_that_is_dropped_leaves_its_recipient_waiting() {
        let mut bob = Recipient::new(Address::parse("bob@example.net").unwrap().into(), Timestamp::now());
        let mark = Arc::new(());
        bob.begin(&mark);
        assert_eq!(bob.due(), None);
        drop(mark);
        assert!(bob.due().is_some());
    }
}
