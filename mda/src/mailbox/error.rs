use std::io;
use std::path::{Path, PathBuf};

use crate::maildir::{MailboxName, MaildirError};

/// Why something can never be done with a user's mail, in words for that user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// The INBOX can be emptied, and not removed.
    #[error("The inbox cannot be deleted.")]
    RemoveInbox,
    /// A name that only stands above mailboxes is removed with them (RFC 3501 §6.3.4, `[HASCHILDREN]`).
    #[error("This folder contains other folders. Delete them first.")]
    HasChildren,
    /// A mailbox cannot become its own child.
    #[error("A folder cannot be moved into itself.")]
    MoveBelowItself,
    /// The name of a folder on disk would be too long.
    #[error("This folder name is too long.")]
    NameTooLong,
    /// Something that is no mailbox has the name of the folder on disk.
    #[error("This folder name is in use by the server. Choose another name.")]
    NameTaken,
    /// A user that no folder can be named for.
    #[error("There can be no mailbox for this user.")]
    UserName,
}

/// Why something could not be done with a user's mail.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such mailbox. For APPEND, COPY and MOVE: `[TRYCREATE]`.
    #[error("there is no mailbox {0:?}")]
    NoSuchMailbox(MailboxName),
    /// There is such a mailbox already.
    #[error("there is a mailbox {0:?} already")]
    AlreadyExists(MailboxName),
    /// It can never be done.
    #[error("not allowed: {0}")]
    NotAllowed(#[from] NotAllowed),
    /// The mailbox was removed or renamed while it was in use.
    #[error("the mailbox {0:?} is gone")]
    Gone(MailboxName),
    /// The message is not there any more.
    #[error("the message is gone")]
    MessageGone,
    /// All UIDs are given out.
    #[error("{} has no UIDs left", .0.display())]
    NoUidsLeft(PathBuf),
    /// Another process holds the mailbox's lock for longer than we wait (`[INUSE]`).
    #[error("{} is held by another process", .0.display())]
    Locked(PathBuf),
    /// The user keeps as much as is allowed (`[OVERQUOTA]`, 452 4.2.2).
    #[error("the user may keep {bound} octets, and there is no room for so many more")]
    OverQuota {
        /// How much may be kept.
        bound: u64,
    },
    /// The disk, or what we may have of it, is full: passes by itself (`[OVERQUOTA]`, 452 4.3.1).
    #[error("the disk is full: cannot {step} {}", path.display())]
    DiskFull {
        /// What was tried.
        step: &'static str,
        /// On what.
        path: PathBuf,
    },
    /// Anything else that the disk says (`[UNAVAILABLE]`, 451 4.3.0).
    #[error("cannot {step} {}: {source}", path.display())]
    Disk {
        /// What was tried.
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The work did not end, since it failed in a way that was not foreseen.
    #[error("the work on the mailbox ended unexpectedly")]
    Interrupted,
}

impl StoreError {
    /// For `map_err`: what was tried, on what.
    pub(super) fn disk(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| MaildirError::Disk { step, path: path.to_owned(), source }.into()
    }
}

impl From<MaildirError> for StoreError {
    fn from(error: MaildirError) -> Self {
        match error {
            MaildirError::Locked(path) => Self::Locked(path),
            MaildirError::NoUidsLeft(path) => Self::NoUidsLeft(path),
            MaildirError::Disk { step, path, source } if durable::is_disk_full(&source) => {
                Self::DiskFull { step, path }
            }
            MaildirError::Disk { step, path, source } => Self::Disk { step, path, source },
        }
    }
}

impl From<durable::Error> for StoreError {
    fn from(error: durable::Error) -> Self {
        MaildirError::from(error).into()
    }
}
