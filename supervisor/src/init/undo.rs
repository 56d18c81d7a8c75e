//! Several files that are replaced together: all of them, or none.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, chown};

use crate::volume::ignore_not_found;

/// Files as they were before they are replaced. They are restored when this is dropped, unless [`Undo::commit`] was
/// called before.
///
/// Each is saved as a hard link, so neither saving nor restoring it needs room on the disk; a full disk is the usual
/// reason for a failed replacement. On a file system without hard links it is a copy.
#[derive(Debug, Default)]
pub(super) struct Undo(Vec<SavedFile>);

#[derive(Debug)]
struct SavedFile {
    path: PathBuf,
    /// The other name; `None` if there was no file.
    before: Option<PathBuf>,
}

impl Undo {
    /// Saves a file, or a symbolic link, as it is now.
    pub(super) fn save(&mut self, path: &Path) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let before = path.with_file_name(format!(".{name}.before"));
        ignore_not_found(fs::remove_file(&before))?;
        let saved = match fs::hard_link(path, &before) {
            Ok(()) => Some(before),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(_) => {
                copy(path, &before)?;
                Some(before)
            }
        };
        self.0.push(SavedFile { path: path.to_owned(), before: saved });
        Ok(())
    }

    /// Discards the saved files: all were replaced, and stay so.
    pub(super) fn commit(mut self) {
        for saved in std::mem::take(&mut self.0) {
            if let Some(before) = saved.before {
                let _ = fs::remove_file(before);
            }
        }
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        for SavedFile { path, before } in self.0.drain(..).rev() {
            let undone = match &before {
                Some(before) => restore(before, &path),
                None => ignore_not_found(fs::remove_file(&path)),
            };
            if let Err(error) = undone {
                tracing::error!(path = %path.display(), %error, "cannot restore the previous file");
            }
        }
    }
}

fn restore(before: &Path, path: &Path) -> io::Result<()> {
    fs::rename(before, path)?;
    // A rename leaves two names of one file as they are; then the file was not replaced.
    ignore_not_found(fs::remove_file(before))
}

/// Copies a file with its mode and its group.
fn copy(path: &Path, to: &Path) -> io::Result<()> {
    fs::copy(path, to)?;
    let group = fs::metadata(path)?.gid();
    if fs::metadata(to)?.gid() != group {
        chown(to, None, Some(Gid::from_raw(group)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_failure_half_way_restores_every_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("mta.toml"), "old").unwrap();
        fs::write(path("untouched"), "old").unwrap();
        symlink("one", path("current")).unwrap();
        // Left over by a process that was killed meanwhile.
        fs::write(path(".mta.toml.before"), "older").unwrap();
        let mut undo = Undo::default();
        for name in ["mta.toml", "untouched", "current", "presence.toml"] {
            undo.save(&path(name)).unwrap();
        }
        fs::write(path("new"), "new").unwrap();
        fs::rename(path("new"), path("mta.toml")).unwrap();
        fs::write(path("presence.toml"), "new").unwrap();
        symlink("two", path("new-link")).unwrap();
        fs::rename(path("new-link"), path("current")).unwrap();
        drop(undo);
        assert_eq!(names(folder.path()), ["current", "mta.toml", "untouched"]);
        assert_eq!(fs::read_to_string(path("mta.toml")).unwrap(), "old");
        assert_eq!(fs::read_link(path("current")).unwrap(), Path::new("one"));
    }

    #[test]
    fn a_success_stays_and_leaves_no_backup() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mta.toml");
        fs::write(&path, "old").unwrap();
        let mut undo = Undo::default();
        undo.save(&path).unwrap();
        fs::write(folder.path().join("new"), "new").unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        undo.commit();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(folder.path()), ["mta.toml"]);
    }
}
