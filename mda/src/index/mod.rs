//! Facts about messages that are expensive to compute, cached in one SQLite file per user.
//!
//! Only a cache: deleting it at run time, or replacing it with an older one, changes no result, and a damaged file is
//! replaced. So nothing here returns an error; a failure is logged and costs time later. Everything here blocks.

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

    /// The index of one user, `user` being the path `example.org/ann`.
    pub(crate) fn of(&self, user: &Path) -> UserIndex {
        let mut file = self.folder.join(user).into_os_string();
        file.push(".sqlite");
        UserIndex { file: file.into(), handles: self.handles.clone() }
    }
}

/// One user's index. Mailboxes are identified by the GUIDs in their UID lists.
#[derive(Debug, Clone)]
pub(crate) struct UserIndex {
    file: PathBuf,
    handles: Arc<Handles>,
}

impl UserIndex {
    /// Runs `work` on the database. If that is damaged it is created again, and the result is empty.
    fn with_connection<T: Default>(
        &self,
        work: impl FnOnce(&mut rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> T {
        self.handles.with_connection(&self.file, work).unwrap_or_else(|error| {
            tracing::warn!(file = %self.file.display(), %error, "index unavailable");
            T::default()
        })
    }
}
