use std::io;
use std::path::{Path, PathBuf};

use super::lock::LockError;

/// What could not be done to a Maildir.
#[derive(Debug, thiserror::Error)]
pub enum MaildirError {
    /// Another process holds a lock for longer than we wait.
    #[error("{} is held by another process", .0.display())]
    Locked(PathBuf),
    /// All UIDs of a mailbox are given out.
    #[error("{} has no UIDs left", .0.display())]
    NoUidsLeft(PathBuf),
    /// Something that the disk says.
    #[error("cannot {step} {}: {source}", path.display())]
    Disk {
        /// What was tried.
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl MaildirError {
    /// For `map_err`: what was tried, on what.
    pub(crate) fn disk(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { step, path: path.to_owned(), source }
    }

    /// For `map_err`: the lock that was not got.
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
