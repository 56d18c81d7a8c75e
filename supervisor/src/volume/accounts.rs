use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use accounts::{Accounts, AccountsError, Fault};
use nix::unistd::Gid;

use super::{Folders, file};

/// `accounts.toml` for whoever changes it: process 1 when it merges what is declared, and the operator's commands. The
/// lock is the kernel's, on a file beside it, and is let go however the holder ends. Daemons, which only read, take
/// none: the file is replaced whole.
#[derive(Debug)]
pub struct AccountsFile {
    path: PathBuf,
    group: Option<Gid>,
    /// Locked as long as this lives.
    _lock: File,
}

/// Why the accounts cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountsFileError {
    /// What is there cannot be read. It is not replaced: it may have the only copy of somebody's password.
    #[error("{0}; put the file right, or move it away to have it made from the settings alone")]
    Read(AccountsError),
    /// What was to be written would be refused by whoever reads it.
    #[error("{} stays as it is, for what was to be written contradicts itself:{}", path.display(), listed(faults))]
    Contradiction {
        /// The accounts.
        path: PathBuf,
        /// Every fault.
        faults: Vec<Fault>,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] durable::Error),
    /// The lock's file could not be made or locked.
    #[error("cannot lock {}: {source}", path.display())]
    Lock {
        /// The lock's file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Somebody else has held the lock all the time.
    #[error(
        "somebody else has been changing {} for {} seconds; look which `mailstead` command hangs, end it, and try again",
        path.display(), patience.as_secs()
    )]
    Busy {
        /// The accounts.
        path: PathBuf,
        /// How long was waited.
        patience: Duration,
    },
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

/// A change is made in milliseconds; who comes in between looks again so soon.
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

impl AccountsFile {
    /// Takes the lock, and waits for it for so long. The group is who may read what is written.
    pub fn lock(
        folders: &Folders,
        group: Option<Gid>,
        patience: Duration,
    ) -> Result<Self, AccountsFileError> {
        let path = folders.accounts_lock();
        let failed = |source| AccountsFileError::Lock { path: path.clone(), source };
        let lock = File::options().create(true).append(true).open(&path).map_err(failed)?;
        let give_up = Instant::now() + patience;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path: folders.accounts(), group, _lock: lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < give_up => thread::sleep(BETWEEN_TRIES),
                Err(TryLockError::WouldBlock) => {
                    return Err(AccountsFileError::Busy { path: folders.accounts(), patience });
                }
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
    }

    /// What is there; nothing when the file is not.
    pub fn load(&self) -> Result<Option<Accounts>, AccountsFileError> {
        match Accounts::load(&self.path) {
            Ok(accounts) => Ok(Some(accounts)),
            Err(AccountsError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(AccountsFileError::Read(error)),
        }
    }

    /// Replaces what is there. When nothing has changed, nothing is written, and nothing ever that nobody could load.
    pub fn store(&self, accounts: &Accounts) -> Result<(), AccountsFileError> {
        let faults = accounts.faults();
        if !faults.is_empty() {
            return Err(AccountsFileError::Contradiction { path: self.path.clone(), faults });
        }
        let text = accounts.to_toml();
        if std::fs::read_to_string(&self.path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        Ok(file::write(&self.path, text.as_bytes(), 0o640, self.group)?)
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
    fn one_changes_the_accounts_while_the_other_waits_and_none_waits_for_ever() {
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
                receiver.try_recv().expect("the first has let go by now");
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
    fn what_nobody_could_load_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = AccountsFile::lock(&folders(folder.path()), None, Duration::ZERO).unwrap();
        let domain: address::Domain = "example.org".parse().unwrap();
        file.store(&Accounts { domains: vec![domain.clone()], ..Accounts::default() }).unwrap();
        let twice = Accounts { domains: vec![domain.clone(), domain.clone()], ..Accounts::default() };
        let refused = file.store(&twice).unwrap_err().to_string();
        assert!(refused.contains("accounts.toml stays as it is") && refused.contains("twice"), "{refused}");
        assert_eq!(file.load().unwrap().unwrap().domains, [domain]);
    }

    #[test]
    fn what_cannot_be_read_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let folders = folders(folder.path());
        std::fs::write(folders.accounts(), "this is no TOML").unwrap();
        let file = AccountsFile::lock(&folders, None, Duration::ZERO).unwrap();
        assert!(file.load().unwrap_err().to_string().contains("put the file right"));
    }
}
