//! How commands end: every tagged reply, by name, and what becomes of a failure.
//!
//! A client never sees the text of an error of ours, only one of these (the text is in the log).

use std::borrow::Cow;
use std::io;

use imap_proto::Tag;
use imap_proto::response::{Code, Condition, condition};

use crate::mailbox::StoreError;

/// The end of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    condition: Condition,
    code: Option<Code>,
    words: Cow<'static, str>,
}

/// Why a command came to no good end.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was refused.
    Refused(Reply),
    /// The connection is broken, and so is the session.
    Broken(io::Error),
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

    /// Writes it.
    pub(super) fn write(&self, out: &mut Vec<u8>, tag: &Tag) {
        condition::tagged(out, tag, self.condition, self.code.as_ref(), &self.words);
    }

    /// Whether the client made a mistake.
    pub(super) fn is_bad(&self) -> bool {
        self.condition == Condition::Bad
    }

    /// The command was done.
    pub(super) fn done(words: &'static str) -> Self {
        Self::new(Condition::Ok, None, words)
    }

    /// The command was done, and this came of it.
    pub(super) fn done_with(code: Code, words: &'static str) -> Self {
        Self::new(Condition::Ok, Some(code), words)
    }

    /// Not a command, or not with these arguments.
    pub(super) fn bad(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Condition::Bad, None, words)
    }

    /// A command that needs a login before it.
    pub(super) fn log_in_first() -> Self {
        Self::bad("Log in first")
    }

    /// A command that has no place after the login.
    pub(super) fn logged_in_already() -> Self {
        Self::bad("You are logged in already")
    }

    /// A command that needs a selected mailbox.
    pub(super) fn select_first() -> Self {
        Self::bad("Select a mailbox first")
    }

    /// A sequence number beyond the mailbox's end (RFC 3501 §9, `seq-number`).
    pub(super) fn no_such_number() -> Self {
        Self::bad("There is no message with that number")
    }

    /// TLS is there already.
    pub(super) fn encrypted_already() -> Self {
        Self::bad("The connection is encrypted already")
    }

    /// RFC 5530 §3: a password was offered in clear, where anybody may have read it.
    pub(super) fn privacy_required() -> Self {
        Self::new(Condition::No, Some(Code::PrivacyRequired), "Start TLS before you log in")
    }

    /// Name or password is wrong; which, is not said.
    pub(super) fn authentication_failed() -> Self {
        Self::new(Condition::No, Some(Code::AuthenticationFailed), "The name or the password is wrong")
    }

    /// Wrong too often, from there or at that account (RFC 5530 §3: a client goes on to believe in its password).
    pub(super) fn too_many_logins() -> Self {
        Self::new(Condition::No, Some(Code::Unavailable), "Too many logins have failed. Try again later")
    }

    /// The password could not be checked.
    pub(super) fn cannot_authenticate_now() -> Self {
        Self::new(
            Condition::No,
            Some(Code::Unavailable),
            "The password cannot be checked now. Try again later",
        )
    }

    /// A SASL mechanism that is not offered.
    pub(super) fn no_such_mechanism() -> Self {
        Self::new(Condition::No, Some(Code::Cannot), "There is no such mechanism here")
    }

    /// There is no such mailbox.
    pub(super) fn no_such_mailbox() -> Self {
        Self::new(Condition::No, Some(Code::NonExistent), "There is no such mailbox")
    }

    /// There is no such quota root, or nothing bounds it.
    pub(super) fn no_such_quota_root() -> Self {
        Self::new(Condition::No, Some(Code::NonExistent), "There is no such quota root")
    }

    /// There is no such mailbox to put messages in (RFC 3501 §6.3.11).
    pub(super) fn try_create() -> Self {
        Self::new(Condition::No, Some(Code::TryCreate), "There is no such mailbox. Create it first")
    }

    /// It can never be done.
    pub(super) fn cannot(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Condition::No, Some(Code::Cannot), words)
    }

    /// RFC 6154 §3: the uses of mailboxes are given by their names here.
    pub(super) fn no_such_use() -> Self {
        Self::new(Condition::No, Some(Code::UseAttr), "A mailbox cannot be given a use")
    }

    /// The mailbox was opened by EXAMINE.
    pub(super) fn read_only() -> Self {
        Self::new(Condition::No, Some(Code::ReadOnly), "The mailbox was opened to be looked at only")
    }

    /// The message given to APPEND is too large (RFC 7889 §4).
    pub(super) fn too_big() -> Self {
        Self::new(Condition::No, Some(Code::TooBig), "The message is too large")
    }

    /// Some messages that the command was about were removed by others meanwhile (RFC 5530 §3).
    pub(super) fn expunge_issued() -> Self {
        Self::new(Condition::No, Some(Code::ExpungeIssued), "Some of the messages are gone")
    }

    /// Some messages could not be read.
    pub(super) fn unreadable() -> Self {
        Self::new(Condition::No, Some(Code::ServerBug), "Some of the messages cannot be read")
    }

    /// A search in a charset that is not known (RFC 3501 §6.4.4).
    pub(super) fn bad_charset(known: &'static [&'static str]) -> Self {
        Self::new(Condition::No, Some(Code::BadCharset(known)), "The charset is not known")
    }

    /// What a failure of the store is to the client.
    pub(super) fn failed(error: &StoreError) -> Self {
        let (code, words) = match error {
            StoreError::NoSuchMailbox { .. } | StoreError::Gone { .. } => return Self::no_such_mailbox(),
            StoreError::MessageGone => return Self::expunge_issued(),
            StoreError::AlreadyExists { .. } => (Code::AlreadyExists, "There is such a mailbox already"),
            StoreError::NotAllowed { .. } => (Code::Cannot, "That is not allowed with this mailbox"),
            StoreError::KeywordRefused { .. } => (Code::Limit, "The mailbox can have no more keywords"),
            StoreError::NoUidsLeft { .. } => (Code::Limit, "The mailbox can have no more messages"),
            StoreError::Locked { .. } => (Code::InUse, "The mailbox is in use. Try again later"),
            StoreError::OverQuota { .. } => {
                (Code::OverQuota, "There is no room left for you. Delete something first")
            }
            StoreError::DiskFull { .. } => (Code::OverQuota, "There is no room. Try again later"),
            StoreError::Disk { .. } | StoreError::Interrupted => {
                tracing::error!(%error, "mailbox failed");
                (Code::Unavailable, "The mailbox cannot be reached. Try again later")
            }
        };
        Self::new(Condition::No, Some(code), words)
    }

    /// The same, where a missing mailbox is one to put messages in.
    pub(super) fn failed_to_put(error: &StoreError) -> Self {
        if matches!(error, StoreError::NoSuchMailbox { .. }) {
            Self::try_create()
        } else {
            Self::failed(error)
        }
    }
}
