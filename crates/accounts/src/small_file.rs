//! Small files with a daemon's records of past logins: read at its start, rewritten as a whole at intervals.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The largest file that is read, in octets: several times what a full file has.
const MAX_SIZE: u64 = 1 << 20;

/// A value that changes in memory and is written to a small file.
#[derive(Debug, Default)]
pub(crate) struct Saved<T>(Mutex<SavedState<T>>);

/// The value behind the lock, and the state of its file.
#[derive(Debug, Default)]
pub(crate) struct SavedState<T> {
    pub(crate) value: T,
    /// True if the value has a change that is not in the file.
    pub(crate) is_changed: bool,
    path: Option<PathBuf>,
    /// True if the last write failed, which is logged once.
    is_failing: bool,
}

impl<T> Saved<T> {
    /// A value that lasts as long as the process, until [`Saved::persist_in`].
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(SavedState { value, is_changed: false, path: None, is_failing: false }))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, SavedState<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the value in this file from now on. `merge` merges the file's text into the value.
    pub(crate) fn persist_in(&self, path: &Path, merge: impl FnOnce(&mut T, &str)) {
        let text = read(path).unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "cannot read the login records");
            String::new()
        });
        let mut state = self.lock();
        state.path = Some(path.to_owned());
        merge(&mut state.value, &text);
    }

    /// Writes the file if there is a change; creates its folder, which may have been deleted as a cache. Blocks.
    pub(crate) fn save(&self, to_text: impl FnOnce(&T) -> String) {
        let mut state = self.lock();
        let Some(path) = state.path.clone().filter(|_| state.is_changed) else { return };
        let text = to_text(&state.value);
        state.is_changed = false;
        drop(state);
        let written = write(&path, &text);
        let mut state = self.lock();
        if let Err(error) = &written {
            state.is_changed = true;
            if !state.is_failing {
                tracing::warn!(path = %path.display(), %error, "cannot write the login records");
            }
        }
        state.is_failing = written.is_err();
    }
}

/// The text of a file; empty when the file is missing.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    match durable::read_limited(path, MAX_SIZE) {
        Ok(octets) => Ok(String::from_utf8_lossy(&octets).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

fn write(path: &Path, text: &str) -> Result<(), durable::Error> {
    durable::create_folder(path.parent().unwrap_or(Path::new(".")), 0o700)?;
    durable::write_whole(path, text.as_bytes(), 0o600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_written_once_and_a_failed_write_is_retried() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/value");
        let saved = Saved::new(1);
        saved.persist_in(&path, |_, text| assert_eq!(text, ""));
        saved.save(i32::to_string);
        assert!(!path.exists(), "nothing has changed");
        // A file is in the place of the folder to be created.
        std::fs::write(folder.path().join("made"), "").unwrap();
        saved.lock().is_changed = true;
        saved.save(i32::to_string);
        std::fs::remove_file(folder.path().join("made")).unwrap();
        saved.save(i32::to_string);
        assert_eq!(read(&path).unwrap(), "1");
        std::fs::remove_file(&path).unwrap();
        saved.save(i32::to_string);
        assert!(!path.exists(), "it was written already");
    }
}
