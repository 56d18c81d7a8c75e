use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use accounts::{Accounts, AccountsError, Fault, MAX_FILE_SIZE};
use nix::fcntl::OFlag;
use nix::unistd::Gid;

use super::{Folders, file};

/// `accounts.toml` for those that change it: process 1 when it merges the declared accounts, and the operator's
/// commands. The lock is the kernel's, on a file beside it, and is released however the holder ends. The daemons only
/// read and need no lock, since the file is replaced whole.
#[derive(Debug)]
pub struct AccountsFile {
    folders: Folders,
    group: Option<Gid>,
    /// The lock, held until this is dropped.
    _lock: File,
}

/// An error that keeps the accounts from being changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountsFileError {
    /// The present file cannot be read. It is not replaced: it may hold the only copy of a user's password.
    #[error("{0}; repair the file, or restore it from a copy")]
    Read(AccountsError),
    /// The file is missing or empty, and the volume has been used: users added by command, changed passwords, app
    /// passwords and aliases would be lost silently, and mail for them rejected permanently.
    #[error(
        "{} is missing or empty, although this volume has been used: restore it from a copy. To create the accounts from the \
         settings alone, and lose users added by command, changed passwords, app passwords and aliases, remove {} too and \
         start again",
        accounts.display(), applied.display()
    )]
    Missing {
        /// The accounts.
        accounts: PathBuf,
        /// The file that shows that the volume has been used.
        applied: PathBuf,
    },
    /// The new content would be refused by its readers.
    #[error("{} was not changed, since the new content is inconsistent:{}", path.display(), accounts::list_faults(faults))]
    Contradiction {
        /// The accounts.
        path: PathBuf,
        /// Every fault.
        faults: Vec<Fault>,
    },
    /// It could not be written.
    #[error("{_0}; nothing was changed{hint}", hint = hint(_0))]
    Write(#[from] durable::Error),
    /// The lock's file could not be created or locked.
    #[error("cannot lock {}: {source}", path.display())]
    Lock {
        /// The lock's file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// Another process has held the lock all the time.
    #[error(
        "cannot change {}: another process has held its lock for {} seconds; find the `mailstead` command that hangs, end it, \
         and try again",
        path.display(), patience.as_secs()
    )]
    Busy {
        /// The accounts.
        path: PathBuf,
        /// The time waited.
        patience: Duration,
    },
}

/// The fix for a write that found no room.
fn hint(error: &durable::Error) -> &'static str {
    if error.is_disk_full() { "; make room on the volume (df -h and df -i show what is used up)" } else { "" }
}

/// A change takes milliseconds, so a waiting process retries this soon.
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

impl AccountsFile {
    /// Acquires the lock, and waits at most `patience` for it. The group may read what is written.
    pub fn lock(
        folders: &Folders,
        group: Option<Gid>,
        patience: Duration,
    ) -> Result<Self, AccountsFileError> {
        let path = folders.accounts_lock();
        let failed = |source| AccountsFileError::Lock { path: path.clone(), source };
        // Links are not followed, and opening a FIFO does not block.
        let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
        let lock =
            File::options().create(true).append(true).custom_flags(flags).open(&path).map_err(failed)?;
        let give_up = Instant::now() + patience;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { folders: folders.clone(), group, _lock: lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < give_up => thread::sleep(BETWEEN_TRIES),
                Err(TryLockError::WouldBlock) => {
                    return Err(AccountsFileError::Busy { path: folders.accounts(), patience });
                }
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
    }

    /// The present accounts; `None` on a volume that was never used.
    pub fn load(&self) -> Result<Option<Accounts>, AccountsFileError> {
        Self::load_unlocked(&self.folders)
    }

    /// The same without the lock, for readers only: the file is replaced whole.
    pub fn load_unlocked(folders: &Folders) -> Result<Option<Accounts>, AccountsFileError> {
        let (accounts, applied) = (folders.accounts(), folders.applied());
        match Accounts::load(&accounts) {
            Ok(found) if found != Accounts::default() => return Ok(Some(found)),
            // A written file has at least one domain: an editor or a full disk has emptied this one.
            Ok(_) => {}
            Err(AccountsError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(AccountsFileError::Read(error)),
        }
        // The settings are written down only after the accounts were.
        if applied.exists() { Err(AccountsFileError::Missing { accounts, applied }) } else { Ok(None) }
    }

    /// Replaces the accounts. An unchanged file is not written, and neither is one that could not be loaded.
    pub fn store(&self, accounts: &Accounts) -> Result<(), AccountsFileError> {
        let faults = accounts.faults();
        if !faults.is_empty() {
            return Err(AccountsFileError::Contradiction { path: self.folders.accounts(), faults });
        }
        let (text, path) = (accounts.to_toml(), self.folders.accounts());
        if durable::read_text_limited(&path, MAX_FILE_SIZE).is_ok_and(|old| old == text) {
            return Ok(());
        }
        Ok(file::write(&path, text.as_bytes(), 0o640, self.group)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn folders(volume: &std::path::Path) -> Folders {
        Folders { volume: volume.to_owned(), runtime: volume.join("run") }
    }

    #[test]
    fn the_accounts_have_one_writer_and_waiting_is_limited() {
        let folder = tempfile::tempdir().unwrap();
        let folders = folders(folder.path());
        let first = AccountsFile::lock(&folders, None, Duration::ZERO).unwrap();
        let busy = AccountsFile::lock(&folders, None, Duration::ZERO).unwrap_err();
        assert!(matches!(busy, AccountsFileError::Busy { .. }) && busy.to_string().contains("accounts.toml"));

        let (sender, receiver) = mpsc::channel();
        let waiting = thread::spawn({
            let folders = folders.clone();
            move || {
                let second = AccountsFile::lock(&folders, None, Duration::from_secs(60)).unwrap();
                receiver.try_recv().expect("the first has released the lock");
                second.load().unwrap()
            }
        });
        let mut accounts = Accounts::default();
        accounts.domains.push("example.org".parse().unwrap());
        assert_eq!(first.load().unwrap(), None);
        first.store(&accounts).unwrap();
        sender.send(()).unwrap();
        drop(first);
        assert_eq!(waiting.join().unwrap(), Some(accounts));
    }

    #[test]
    fn missing_accounts_of_a_used_volume_are_not_recreated() {
        let folder = tempfile::tempdir().unwrap();
        let folders = folders(folder.path());
        let file = AccountsFile::lock(&folders, None, Duration::ZERO).unwrap();
        for empty in [None, Some(""), Some("\n"), Some("domains = []\n")] {
            if let Some(text) = empty {
                std::fs::write(folders.accounts(), text).unwrap();
            }
            assert_eq!(file.load().unwrap(), None, "an interrupted first start is repeated");
            std::fs::write(folders.applied(), "").unwrap();
            let message = file.load().unwrap_err().to_string();
            assert!(
                message.contains("accounts.toml is missing or empty")
                    && message.contains("settings.toml too"),
                "{message}"
            );
            std::fs::remove_file(folders.applied()).unwrap();
        }
    }

    #[test]
    fn accounts_that_no_reader_could_load_are_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = AccountsFile::lock(&folders(folder.path()), None, Duration::ZERO).unwrap();
        let domain: address::Domain = "example.org".parse().unwrap();
        file.store(&Accounts { domains: vec![domain.clone()], ..Accounts::default() }).unwrap();
        let twice = Accounts { domains: vec![domain.clone(), domain.clone()], ..Accounts::default() };
        let refused = file.store(&twice).unwrap_err().to_string();
        assert!(refused.contains("accounts.toml was not changed") && refused.contains("twice"), "{refused}");
        assert_eq!(file.load().unwrap().unwrap().domains, [domain]);
    }

    #[test]
    fn unreadable_accounts_are_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let folders = folders(folder.path());
        std::fs::write(folders.accounts(), "not TOML").unwrap();
        let file = AccountsFile::lock(&folders, None, Duration::ZERO).unwrap();
        assert!(file.load().unwrap_err().to_string().contains("repair the file"));
    }
}
