use std::io;
use std::path::{Path, PathBuf};

use super::lock::LockError;

/// An error of an operation on a Maildir.
#[derive(Debug, thiserror::Error)]
pub enum MaildirError {
    /// Another process holds a lock for longer than the time limit.
    #[error("{} is locked by another process", .0.display())]
    Locked(PathBuf),
    /// All UIDs of a mailbox are assigned.
    #[error("no UIDs left in {}", .0.display())]
    NoUidsLeft(PathBuf),
    /// An error of the disk.
    #[error("cannot {step} {}: {source}", path.display())]
    Disk {
        /// The step that failed.
        step: &'static str,
        /// The path that it failed on.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl MaildirError {
    /// For `map_err`: an error of this step on this path.
    pub(crate) fn disk(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { step, path: path.to_owned(), source }
    }

    /// For `map_err`: an error of acquiring this lock.
    pub(super) fn lock(path: &Path) -> impl FnOnce(LockError) -> Self {
        move |error| match error {
            LockError::Held => Self::Locked(path.to_owned()),
            LockError::Disk(source) => Self::Disk { step: "lock", path: path.to_owned(), source },
        }
    }
}

impl From<durable::Error> for MaildirError {
    fn from(error: durable::Error) -> Self {
        let step = match error.step {
            durable::Step::Create => "create",
            durable::Step::Write => "write",
            durable::Step::SyncFile | durable::Step::SyncFolder => "sync",
            durable::Step::Rename => "rename",
            durable::Step::Remove => "remove",
        };
        Self::Disk { step, path: error.path, source: error.source }
    }
}
