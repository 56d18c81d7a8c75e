//! The number of the volume's format, in the file `format`.
//!
//! A volume of a newer Mailstead is refused with an explanation: an older program would misread it and write what the
//! newer one cannot read. There is only one format so far, so there is nothing to upgrade yet.

use std::io;
use std::path::PathBuf;

use super::{Folders, write};
use crate::read_limited;

/// The format that this version writes.
const CURRENT: u32 = 1;

/// An error that keeps a volume from being used.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A newer Mailstead wrote it.
    #[error(
        "{} has format {found}, and this version supports up to {CURRENT}: the volume was written by a newer \
         Mailstead; start that version again, or restore the volume as it was before it", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The number in it.
        found: u32,
    },
    /// The file exists and holds no number.
    #[error("{} has no number in it; if the rest of the volume is intact, write {CURRENT} into it", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] durable::Error),
}

/// Checks without a change that the volume has a format that this version can use: a newer Mailstead's volume is left
/// as it is. A file that may not be read yet is checked by [`check_format`], once its owner is corrected.
pub fn refuse_foreign_format(folders: &Folders) -> Result<(), FormatError> {
    match read(folders.format()) {
        Err(FormatError::Read { .. }) => Ok(()),
        read => read.map(drop),
    }
}

/// Checks again, once the folders are laid out; an empty volume is given the current format.
pub fn check_format(folders: &Folders) -> Result<(), FormatError> {
    match read(folders.format())? {
        Found::Ours => Ok(()),
        Found::Nothing => Ok(write(&folders.format(), format!("{CURRENT}\n").as_bytes(), 0o644, None)?),
    }
}

/// The format that the volume declares.
enum Found {
    Ours,
    Nothing,
}

fn read(path: PathBuf) -> Result<Found, FormatError> {
    match read_limited::read_own_text(&path) {
        Ok(text) => match text.trim().parse() {
            Ok(CURRENT) => Ok(Found::Ours),
            Ok(found) if found > CURRENT => Err(FormatError::Newer { path, found }),
            _ => Err(FormatError::Malformed { path }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(source) => Err(FormatError::Read { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_volume_gets_a_number_and_a_newer_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders { volume: folder.path().to_owned(), runtime: folder.path().join("run") };
        refuse_foreign_format(&folders).unwrap();
        assert!(!folders.format().exists(), "the check writes nothing");
        check_format(&folders).unwrap();
        check_format(&folders).unwrap();
        for (text, newer) in [("2\n", true), ("0\n", false), ("", false), ("one", false)] {
            std::fs::write(folders.format(), text).unwrap();
            for look in [refuse_foreign_format, check_format] {
                let error = look(&folders).unwrap_err();
                assert_eq!(matches!(error, FormatError::Newer { .. }), newer, "{text:?}: {error}");
            }
        }
    }
}
