use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::disk::{Disk, RealDisk};
use crate::whole::parent;
use crate::{Error, SharedSync, Step};

/// A file that is being written under a temporary name; dropped without a commit, it is removed.
#[derive(Debug)]
pub struct Staged {
    file: File,
    path: PathBuf,
    /// Set while the file exists under the temporary name and is ours to remove.
    is_ours: bool,
    /// Set if everything that was written is on disk.
    is_synced: bool,
}

/// A failed commit: the staged file is returned, so that its owner may retry or drop it.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct CommitError {
    /// The staged file. If a file had been replaced already and was restored, dropping it removes nothing.
    pub staged: Staged,
    /// The reason.
    pub error: Error,
}

impl Staged {
    /// Creates the file under a temporary name, which must not exist. The mode is subject to the umask.
    pub fn create(temporary: PathBuf, mode: u32) -> Result<Self, Error> {
        Self::create_on(&RealDisk, temporary, mode)
    }

    pub(crate) fn create_on(disk: &impl Disk, temporary: PathBuf, mode: u32) -> Result<Self, Error> {
        match disk.create(&temporary, mode) {
            Ok(file) => Ok(Self { file, path: temporary, is_ours: true, is_synced: false }),
            Err(source) => Err(Error::new(Step::Create, &temporary, source)),
        }
    }

    /// Appends to the file.
    pub fn write(&mut self, octets: &[u8]) -> Result<(), Error> {
        self.write_on(&RealDisk, octets)
    }

    pub(crate) fn write_on(&mut self, disk: &impl Disk, octets: &[u8]) -> Result<(), Error> {
        self.is_synced = false;
        disk.write(&mut self.file, octets).map_err(|source| Error::new(Step::Write, &self.path, source))
    }

    /// The open file, for reading back what was written, or for writing in another way.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The temporary name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Syncs the content, so that a later commit need not: for a caller that must not wait while
    /// it holds a lock. Later writes through [`Staged::file`] are not covered.
    pub fn sync(&mut self) -> Result<(), Error> {
        RealDisk.sync_file(&self.file).map_err(|source| Error::new(Step::SyncFile, &self.path, source))?;
        self.is_synced = true;
        Ok(())
    }

    /// As [`Staged::commit`], but without the folder's sync: until the caller has synced the folder, the name may be
    /// lost, the content under it may not. If that sync fails, the caller removes the name.
    pub fn commit_unsynced(self, name: &Path) -> Result<File, CommitError> {
        self.commit_on(&RealDisk, name, &|_| Ok(()))
    }

    /// Syncs the content, renames the file to its final name (on the same file system; an existing file of that name is
    /// replaced) and syncs the folder. If the folder cannot be synced, the file loses the name again, and the file that
    /// had it is restored.
    pub fn commit(self, name: &Path) -> Result<File, CommitError> {
        self.commit_on(&RealDisk, name, &|folder| RealDisk.sync_folder(folder))
    }

    /// As [`Staged::commit`], with the folder's sync shared by all callers that wait for it. `folder` must be the
    /// folder of `name`.
    pub fn commit_shared(self, name: &Path, folder: &SharedSync) -> Result<File, CommitError> {
        debug_assert_eq!(Some(folder.path()), name.parent());
        self.commit_on(&RealDisk, name, &|_| folder.sync())
    }

    pub(crate) fn commit_on(
        mut self,
        disk: &impl Disk,
        name: &Path,
        sync_folder: &dyn Fn(&Path) -> io::Result<()>,
    ) -> Result<File, CommitError> {
        let refused = |staged, step, path: &Path, source| {
            Err(CommitError { staged, error: Error::new(step, path, source) })
        };
        if !self.is_synced
            && let Err(source) = disk.sync_file(&self.file)
        {
            let path = self.path.clone();
            return refused(self, Step::SyncFile, &path, source);
        }
        // A second descriptor, while nothing has changed yet.
        let file = match self.file.try_clone() {
            Ok(file) => file,
            Err(source) => return refused(self, Step::Rename, name, source),
        };
        let before = Previous::at(name);
        if let Err(source) = disk.rename(&self.path, name) {
            return refused(self, Step::Rename, name, source);
        }
        self.is_ours = false;
        let folder = parent(name);
        if let Err(source) = sync_folder(folder) {
            self.roll_back(disk, name, before);
            // A second try may succeed; if not, the name is at least restored in memory.
            let _ = sync_folder(folder);
            return refused(self, Step::SyncFolder, folder, source);
        }
        Ok(file)
    }

    /// Restores the previous state of the final name, as far as the disk allows: a caller that reports a failure must
    /// not find the file at the next start.
    fn roll_back(&mut self, disk: &impl Disk, name: &Path, before: Previous) {
        // Another writer of this name may have succeeded meanwhile.
        if !is_at(&self.file, name) {
            return;
        }
        match before {
            Previous::Nothing => match disk.rename(name, &self.path) {
                Ok(()) => self.is_ours = true,
                Err(_) => {
                    let _ = fs::remove_file(name);
                }
            },
            Previous::File(old) => {
                let _ = restore(disk, &old, &self.path, name);
            }
            Previous::Unknown => {}
        }
    }
}

/// The file that had a name before it was replaced.
enum Previous {
    Nothing,
    /// The file, open: its content exists as long as this does.
    File(File),
    /// A file that cannot be read and so could not be restored.
    Unknown,
}

impl Previous {
    fn at(name: &Path) -> Self {
        let flags = (OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW).bits();
        match OpenOptions::new().read(true).custom_flags(flags).open(name) {
            Ok(file) if file.metadata().is_ok_and(|found| found.is_file()) => Self::File(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Nothing,
            _ => Self::Unknown,
        }
    }
}

/// Restores the previous content of a name, with its mode and owner.
fn restore(disk: &impl Disk, mut old: &File, temporary: &Path, name: &Path) -> io::Result<()> {
    let found = old.metadata()?;
    let mut copy = disk.create(temporary, 0o600)?;
    let written = io::copy(&mut old, &mut copy)
        .and_then(|_| fchown(&copy, Some(found.uid()), Some(found.gid())).or_else(unless_not_permitted))
        .and_then(|()| copy.set_permissions(found.permissions()))
        .and_then(|()| disk.sync_file(&copy))
        .and_then(|()| disk.rename(temporary, name));
    written.inspect_err(|_| {
        let _ = fs::remove_file(temporary);
    })
}

/// Ignores a refused change of owner: a file of another owner becomes ours, since its content matters more.
fn unless_not_permitted(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::PermissionDenied { Ok(()) } else { Err(error) }
}

/// True if the open file is the one at the path.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.is_ours {
            // A file left over under a temporary name is harmless, and there is no caller to report it to.
            let _ = fs::remove_file(&self.path);
        }
    }
}
