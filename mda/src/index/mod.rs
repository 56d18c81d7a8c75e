//! What is costly to find out about messages, remembered in one SQLite file a user.
//!
//! A cache only: deleting it while running, or putting an older one in its place, changes no answer, and a file that is
//! damaged is replaced. So nothing here
//! returns an error; a failure is logged and costs time later. Everything here blocks.

mod facts;
mod handles;
mod mod_seqs;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use facts::{Facts, FileStamp};
use handles::Handles;

/// All users' indexes.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    folder: PathBuf,
    handles: Arc<Handles>,
}

impl Index {
    /// Indexes below `folder`.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, handles: Arc::default() }
    }

    /// One user's, `user` being the path `example.org/ann`.
    pub(crate) fn of(&self, user: &Path) -> UserIndex {
        let mut file = self.folder.join(user).into_os_string();
        file.push(".sqlite");
        UserIndex { file: file.into(), handles: self.handles.clone() }
    }
}

/// One user's index. Mailboxes are known by the identifiers that their UID lists give them.
#[derive(Debug, Clone)]
pub(crate) struct UserIndex {
    file: PathBuf,
    handles: Arc<Handles>,
}

impl UserIndex {
    /// Does something with the database; a damaged one is made anew, and what was asked of it has no answer.
    fn with<T: Default>(&self, work: impl FnOnce(&mut rusqlite::Connection) -> rusqlite::Result<T>) -> T {
        self.handles.with(&self.file, work).unwrap_or_else(|error| {
            tracing::warn!(file = %self.file.display(), %error, "the index did not answer");
            T::default()
        })
    }
}
