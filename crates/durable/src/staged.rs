use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{Disk, RealDisk};
use crate::whole::parent;
use crate::{Error, SharedSync, Step};

/// A file that is being written under a temporary name; dropped without a commit, it is removed.
#[derive(Debug)]
pub struct Staged {
    file: File,
    path: PathBuf,
    /// Whether the file still stands under the temporary name and is ours to remove.
    owned: bool,
    /// Whether all that was written is on disk.
    synced: bool,
}

/// A commit that failed: the staged file is given back, so that its owner may try again or let it go.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Refused {
    /// The staged file. Where the rename had been done already, dropping it removes nothing.
    pub staged: Staged,
    /// What failed.
    pub error: Error,
}

impl Staged {
    /// Creates the file under a temporary name, which must not exist. The mode is subject to the umask.
    pub fn create(temporary: PathBuf, mode: u32) -> Result<Self, Error> {
        Self::create_on(&RealDisk, temporary, mode)
    }

    pub(crate) fn create_on(disk: &impl Disk, temporary: PathBuf, mode: u32) -> Result<Self, Error> {
        match disk.create(&temporary, mode) {
            Ok(file) => Ok(Self { file, path: temporary, owned: true, synced: false }),
            Err(source) => Err(Error::new(Step::Create, &temporary, source)),
        }
    }

    /// Appends to the file.
    pub fn write(&mut self, octets: &[u8]) -> Result<(), Error> {
        self.write_on(&RealDisk, octets)
    }

    pub(crate) fn write_on(&mut self, disk: &impl Disk, octets: &[u8]) -> Result<(), Error> {
        self.synced = false;
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

    /// Brings the content to disk, so that a later [`Staged::place`] or commit need not: for who must not wait while
    /// holding a lock. What is written through [`Staged::file`] afterwards is not covered.
    pub fn sync(&mut self) -> Result<(), Error> {
        RealDisk.sync_file(&self.file).map_err(|source| Error::new(Step::SyncFile, &self.path, source))?;
        self.synced = true;
        Ok(())
    }

    /// As [`Staged::commit`], but without the folder's sync: until the caller has synced the folder, the name may be
    /// lost, the content under it may not.
    pub fn place(self, name: &Path) -> Result<File, Refused> {
        self.commit_on(&RealDisk, name, &|_| Ok(()))
    }

    /// Brings the content to disk, gives the file its final name (on the same file system; an existing file
    /// of that name is replaced) and brings the folder to disk.
    pub fn commit(self, name: &Path) -> Result<File, Refused> {
        self.commit_on(&RealDisk, name, &|folder| RealDisk.sync_folder(folder))
    }

    /// As [`Staged::commit`], with the folder's sync shared by all who wait for it. `folder` must be the
    /// one that `name` lies in.
    pub fn commit_shared(self, name: &Path, folder: &SharedSync) -> Result<File, Refused> {
        debug_assert_eq!(Some(folder.path()), name.parent());
        self.commit_on(&RealDisk, name, &|_| folder.sync())
    }

    pub(crate) fn commit_on(
        mut self,
        disk: &impl Disk,
        name: &Path,
        sync_folder: &dyn Fn(&Path) -> io::Result<()>,
    ) -> Result<File, Refused> {
        let refused = |staged, step, path: &Path, source| {
            Err(Refused { staged, error: Error::new(step, path, source) })
        };
        if !self.synced
            && let Err(source) = disk.sync_file(&self.file)
        {
            let path = self.path.clone();
            return refused(self, Step::SyncFile, &path, source);
        }
        if let Err(source) = disk.rename(&self.path, name) {
            return refused(self, Step::Rename, name, source);
        }
        self.owned = false;
        let folder = parent(name);
        if let Err(source) = sync_folder(folder) {
            return refused(self, Step::SyncFolder, folder, source);
        }
        match self.file.try_clone() {
            Ok(file) => Ok(file),
            Err(source) => refused(self, Step::SyncFolder, name, source),
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.owned {
            // A file left over under a temporary name is harmless, and nobody is there to be told.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
