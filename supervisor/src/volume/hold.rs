//! One server at a time on a volume: the lock on the file `lock`, which process 1 holds as long as it lives.
//!
//! Two would deliver each message of the queue twice and write over each other's accounts. The lock is the kernel's and is
//! let go however the holder ends; no daemon inherits it, so a server that was killed keeps nobody from starting it again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;

use super::layout::lay_out_volume;
use super::{Folders, Owners};

/// The volume is ours alone while this lives.
#[derive(Debug)]
pub struct Hold {
    /// Nothing where the file cannot be opened or the volume knows no locks.
    _lock: Option<File>,
}

/// Another server works with the volume.
#[derive(Debug, thiserror::Error)]
#[error(
    "Mailstead already runs with the volume {}: to tell it something, put what after the program's name, as in \
     `mailstead health`; a second server needs a volume of its own", volume.display()
)]
pub struct HeldError {
    /// The volume.
    pub volume: PathBuf,
}

/// [`is_held`] takes the lock for a moment to find out; a start must not be refused by that.
const PATIENCE: Duration = Duration::from_secs(1);
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// Takes the volume, before anything else on it is changed. Where that cannot be done for another reason than a second
/// server, it goes on with a warning: what is wrong with the volume is told by whoever finds it.
pub fn hold(folders: &Folders, owners: Option<&Owners>) -> Result<Hold, HeldError> {
    let path = folders.lock();
    let opened = open(&path).or_else(|_| {
        // The volume is not there yet, or somebody else's. Without the file nobody holds it.
        let _ = lay_out_volume(folders, owners);
        open(&path)
    });
    let unlocked = |error: &io::Error| {
        tracing::warn!(path = %path.display(), %error, "a second server with this volume would not be noticed");
        Ok(Hold { _lock: None })
    };
    let lock = match opened {
        Ok(lock) => lock,
        Err(error) => return unlocked(&error),
    };
    let give_up = Instant::now() + PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Hold { _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) if Instant::now() < give_up => thread::sleep(BETWEEN_TRIES),
            Err(TryLockError::WouldBlock) => return Err(HeldError { volume: folders.volume.clone() }),
            Err(TryLockError::Error(error)) => return unlocked(&error),
        }
    }
}

/// Whether a server works with the volume, in this container or another. Where it cannot be known, it is no.
pub fn is_held(folders: &Folders) -> bool {
    options()
        .open(folders.lock())
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// A network's file system locks only what may be written. Elsewhere reading is enough, which is allowed even where a
/// copy was put back without its owners.
fn open(path: &Path) -> io::Result<File> {
    let error = match options().create(true).append(true).open(path) {
        Ok(file) => return Ok(file),
        Err(error) => error,
    };
    options().open(path).map_err(|_| error)
}

/// A link is not followed, and a FIFO not waited for.
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

    fn folders(place: &Path) -> Folders {
        Folders { volume: place.join("data"), runtime: place.join("run") }
    }

    #[test]
    fn a_volume_is_held_by_one_until_that_one_is_gone() {
        let place = tempfile::tempdir().unwrap();
        let folders = folders(place.path());
        assert!(!is_held(&folders), "there is not even a volume");
        let first = hold(&folders, None).unwrap();
        assert!(is_held(&folders));
        let refused = hold(&folders, None).unwrap_err().to_string();
        assert!(refused.contains("already runs") && refused.contains("mailstead health"), "{refused}");
        drop(first);
        assert!(!is_held(&folders));
        hold(&folders, None).unwrap();
    }

    #[test]
    fn who_only_looks_keeps_nobody_from_starting() {
        let place = tempfile::tempdir().unwrap();
        let folders = folders(place.path());
        drop(hold(&folders, None).unwrap());
        let looking = File::open(folders.lock()).unwrap();
        looking.lock_shared().unwrap();
        let starting = thread::spawn({
            let folders = folders.clone();
            move || hold(&folders, None).map(drop)
        });
        assert!(!is_held(&folders), "two may look");
        drop(looking);
        starting.join().unwrap().unwrap();
    }

    #[test]
    fn a_lock_that_may_only_be_read_holds_all_the_same() {
        let place = tempfile::tempdir().unwrap();
        let folders = folders(place.path());
        drop(hold(&folders, None).unwrap());
        fs::set_permissions(folders.lock(), fs::Permissions::from_mode(0o400)).unwrap();
        let _first = hold(&folders, None).unwrap();
        assert!(hold(&folders, None).is_err());
    }

    #[test]
    fn a_volume_that_cannot_be_locked_is_left_to_who_says_what_is_wrong_with_it() {
        let place = tempfile::tempdir().unwrap();
        let folders = folders(place.path());
        fs::write(&folders.volume, "").unwrap();
        hold(&folders, None).unwrap();
        assert!(!is_held(&folders));
    }
}
