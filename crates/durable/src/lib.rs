//! Writes files whole or not at all, and reads them within a limit. The one place in Mailstead that calls fsync and
//! renames for durability.
//!
//! The promise: when [`write_whole`] or [`Staged::commit`] returns `Ok`, the file under its final name has its whole
//! content on disk and its folder knows it; when they fail, or the machine dies half-way, the final name is as it was
//! before, and at most a file under a temporary name is left over. That also holds when the folder cannot be synced
//! after the rename: the name is removed again, or the file that had it is restored. Only a disk that refuses that as
//! well leaves the new file under its name.
//!
//! There is no locking: two writers of one name both succeed, and the later one stays.
//!
//! Every function here blocks; call them off the async runtime.

mod disk;
mod read_limited;
mod shared_sync;
mod staged;
mod whole;

pub use read_limited::{read_limited, read_limited_through_links, read_text_limited};
pub use shared_sync::SharedSync;
pub use staged::{CommitError, Staged};
pub use whole::{create_folder, remove_file, rename, sync_folder, write_whole};

use std::io;
use std::path::{Path, PathBuf};

/// A failed step, with its file and reason.
#[derive(Debug, thiserror::Error)]
#[error("cannot {step} {}: {source}", path.display())]
pub struct Error {
    /// The step that failed.
    pub step: Step,
    /// The file or folder that it failed on.
    pub path: PathBuf,
    /// The operating system's error.
    pub source: io::Error,
}

/// The steps of a durable write, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Creating the file under its temporary name.
    Create,
    /// Writing its content.
    Write,
    /// Syncing its content.
    SyncFile,
    /// Renaming it to its final name.
    Rename,
    /// Removing a file.
    Remove,
    /// Syncing the folder's list of names.
    SyncFolder,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Step::Create => "create",
            Step::Write => "write",
            Step::SyncFile => "sync",
            Step::Rename => "rename",
            Step::Remove => "remove",
            Step::SyncFolder => "sync the folder",
        })
    }
}

impl Error {
    fn new(step: Step, path: &Path, source: io::Error) -> Self {
        Self { step, path: path.to_owned(), source }
    }

    /// True if the disk or this user's quota of it is full: a temporary condition, to be answered with a temporary
    /// refusal.
    pub fn is_disk_full(&self) -> bool {
        is_disk_full(&self.source)
    }
}

/// True if an error of the operating system means that the disk or this user's quota of it is full.
pub fn is_disk_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests;
