use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, ErrorCode};

use super::schema;
use crate::maildir::regular::identity;

/// Maximum number of open databases; each costs a few files and pages.
const MAX_OPEN: usize = 16;

/// Open databases, the most recently used last.
#[derive(Debug, Default)]
pub(super) struct Handles {
    open: Mutex<Vec<Handle>>,
}

/// One open database.
#[derive(Debug)]
struct Handle {
    path: PathBuf,
    /// Identity of the file: another file may replace it under the same name.
    identity: Option<(u64, u64)>,
    connection: Arc<Mutex<Connection>>,
}

impl Handles {
    /// Runs `work` on a database. A damaged file is removed, and created again by the next caller.
    pub(super) fn with_connection<T>(
        &self,
        file: &Path,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let outcome = self
            .connection(file)
            .and_then(|connection| work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner)));
        if let Err(error) = &outcome {
            // After any error the next caller opens the file again.
            self.open().retain(|open| open.path != file);
            if is_damage(error) {
                remove(file);
            }
        }
        outcome
    }

    fn connection(&self, file: &Path) -> rusqlite::Result<Arc<Mutex<Connection>>> {
        let mut open = self.open();
        if let Some(index) = open.iter().position(|open| open.path == file) {
            let used = open.remove(index);
            if used.identity.is_some() && used.identity == identity(file) {
                let connection = used.connection.clone();
                open.push(used);
                return Ok(connection);
            }
        }
        drop(open);
        let connection = Arc::new(Mutex::new(connect(file)?));
        let mut open = self.open();
        // Of two threads that opened it at once, both may use their own; the later one is kept.
        open.retain(|open| open.path != file);
        if open.len() >= MAX_OPEN {
            open.remove(0);
        }
        let handle =
            Handle { path: file.to_owned(), identity: identity(file), connection: connection.clone() };
        open.push(handle);
        Ok(connection)
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Vec<Handle>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    if let Some(folder) = file.parent() {
        // If it cannot be created, opening the file reports the error.
        let _ = std::fs::create_dir_all(folder);
    }
    let opened = || {
        let connection = Connection::open(file)?;
        schema::prepare(&connection)?;
        Ok(connection)
    };
    opened().or_else(|error: rusqlite::Error| {
        if !is_damage(&error) {
            return Err(error);
        }
        tracing::warn!(file = %file.display(), %error, "index damaged, rebuilding");
        remove(file);
        opened()
    })
}

fn is_damage(error: &rusqlite::Error) -> bool {
    // An unexpected table comes from another version, or from damage.
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::Unknown
                | ErrorCode::SchemaChanged
        )
    )
}

fn remove(file: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        let _ = std::fs::remove_file(path);
    }
}
