//! The replies that end commands and sessions: every tagged reply and every BYE, by name, and the reply to each
//! failure.
//!
//! A client never sees the text of an internal error, only one of these; the error itself is in the log. The texts are
//! short, as other servers write them. A NO that a mail program shows to its user, such as a refused login or a full
//! storage, is a sentence that says what is wrong and what to do. The program itself reads the response code.

use std::borrow::Cow;
use std::io;

use imap_proto::command::{CommandError, KNOWN_COMMAND};
use imap_proto::response::{Code, Condition, condition};
use imap_proto::{SyntaxError, Tag};

use serve::Expiry;

use crate::mailbox::{NotAllowed, StoreError};

/// The tagged reply that ends a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    condition: Condition,
    code: Option<Code>,
    text: Cow<'static, str>,
}

/// The reason why a command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command was refused.
    Refused(Reply),
    /// The session ends without a reply to the command.
    Bye(Bye),
    /// The connection is broken, which ends the session.
    ConnectionLost(io::Error),
}

/// The BYE of a session that the server ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bye {
    code: Option<Code>,
    text: &'static str,
}

impl Bye {
    /// Writes the BYE.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        condition::bye(out, self.code.as_ref(), self.text);
    }

    const fn new(code: Option<Code>, text: &'static str) -> Self {
        Self { code, text }
    }

    /// The daemon stops.
    pub(super) const fn shutting_down() -> Self {
        Self::new(Some(Code::Unavailable), "Server shutting down")
    }

    /// The client sent nothing for too long.
    pub(super) const fn idle_timeout() -> Self {
        Self::new(None, "Disconnected for inactivity")
    }

    /// The account, the password or the app password was revoked.
    pub(super) const fn revoked() -> Self {
        Self::new(None, "Login revoked")
    }

    /// The session exceeded a time limit, or was evicted in favour of another client.
    pub(super) const fn expired(expiry: Expiry) -> Self {
        let words = match expiry {
            Expiry::Silence | Expiry::Command => "Command timeout",
            Expiry::Body | Expiry::SlowReader => "Transfer too slow",
            Expiry::Unproved => "Login timeout",
            Expiry::Evicted => "Too many connections. Try again later.",
        };
        Self::new(Some(Code::Unavailable), words)
    }

    /// The selected mailbox does not exist any more: its UIDs mean nothing (RFC 5530 §3). A client connects again and
    /// lists its folders, as it does with Dovecot.
    pub(super) const fn mailbox_gone() -> Self {
        Self::new(Some(Code::NonExistent), "Selected mailbox was deleted, renamed or restored")
    }

    /// No real client sends this many commands that cannot be parsed.
    pub(super) const fn too_many_bad_commands() -> Self {
        Self::new(None, "Too many invalid commands")
    }
}

impl From<Reply> for Failure {
    fn from(reply: Reply) -> Self {
        Self::Refused(reply)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(Reply::store_error(&error))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::ConnectionLost(error)
    }
}

impl Reply {
    fn new(condition: Condition, code: Option<Code>, words: impl Into<Cow<'static, str>>) -> Self {
        Self { condition, code, text: words.into() }
    }

    /// Writes the reply.
    pub(super) fn write(&self, out: &mut Vec<u8>, tag: &Tag) {
        condition::tagged(out, tag, self.condition, self.code.as_ref(), &self.text);
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
    pub(super) fn ok(words: &'static str) -> Self {
        Self::new(Condition::Ok, None, words)
    }

    /// The command succeeded with this response code.
    pub(super) fn ok_with(code: Code, words: &'static str) -> Self {
        Self::new(Condition::Ok, Some(code), words)
    }

    /// Unknown command, or bad arguments.
    pub(super) fn bad(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Condition::Bad, None, words)
    }

    /// A command that breaks the grammar, with the position of the fault for developers of mail programs.
    pub(super) fn syntax_error(fault: &CommandError) -> Self {
        match fault {
            CommandError::Syntax(SyntaxError { expected: KNOWN_COMMAND, .. }) => Self::bad("Unknown command"),
            CommandError::Syntax(SyntaxError { at, expected }) => {
                Self::bad(format!("Syntax error at octet {at}: expected {expected}"))
            }
            CommandError::TooLong { .. } => Self::bad(format!("Command too long: {fault}")),
        }
    }

    /// A command that needs a login first.
    pub(super) fn not_authenticated() -> Self {
        Self::bad("Not authenticated: log in first")
    }

    /// A command that is not allowed after the login.
    pub(super) fn already_authenticated() -> Self {
        Self::bad("Already authenticated")
    }

    /// A command that needs a selected mailbox.
    pub(super) fn no_mailbox_selected() -> Self {
        Self::bad("No mailbox selected")
    }

    /// A sequence number beyond the mailbox's end (RFC 3501 §9, `seq-number`).
    pub(super) fn no_such_message() -> Self {
        Self::bad("No message with this sequence number")
    }

    /// TLS is already in use.
    pub(super) fn tls_already_active() -> Self {
        Self::bad("TLS is already active")
    }

    /// RFC 5530 §3: the client offered a password in clear text, where others may have read it.
    pub(super) fn privacy_required() -> Self {
        Self::new(
            Condition::No,
            Some(Code::PrivacyRequired),
            "Logins need an encrypted connection. Choose SSL/TLS or STARTTLS in the mail program's settings.",
        )
    }

    /// Wrong name or password. The reply does not say which.
    pub(super) fn authentication_failed() -> Self {
        Self::new(
            Condition::No,
            Some(Code::AuthenticationFailed),
            "Authentication failed. Check the user name and the password.",
        )
    }

    /// Too many failed logins from this address or for this account (RFC 5530 §3: the client keeps its password).
    pub(super) fn too_many_failed_logins() -> Self {
        Self::new(Condition::No, Some(Code::Unavailable), "Too many logins have failed. Try again later.")
    }

    /// The password could not be checked.
    pub(super) fn authentication_unavailable() -> Self {
        Self::new(
            Condition::No,
            Some(Code::Unavailable),
            "The password cannot be checked now. Try again later.",
        )
    }

    /// A SASL mechanism that is not offered.
    pub(super) fn unsupported_mechanism() -> Self {
        Self::new(Condition::No, Some(Code::Cannot), "Authentication mechanism not supported")
    }

    /// Unknown mailbox.
    pub(super) fn no_such_mailbox() -> Self {
        Self::new(Condition::No, Some(Code::NonExistent), "Mailbox does not exist")
    }

    /// Unknown quota root, or one without a limit.
    pub(super) fn no_such_quota_root() -> Self {
        Self::new(Condition::No, Some(Code::NonExistent), "Quota root does not exist")
    }

    /// Unknown mailbox to put messages in (RFC 3501 §6.3.11).
    pub(super) fn try_create() -> Self {
        Self::new(Condition::No, Some(Code::TryCreate), "Mailbox does not exist")
    }

    /// The command can never succeed.
    pub(super) fn cannot(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Condition::No, Some(Code::Cannot), words)
    }

    /// RFC 6154 §3: special uses follow from the mailboxes' names and cannot be chosen.
    pub(super) fn unsupported_special_use() -> Self {
        Self::new(
            Condition::No,
            Some(Code::UseAttr),
            "Special uses cannot be assigned: they follow from the names of mailboxes",
        )
    }

    /// The mailbox was opened by EXAMINE.
    pub(super) fn read_only() -> Self {
        Self::new(Condition::No, Some(Code::ReadOnly), "Mailbox is read-only")
    }

    /// The message given to APPEND is too large (RFC 7889 §4).
    pub(super) fn too_big() -> Self {
        Self::new(Condition::No, Some(Code::TooBig), "The message is too large for this server.")
    }

    /// Some messages that the command named were removed by another session meanwhile (RFC 5530 §3).
    pub(super) fn expunge_issued() -> Self {
        Self::new(Condition::No, Some(Code::ExpungeIssued), "Some of the messages no longer exist")
    }

    /// A search succeeded although some of the messages were removed by another session meanwhile (RFC 5530 §3).
    pub(super) fn search_expunge_issued() -> Self {
        Self::ok_with(Code::ExpungeIssued, "SEARCH completed, some of the messages no longer exist")
    }

    /// Some messages could not be read.
    pub(super) fn unreadable() -> Self {
        Self::new(Condition::No, Some(Code::ServerBug), "Some of the messages cannot be read")
    }

    /// A search in an unknown charset (RFC 3501 §6.4.4).
    pub(super) fn bad_charset(known: &'static [&'static str]) -> Self {
        Self::new(Condition::No, Some(Code::BadCharset(known)), "Charset not supported")
    }

    /// The reply to an error of the store.
    pub(super) fn store_error(error: &StoreError) -> Self {
        let (code, words) = match error {
            StoreError::NoSuchMailbox { .. } | StoreError::MailboxGone { .. } => {
                return Self::no_such_mailbox();
            }
            StoreError::MessageGone => return Self::expunge_issued(),
            StoreError::AlreadyExists { .. } => (Code::AlreadyExists, "Mailbox already exists"),
            StoreError::NotAllowed(reason) => {
                let code = match reason {
                    NotAllowed::HasChildren => Code::HasChildren,
                    _ => Code::Cannot,
                };
                return Self::new(Condition::No, Some(code), reason.to_string());
            }
            StoreError::NoUidsLeft { .. } => {
                (Code::Limit, "The folder cannot hold more messages. Use another folder.")
            }
            StoreError::Locked { .. } => (Code::InUse, "The folder is in use. Try again later."),
            StoreError::OverQuota { .. } => {
                (Code::OverQuota, "Your storage is full. Delete some messages first.")
            }
            StoreError::DiskFull { .. } => (Code::OverQuota, "The server's disk is full. Try again later."),
            StoreError::Disk { .. } | StoreError::Interrupted => {
                tracing::error!(%error, "mailbox operation failed");
                (Code::Unavailable, "The folder is temporarily unavailable. Try again later.")
            }
        };
        Self::new(Condition::No, Some(code), words)
    }

    /// The reply to an error of the store in a command whose mailbox is a target for messages.
    pub(super) fn target_error(error: &StoreError) -> Self {
        if matches!(error, StoreError::NoSuchMailbox { .. }) {
            Self::try_create()
        } else {
            Self::store_error(error)
        }
    }
}
