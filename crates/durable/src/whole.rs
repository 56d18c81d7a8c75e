use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk::{Disk, RealDisk};
use crate::{Error, Staged, Step};

/// Writes a file whole: a reader, now or after a crash, sees the old content or all of the new.
///
/// `mode` is the file's mode to the bit, whatever the umask.
pub fn write_whole(path: &Path, contents: &[u8], mode: u32) -> Result<(), Error> {
    write_whole_on(&RealDisk, path, contents, mode)
}

pub(crate) fn write_whole_on(disk: &impl Disk, path: &Path, contents: &[u8], mode: u32) -> Result<(), Error> {
    // Created closed to others, and opened to them only when complete.
    let mut staged = Staged::create_on(disk, temporary_beside(path), 0o600)?;
    staged.write_on(disk, contents)?;
    staged
        .file()
        .set_permissions(fs::Permissions::from_mode(mode))
        .map_err(|source| Error::new(Step::Write, path, source))?;
    staged
        .commit_on(disk, path, &|folder| disk.sync_folder(folder))
        .map(drop)
        .map_err(|refused| refused.error)
}

/// Renames a file or folder that is already on disk, durably. If that cannot be synced, it has its old name again,
/// unless a file was replaced: then it keeps the new one.
pub fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    rename_on(&RealDisk, from, to)
}

pub(crate) fn rename_on(disk: &impl Disk, from: &Path, to: &Path) -> Result<(), Error> {
    let is_new = fs::symlink_metadata(to).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    disk.rename(from, to).map_err(|source| Error::new(Step::Rename, from, source))?;
    let folders = [parent(to), parent(from)];
    let different = if folders[0] == folders[1] { &folders[..1] } else { &folders[..] };
    let sync = |folder: &&Path| {
        disk.sync_folder(folder).map_err(|source| Error::new(Step::SyncFolder, folder, source))
    };
    different.iter().try_for_each(sync).inspect_err(|_| {
        if is_new && disk.rename(to, from).is_ok() {
            let _ = different.iter().try_for_each(sync);
        }
    })
}

/// Removes a file, durably. A missing file counts as removed.
pub fn remove_file(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder(parent(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Error::new(Step::Remove, path, source)),
    }
}

/// Creates a folder and the folders above it where they are missing, durably. The mode, subject to the umask,
/// is for those that are created.
pub fn create_folder(path: &Path, mode: u32) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    let above = parent(path);
    create_folder(above, mode)?;
    match fs::DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {}
        // Another writer was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(source) => return Err(Error::new(Step::Create, path, source)),
    }
    sync_folder(above).inspect_err(|_| {
        // It is empty, or another program has put something there and needs it.
        let _ = fs::remove_dir(path);
    })
}

/// Syncs a folder's list of names.
pub fn sync_folder(folder: &Path) -> Result<(), Error> {
    RealDisk.sync_folder(folder).map_err(|source| Error::new(Step::SyncFolder, folder, source))
}

/// The folder of a file.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) => Path::new("."),
        None => Path::new("/"),
    }
}

/// A name in the same folder that no other writer uses: it contains the process number and a count.
fn temporary_beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // The clock distinguishes this process from one with the same number in another container on the same volume.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    parent(path).join(format!(".{name}.{}.{}.{count}", now.as_nanos(), std::process::id()))
}
