//! The replies that end commands and sessions: every tagged reply and every BYE, by name, and the reply to each
//! failure.
//!
//! A client never sees the text of an internal error, only one of these; the error itself is in the log. Mail programs
//! show NO, BAD and BYE in a window: their texts are sentences for a person, without protocol terms. The program itself
//! reads the response code.

use std::borrow::Cow;
use std::io;

use imap_proto::Tag;
use imap_proto::command::Fault;
use imap_proto::response::{Code, Condition, condition};

use serve::Expiry;

use crate::mailbox::{NotAllowed, StoreError};

/// The tagged reply that ends a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    condition: Condition,
    code: Option<Code>,
    words: Cow<'static, str>,
}

/// The reason why a command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command was refused.
    Refused(Reply),
    /// The session ends without a reply to the command.
    Ended(Farewell),
    /// The connection is broken, which ends the session.
    Broken(io::Error),
}

/// The BYE of a session that the server ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Farewell {
    code: Option<Code>,
    words: &'static str,
}

impl Farewell {
    /// Writes the BYE.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        condition::bye(out, self.code.as_ref(), self.words);
    }

    const fn new(code: Option<Code>, words: &'static str) -> Self {
        Self { code, words }
    }

    /// The daemon stops.
    pub(super) const fn stopping() -> Self {
        Self::new(Some(Code::Unavailable), "The server is shutting down. Try again in a moment.")
    }

    /// The client sent nothing for too long.
    pub(super) const fn silent() -> Self {
        Self::new(None, "The connection was idle for too long.")
    }

    /// The account, the password or the app password was revoked.
    pub(super) const fn revoked() -> Self {
        Self::new(None, "Your login was revoked.")
    }

    /// The session exceeded a time limit, or was evicted in favour of another client.
    pub(super) const fn expired(expiry: Expiry) -> Self {
        let words = match expiry {
            Expiry::Silence | Expiry::Command => "The mail program took too long to send a command.",
            Expiry::Body | Expiry::Taking => "The transfer was too slow.",
            Expiry::Unproved => "The login took too long.",
            Expiry::Evicted => "The server has too many connections. Try again later.",
        };
        Self::new(Some(Code::Unavailable), words)
    }

    /// The selected mailbox does not exist any more: its UIDs mean nothing (RFC 5530 §3). A client connects again and
    /// lists its folders, as it does with Dovecot.
    pub(super) const fn mailbox_gone() -> Self {
        Self::new(Some(Code::NonExistent), "The open folder was removed, renamed or restored.")
    }

    /// No real client sends this many commands that cannot be parsed.
    pub(super) const fn too_many_mistakes() -> Self {
        Self::new(None, "The mail program sent too many commands that the server does not understand.")
    }
}

impl From<Reply> for Failure {
    fn from(reply: Reply) -> Self {
        Self::Refused(reply)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(Reply::failed(&error))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl Reply {
    fn new(condition: Condition, code: Option<Code>, words: impl Into<Cow<'static, str>>) -> Self {
        Self { condition, code, words: words.into() }
    }

    /// Writes the reply.
    pub(super) fn write(&self, out: &mut Vec<u8>, tag: &Tag) {
        condition::tagged(out, tag, self.condition, self.code.as_ref(), &self.words);
    }

    /// Returns true if the command succeeded.
    pub(super) fn is_ok(&self) -> bool {
        self.condition == Condition::Ok
    }

    /// Returns true if the client made a mistake.
    pub(super) fn is_bad(&self) -> bool {
        self.condition == Condition::Bad
    }

    /// The command succeeded.
    pub(super) fn done(words: &'static str) -> Self {
        Self::new(Condition::Ok, None, words)
    }

    /// The command succeeded with this response code.
    pub(super) fn done_with(code: Code, words: &'static str) -> Self {
        Self::new(Condition::Ok, Some(code), words)
    }

    /// Unknown command, or bad arguments.
    pub(super) fn bad(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Condition::Bad, None, words)
    }

    /// A command that breaks the grammar, with the position of the fault for developers of mail programs.
    pub(super) fn not_understood(fault: &Fault) -> Self {
        Self::bad(format!("The server does not understand this command ({fault})."))
    }

    /// A command that needs a login first.
    pub(super) fn log_in_first() -> Self {
        Self::bad("Log in first.")
    }

    /// A command that is not allowed after the login.
    pub(super) fn logged_in_already() -> Self {
        Self::bad("You are already logged in.")
    }

    /// A command that needs a selected mailbox.
    pub(super) fn select_first() -> Self {
        Self::bad("Open a folder first.")
    }

    /// A sequence number beyond the mailbox's end (RFC 3501 §9, `seq-number`).
    pub(super) fn no_such_number() -> Self {
        Self::bad("There is no message with this number.")
    }

    /// TLS is already in use.
    pub(super) fn encrypted_already() -> Self {
        Self::bad("The connection is already encrypted.")
    }

    /// RFC 5530 §3: the client offered a password in clear, where others may have read it.
    pub(super) fn privacy_required() -> Self {
        Self::new(
            Condition::No,
            Some(Code::PrivacyRequired),
            "Logging in needs an encrypted connection (SSL/TLS).",
        )
    }

    /// Wrong name or password. The reply does not say which.
    pub(super) fn authentication_failed() -> Self {
        Self::new(Condition::No, Some(Code::AuthenticationFailed), "The name or the password is wrong.")
    }

    /// Too many failed logins from this address or for this account (RFC 5530 §3: the client keeps its password).
    pub(super) fn too_many_logins() -> Self {
        Self::new(Condition::No, Some(Code::Unavailable), "Too many logins have failed. Try again later.")
    }

    /// The password could not be checked.
    pub(super) fn cannot_authenticate_now() -> Self {
        Self::new(
            Condition::No,
            Some(Code::Unavailable),
            "The password cannot be checked now. Try again later.",
        )
    }

    /// A SASL mechanism that is not offered.
    pub(super) fn no_such_mechanism() -> Self {
        Self::new(Condition::No, Some(Code::Cannot), "The server does not offer this way to log in.")
    }

    /// Unknown mailbox.
    pub(super) fn no_such_mailbox() -> Self {
        Self::new(Condition::No, Some(Code::NonExistent), "This folder does not exist.")
    }

    /// Unknown quota root, or one without a bound.
    pub(super) fn no_such_quota_root() -> Self {
        Self::new(Condition::No, Some(Code::NonExistent), "There is no storage limit of this name.")
    }

    /// Unknown mailbox to put messages in (RFC 3501 §6.3.11).
    pub(super) fn try_create() -> Self {
        Self::new(Condition::No, Some(Code::TryCreate), "This folder does not exist. Create it first.")
    }

    /// The command can never succeed.
    pub(super) fn cannot(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Condition::No, Some(Code::Cannot), words)
    }

    /// RFC 6154 §3: special uses follow from the mailboxes' names and cannot be chosen.
    pub(super) fn no_such_use() -> Self {
        Self::new(
            Condition::No,
            Some(Code::UseAttr),
            "A folder cannot be given a purpose here. Its name decides.",
        )
    }

    /// The mailbox was opened by EXAMINE.
    pub(super) fn read_only() -> Self {
        Self::new(Condition::No, Some(Code::ReadOnly), "The folder is open for reading only.")
    }

    /// The message given to APPEND is too large (RFC 7889 §4).
    pub(super) fn too_big() -> Self {
        Self::new(Condition::No, Some(Code::TooBig), "The message is too large for this server.")
    }

    /// Some messages that the command named were removed by another session meanwhile (RFC 5530 §3).
    pub(super) fn expunge_issued() -> Self {
        Self::new(Condition::No, Some(Code::ExpungeIssued), "Some of the messages no longer exist.")
    }

    /// A search succeeded although some of the messages were removed by another session meanwhile (RFC 5530 §3).
    pub(super) fn searched_expunged() -> Self {
        Self::done_with(Code::ExpungeIssued, "SEARCH completed, some of the messages are gone")
    }

    /// Some messages could not be read.
    pub(super) fn unreadable() -> Self {
        Self::new(Condition::No, Some(Code::ServerBug), "Some of the messages cannot be read.")
    }

    /// A search in an unknown charset (RFC 3501 §6.4.4).
    pub(super) fn bad_charset(known: &'static [&'static str]) -> Self {
        Self::new(
            Condition::No,
            Some(Code::BadCharset(known)),
            "The server cannot search in this character set.",
        )
    }

    /// The reply to an error of the store.
    pub(super) fn failed(error: &StoreError) -> Self {
        let (code, words) = match error {
            StoreError::NoSuchMailbox { .. } | StoreError::Gone { .. } => return Self::no_such_mailbox(),
            StoreError::MessageGone => return Self::expunge_issued(),
            StoreError::AlreadyExists { .. } => {
                (Code::AlreadyExists, "A folder of this name already exists.")
            }
            StoreError::NotAllowed(reason) => {
                let code = match reason {
                    NotAllowed::HasChildren => Code::HasChildren,
                    _ => Code::Cannot,
                };
                return Self::new(Condition::No, Some(code), reason.to_string());
            }
            StoreError::NoUidsLeft { .. } => (Code::Limit, "The folder cannot hold more messages."),
            StoreError::Locked { .. } => (Code::InUse, "The folder is in use. Try again later."),
            StoreError::OverQuota { .. } => {
                (Code::OverQuota, "Your storage is full. Delete some messages first.")
            }
            StoreError::DiskFull { .. } => {
                (Code::OverQuota, "The server has no space left. Try again later.")
            }
            StoreError::Disk { .. } | StoreError::Interrupted => {
                tracing::error!(%error, "mailbox failed");
                (Code::Unavailable, "The folder cannot be reached now. Try again later.")
            }
        };
        Self::new(Condition::No, Some(code), words)
    }

    /// Like [`Reply::failed`], for a command whose mailbox is a target for messages.
    pub(super) fn failed_to_put(error: &StoreError) -> Self {
        if matches!(error, StoreError::NoSuchMailbox { .. }) {
            Self::try_create()
        } else {
            Self::failed(error)
        }
    }
}
