//! The demo's folder: created, locked against a second demo, and cleaned up.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use crate::volume::{Folders, can_hold_sockets};

/// The part that is left when the demo ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cleanup {
    /// The folder was created for this demo, and is removed.
    Nothing,
    /// The folder existed, with or without files of others, and stays as it was; the demo's files are removed.
    Folder(Permissions),
    /// The volume and the log stay.
    Volume,
}

/// An error that leaves the demo without a folder.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScratchError {
    /// It could not be created or read.
    #[error("cannot {step} {}: {source}", path.display())]
    Io {
        /// The operation that failed.
        step: &'static str,
        /// The path.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A file that is not the demo's has a name that the demo would use, and remove in the end.
    #[error("{} exists and is not from an earlier demo; name another folder", .0.display())]
    Foreign(PathBuf),
    /// Another demo runs there.
    #[error("another demo is running in {}", .0.display())]
    InUse(PathBuf),
}

/// The folder. It is cleaned up when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
    runtime: PathBuf,
    cleanup: Cleanup,
    /// Locked as long as the demo runs; the kernel releases it however the demo ends.
    _lock: File,
}

const LOCK: &str = ".demo.lock";
const CONTACT: &str = "demo.json";
const LOG: &str = "demo.log";
const RUNTIME: &str = "run";

impl Scratch {
    /// Opens the named folder, or creates one.
    pub(super) fn open(named: Option<&Path>, keep: bool) -> Result<Self, ScratchError> {
        let (folder, found) = match named {
            None => (make_temporary()?, Cleanup::Nothing),
            Some(folder) => open_named(folder)?,
        };
        let lock_path = folder.join(LOCK);
        let lock = File::create(&lock_path).map_err(failed("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ScratchError::InUse(folder)),
            Err(TryLockError::Error(source)) => return Err(failed("lock", &lock_path)(source)),
        }
        // The file of a killed demo would give a waiting script the wrong ports.
        remove_file(&folder.join(CONTACT)).map_err(failed("remove the old", &folder.join(CONTACT)))?;
        remove_runtime(&folder).map_err(failed("clear", &folder.join(RUNTIME)))?;
        let runtime = make_runtime(&folder)?;
        let leaves = if keep { Cleanup::Volume } else { found };
        Ok(Self { folder, runtime, cleanup: leaves, _lock: lock })
    }

    /// The folder that was named or created.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The log of all processes.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    /// The folders of the site.
    pub(super) fn folders(&self) -> Folders {
        volume(&self.folder, &self.runtime)
    }

    fn clean_up(&self) -> io::Result<()> {
        remove_file(&contact(&self.folder))?;
        remove_runtime(&self.folder)?;
        match &self.cleanup {
            Cleanup::Nothing => fs::remove_dir_all(&self.folder),
            Cleanup::Folder(permissions) => {
                demo_files(&self.folder).into_iter().try_for_each(|path| {
                    if path.is_dir() { fs::remove_dir_all(path) } else { remove_file(&path) }
                })?;
                fs::set_permissions(&self.folder, permissions.clone())
            }
            Cleanup::Volume => remove_file(&self.folder.join(LOCK)),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = self.clean_up() {
            eprintln!("mailstead demo: cannot clean up {}: {error}", self.folder.display());
        }
    }
}

/// The file with the demo's addresses.
pub(super) fn contact(folder: &Path) -> PathBuf {
    folder.join(CONTACT)
}

fn failed(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ScratchError {
    let path = path.to_owned();
    move |source| ScratchError::Io { step, path, source }
}

/// A folder that did not exist before, closed to other users.
fn make_temporary() -> Result<PathBuf, ScratchError> {
    let parent = std::env::temp_dir();
    let folder = parent.join(format!("mailstead-{}", random_name()));
    DirBuilder::new().mode(0o700).create(&folder).map_err(failed("create a folder in", &parent))?;
    folder.canonicalize().map_err(failed("examine", &folder))
}

/// A name that no other user can have created before us.
fn random_name() -> String {
    let mut octets = [0; 8];
    aws_lc_rs::rand::fill(&mut octets).expect("the system has random numbers");
    octets.map(|octet| format!("{octet:02x}")).concat()
}

fn open_named(folder: &Path) -> Result<(PathBuf, Cleanup), ScratchError> {
    let is_new = !folder.exists();
    if is_new {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed("create", folder))?;
    }
    let folder = folder.canonicalize().map_err(failed("examine", folder))?;
    if is_new {
        return Ok((folder, Cleanup::Nothing));
    }
    if folder.join(LOCK).exists() || volume(&folder, &folder.join(RUNTIME)).format().exists() {
        return Ok((folder, Cleanup::Volume));
    }
    if let Some(taken) = demo_files(&folder).into_iter().find(|path| path.exists()) {
        return Err(ScratchError::Foreign(taken));
    }
    let permissions = fs::metadata(&folder).map_err(failed("examine", &folder))?.permissions();
    Ok((folder, Cleanup::Folder(permissions)))
}

/// The folders of the site: the volume is the demo's folder itself, so that everything is in one place.
fn volume(folder: &Path, runtime: &Path) -> Folders {
    Folders { volume: folder.to_owned(), runtime: runtime.to_owned() }
}

/// All files that a demo puts into its folder, at its top.
fn demo_files(folder: &Path) -> Vec<PathBuf> {
    let runtime = folder.join(RUNTIME);
    let own = [LOCK, CONTACT, LOG].map(|name| folder.join(name));
    own.into_iter().chain(volume(folder, &runtime).top_entries()).chain([runtime]).collect()
}

/// `run` in the folder; if its path is too long for the name of a socket, a link to a short one.
fn make_runtime(folder: &Path) -> Result<PathBuf, ScratchError> {
    let runtime = folder.join(RUNTIME);
    if can_hold_sockets(&runtime) {
        DirBuilder::new().mode(0o700).create(&runtime).map_err(failed("create", &runtime))?;
        return Ok(runtime);
    }
    let short = make_temporary()?;
    symlink(&short, &runtime).map_err(failed("create the link", &runtime))?;
    Ok(short)
}

fn remove_runtime(folder: &Path) -> io::Result<()> {
    let runtime = folder.join(RUNTIME);
    match fs::symlink_metadata(&runtime) {
        Ok(found) if found.is_symlink() => {
            match fs::remove_dir_all(fs::read_link(&runtime)?) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            fs::remove_file(&runtime)
        }
        Ok(_) => fs::remove_dir_all(&runtime),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn use_it(scratch: &Scratch) {
        let folders = scratch.folders();
        for path in folders.top_entries().into_iter().filter(|path| *path != folders.mail()) {
            fs::write(path, "1").unwrap();
        }
        fs::create_dir_all(scratch.folders().mail().join("demo.test")).unwrap();
        fs::set_permissions(scratch.folder(), Permissions::from_mode(0o751)).unwrap();
        fs::write(scratch.folders().status(), "{}").unwrap();
        fs::write(contact(scratch.folder()), "{}").unwrap();
    }

    #[test]
    fn created_files_are_removed_and_existing_ones_stay() {
        let root = tempfile::tempdir().unwrap();
        let new = root.path().join("new");
        for (named, keep, stays) in [(&new, false, false), (&new, true, true), (&new, false, true)] {
            let scratch = Scratch::open(Some(named), keep).unwrap();
            use_it(&scratch);
            drop(scratch);
            assert_eq!(named.exists(), stays);
        }
        assert!(new.join("mail").exists());
        assert!(!new.join("demo.json").exists() && !new.join("run").exists() && !new.join(LOCK).exists());

        let empty = tempfile::tempdir().unwrap();
        let before = fs::metadata(empty.path()).unwrap().permissions();
        use_it(&Scratch::open(Some(empty.path()), false).unwrap());
        assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);
        assert_eq!(fs::metadata(empty.path()).unwrap().permissions(), before);

        let unnamed = Scratch::open(None, false).unwrap();
        use_it(&unnamed);
        let folder = unnamed.folder().to_owned();
        drop(unnamed);
        assert!(!folder.exists());
    }

    #[test]
    fn foreign_files_and_a_running_demo_are_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("home");
        fs::create_dir(&home).unwrap();
        fs::write(home.join("thesis"), "").unwrap();
        use_it(&Scratch::open(Some(&home), false).unwrap());
        let left: Vec<_> = fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["thesis"]);
        for name in ["mail", "acme", "settings.toml"] {
            fs::write(home.join(name), "precious").unwrap();
            assert!(matches!(Scratch::open(Some(&home), false), Err(ScratchError::Foreign(_))), "{name}");
            assert_eq!(fs::read(home.join(name)).unwrap(), b"precious");
            fs::remove_file(home.join(name)).unwrap();
        }

        let one = root.path().join("one");
        let first = Scratch::open(Some(&one), false).unwrap();
        use_it(&first);
        assert!(matches!(Scratch::open(Some(&one), false), Err(ScratchError::InUse(_))));
        assert!(contact(&one.canonicalize().unwrap()).exists(), "the running demo's file is gone");
    }

    #[test]
    fn a_demo_that_was_killed_leaves_its_mail_and_no_stale_ports() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("one");
        let killed = Scratch::open(Some(&folder), false).unwrap();
        use_it(&killed);
        // A killed process drops nothing; only the lock is released with it.
        killed._lock.unlock().unwrap();
        std::mem::forget(killed);
        let next = Scratch::open(Some(&folder), false).unwrap();
        assert!(!contact(&folder).exists());
        assert!(next.folders().mail().join("demo.test").exists());
        drop(next);
        assert!(folder.join("mail/demo.test").exists());
    }

    #[test]
    fn a_long_path_gets_a_short_one_for_its_sockets() {
        let root = tempfile::tempdir().unwrap();
        let long = root.path().join("a".repeat(120));
        let scratch = Scratch::open(Some(&long), false).unwrap();
        let folders = scratch.folders();
        assert!(can_hold_sockets(&folders.runtime));
        assert_eq!(long.join("run").canonicalize().unwrap(), folders.runtime);
        drop(scratch);
        assert!(!folders.runtime.exists() && !long.exists());
    }
}
