//! The dotlock that Dovecot and we respect: `dovecot-uidlist.lock`, `dovecot-keywords.lock`.
//!
//! The file's existence is the lock, as in Dovecot. Besides, our process holds an advisory lock (flock) on the file for
//! as long as it lives, which file systems shared between hosts support. So when it dies with the lock, the next
//! process sees at once that the file is not held, and takes over the lock; a file that Dovecot left is taken over when
//! it is old: by its time, or when this process has seen it unchanged for as long, whatever its time.
//!
//! ```text
//!        create_new                flock, still that file          write the mark
//! absent ──────────▶ empty ──────────────────────────────▶ held ◀────────────────┐
//!    ▲                                                       │                   │
//!    └───────────────────────── drop ────────────────────────┘                   │
//! present, and marked by a Mailstead process or old ── flock, still that file ───┘   otherwise wait
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::{observed, regular};

/// A lock of Dovecot's that is older than this is abandoned; Dovecot treats ours in the same way.
const STALE: Duration = Duration::from_secs(120);
/// An empty lock belongs to a process that is about to write its identity, or that died before that.
const STALE_EMPTY: Duration = Duration::from_secs(5);
/// The time limit of the wait for a lock. It is held for milliseconds, so this is only reached in case of a fault.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Waits between two attempts: short at first, since the holder is about to release the lock.
const FIRST_WAIT: Duration = Duration::from_micros(200);
const MAX_WAIT: Duration = Duration::from_millis(20);
/// The third field of the file's content. Dovecot reads `pid:host` and treats the rest as part of the host's name, so
/// it never concludes from our process number that we are dead.
const MARK: &[u8] = b":mailstead";

/// The lock, held until dropped.
#[derive(Debug)]
pub(crate) struct DotLock {
    path: PathBuf,
    file: File,
}

/// The reason why a lock was not acquired.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// Another process held it for the whole wait.
    #[error("the lock is held by another process")]
    Held,
    /// The disk refused it.
    #[error(transparent)]
    Disk(#[from] io::Error),
}

impl DotLock {
    /// Acquires the lock at `path`, waiting for its holder.
    pub(crate) fn acquire(path: PathBuf, host: &str) -> Result<Self, LockError> {
        let begun = Instant::now();
        let mut wait = FIRST_WAIT;
        loop {
            if let Some(file) = try_acquire(&path, Instant::now())? {
                observed::forget(&path);
                let mut lock = Self { path, file };
                // Only other processes need the mark; without it they wait until the lock is old.
                lock.mark(host)?;
                return Ok(lock);
            }
            if begun.elapsed() > TIMEOUT {
                return Err(LockError::Held);
            }
            thread::sleep(wait);
            wait = (wait * 2).min(MAX_WAIT);
        }
    }

    fn mark(&mut self, host: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        let mark = [format!("{}:{host}", std::process::id()).as_bytes(), MARK, b"\n"].concat();
        self.file.write_all(&mark)
    }
}

impl Drop for DotLock {
    fn drop(&mut self) {
        // Removed while still held: a process that opened the file meanwhile sees that it is no longer the one at the
        // path.
        if is_at(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Makes one attempt; `None` if the lock is held.
fn try_acquire(path: &Path, now: Instant) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    let file = match options.clone().create_new(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match regular::open(&options, path) {
            Ok(Some(file)) if may_be_abandoned(path, &file, now)? => file,
            Ok(Some(_)) => return Ok(None),
            // No program creates such a lock.
            Ok(None) => return regular::move_aside(path).map(|()| None),
            // Released between the two calls: the next attempt shows it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        },
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => Ok(is_at(&file, path).then_some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Returns true if a lock's file without a flock is abandoned. Otherwise the flock must not even be tried: the process
/// that has just created the file is about to acquire it.
fn may_be_abandoned(path: &Path, file: &File, now: Instant) -> io::Result<bool> {
    let mut content = Vec::new();
    file.take(512).read_to_end(&mut content)?;
    if content.trim_ascii_end().ends_with(MARK) {
        return Ok(true);
    }
    let found = file.metadata()?;
    let seen = observed::unchanged_for(path, &found, now);
    let age = SystemTime::now().duration_since(found.modified()?).unwrap_or_default();
    Ok(age.max(seen) > if content.is_empty() { STALE_EMPTY } else { STALE })
}

/// Returns true if the open file is the one at the path.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn the_lock_is_exclusive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let (inside, entered) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let lock = DotLock::acquire(path.clone(), "host").unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        entered.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert_eq!(entered.load(Ordering::SeqCst), 160);
        assert!(!path.exists());
    }

    #[test]
    fn the_lock_of_a_dead_mailstead_process_is_taken_over_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        std::fs::write(&path, "1:host:mailstead\n").unwrap();
        drop(DotLock::acquire(path.clone(), "host").unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn the_lock_of_dovecot_is_respected_until_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        std::fs::write(&path, "1:host").unwrap();
        assert!(try_acquire(&path, Instant::now()).unwrap().is_none());
        let old = SystemTime::now() - STALE - Duration::from_secs(1);
        File::open(&path).unwrap().set_modified(old).unwrap();
        assert!(try_acquire(&path, Instant::now()).unwrap().is_some());
    }

    #[test]
    fn a_lock_dated_in_the_future_is_taken_over_after_the_time_it_was_seen_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        std::fs::write(&path, "1:host").unwrap();
        let date = |years: u32| {
            let year = Duration::from_secs(365 * 24 * 3600);
            File::open(&path).unwrap().set_modified(SystemTime::now() + year * years).unwrap();
        };
        let begin = Instant::now();
        let is_taken_over =
            |seconds| try_acquire(&path, begin + Duration::from_secs(seconds)).unwrap().is_some();
        date(1);
        assert!(!is_taken_over(0) && !is_taken_over(119));
        // Its holder is alive and has written to it.
        date(2);
        assert!(!is_taken_over(121) && !is_taken_over(240));
        assert!(is_taken_over(242));
    }

    #[test]
    fn a_new_empty_lock_is_respected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        std::fs::write(&path, "").unwrap();
        assert!(try_acquire(&path, Instant::now()).unwrap().is_none());
        File::open(&path)
            .unwrap()
            .set_modified(SystemTime::now() - STALE_EMPTY - Duration::from_secs(1))
            .unwrap();
        assert!(try_acquire(&path, Instant::now()).unwrap().is_some(), "its creator died");
    }
}
