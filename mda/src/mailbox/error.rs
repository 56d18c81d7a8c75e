use std::io;
use std::path::{Path, PathBuf};

use crate::maildir::{MailboxName, MaildirError};

/// A permanent reason why an operation on a user's mail is refused, worded for that user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// INBOX can be emptied, but not removed.
    #[error("The inbox cannot be deleted.")]
    RemoveInbox,
    /// A name that is only a parent of mailboxes is removed with them (RFC 3501 §6.3.4, `[HASCHILDREN]`).
    #[error("This folder contains other folders. Delete them first.")]
    HasChildren,
    /// A mailbox cannot become its own child.
    #[error("A folder cannot be moved into itself.")]
    MoveBelowItself,
    /// The name of a folder on disk would be too long.
    #[error("This folder name is too long.")]
    NameTooLong,
    /// A file that is not a mailbox has the name of the folder on disk.
    #[error("This folder name is in use by the server. Choose another name.")]
    NameTaken,
    /// The user's name cannot be the name of a folder.
    #[error("This user name cannot have a mailbox. Contact your administrator.")]
    UserName,
}

/// The reason why an operation on a user's mail failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The mailbox does not exist. For APPEND, COPY and MOVE: `[TRYCREATE]`.
    #[error("mailbox {0:?} does not exist")]
    NoSuchMailbox(MailboxName),
    /// The mailbox exists already.
    #[error("mailbox {0:?} already exists")]
    AlreadyExists(MailboxName),
    /// The operation can never succeed.
    #[error("not allowed: {0}")]
    NotAllowed(#[from] NotAllowed),
    /// The mailbox was removed or renamed while it was in use.
    #[error("mailbox {0:?} was removed or renamed")]
    MailboxGone(MailboxName),
    /// The message does not exist any more.
    #[error("the message was removed")]
    MessageGone,
    /// All UIDs are assigned.
    #[error("no UIDs left in {}", .0.display())]
    NoUidsLeft(PathBuf),
    /// Another process holds the mailbox's lock for longer than the time limit (`[INUSE]`).
    #[error("{} is locked by another process", .0.display())]
    Locked(PathBuf),
    /// The message would exceed the user's quota (`[OVERQUOTA]`, 452 4.2.2).
    #[error("over the user's quota of {limit} octets")]
    OverQuota {
        /// The quota, in octets.
        limit: u64,
    },
    /// The disk, or the daemon's share of it, is full. Transient (`[OVERQUOTA]`, 452 4.3.1).
    #[error("the disk is full: cannot {step} {}", path.display())]
    DiskFull {
        /// The step that failed.
        step: &'static str,
        /// The path that it failed on.
        path: PathBuf,
    },
    /// Any other error of the disk (`[UNAVAILABLE]`, 451 4.3.0).
    #[error("cannot {step} {}: {source}", path.display())]
    Disk {
        /// The step that failed.
        step: &'static str,
        /// The path that it failed on.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The operation panicked, or the runtime is being shut down.
    #[error("mailbox operation ended unexpectedly")]
    Interrupted,
}

impl StoreError {
    /// For `map_err`: an error of this step on this path.
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
