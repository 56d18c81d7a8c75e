//! One server at a time on a volume: the lock on the file `lock`, which process 1 holds while it runs.
//!
//! Two servers would deliver each message of the queue twice and overwrite each other's accounts. The lock is the
//! kernel's and is released however the holder ends; no daemon inherits it, so a killed server does not block the next
//! start.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;

use super::layout::lay_out_volume;
use super::{Folders, Owners};

/// Exclusive use of the volume until this is dropped.
#[derive(Debug)]
pub struct VolumeLock {
    /// `None` if the file cannot be opened or the file system has no locks.
    _lock: Option<File>,
}

/// Another server uses the volume.
#[derive(Debug, thiserror::Error)]
#[error(
    "Mailstead already runs with the volume {}: to send it a command, write the command after the program's name, as in \
     `mailstead health`; a second server needs a volume of its own", volume.display()
)]
pub struct VolumeInUseError {
    /// The volume.
    pub volume: PathBuf,
}

/// [`is_locked`] holds the lock for a moment to test it; that must not make a start fail.
const TIMEOUT: Duration = Duration::from_secs(1);
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// Locks the volume, before anything else on it is changed. If that fails for another reason than a second server, the
/// start continues with a warning: a later step reports what is wrong with the volume.
pub fn lock(folders: &Folders, owners: Option<&Owners>) -> Result<VolumeLock, VolumeInUseError> {
    let path = folders.lock();
    let opened = open(&path).or_else(|_| {
        // The volume does not exist yet, or has another owner. Without the file no server holds the lock.
        let _ = lay_out_volume(folders, owners);
        open(&path)
    });
    let unlocked = |error: &io::Error| {
        tracing::warn!(path = %path.display(), %error, "cannot lock the volume, a second server would not be noticed");
        Ok(VolumeLock { _lock: None })
    };
    let lock = match opened {
        Ok(lock) => lock,
        Err(error) => return unlocked(&error),
    };
    let give_up = Instant::now() + TIMEOUT;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(VolumeLock { _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) if Instant::now() < give_up => thread::sleep(BETWEEN_TRIES),
            Err(TryLockError::WouldBlock) => return Err(VolumeInUseError { volume: folders.volume.clone() }),
            Err(TryLockError::Error(error)) => return unlocked(&error),
        }
    }
}

/// True if a server uses the volume, in this container or another. If that is unknown, it is false.
pub fn is_locked(folders: &Folders) -> bool {
    options()
        .open(folders.lock())
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// A network file system locks only files that are open for writing. Elsewhere reading is enough, and is allowed even
/// on a copy that was restored without its owners.
fn open(path: &Path) -> io::Result<File> {
    let error = match options().create(true).append(true).open(path) {
        Ok(file) => return Ok(file),
        Err(error) => error,
    };
    options().open(path).map_err(|_| error)
}

/// Links are not followed, and opening a FIFO does not block.
fn options() -> OpenOptions {
    let mut options = File::options();
    options.read(true).custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn folders(root: &Path) -> Folders {
        Folders { volume: root.join("data"), runtime: root.join("run") }
    }

    #[test]
    fn a_volume_is_locked_until_its_server_has_ended() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        assert!(!is_locked(&folders), "there is no volume");
        let first = lock(&folders, None).unwrap();
        assert!(is_locked(&folders));
        let refused = lock(&folders, None).unwrap_err().to_string();
        assert!(refused.contains("already runs") && refused.contains("mailstead health"), "{refused}");
        drop(first);
        assert!(!is_locked(&folders));
        lock(&folders, None).unwrap();
    }

    #[test]
    fn testing_the_lock_does_not_prevent_a_start() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        drop(lock(&folders, None).unwrap());
        let looking = File::open(folders.lock()).unwrap();
        looking.lock_shared().unwrap();
        let starting = thread::spawn({
            let folders = folders.clone();
            move || lock(&folders, None).map(drop)
        });
        assert!(!is_locked(&folders), "two tests at a time");
        drop(looking);
        starting.join().unwrap().unwrap();
    }

    #[test]
    fn a_read_only_lock_file_is_locked_too() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        drop(lock(&folders, None).unwrap());
        fs::set_permissions(folders.lock(), fs::Permissions::from_mode(0o400)).unwrap();
        let _first = lock(&folders, None).unwrap();
        assert!(lock(&folders, None).is_err());
    }

    #[test]
    fn a_volume_that_cannot_be_locked_does_not_prevent_the_start() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        fs::write(&folders.volume, "").unwrap();
        lock(&folders, None).unwrap();
        assert!(!is_locked(&folders));
    }
}
