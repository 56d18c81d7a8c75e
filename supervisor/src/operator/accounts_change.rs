use std::time::Duration;

use accounts::Accounts;

use super::confirmation::{self, Effect, NotConfirmed};
use super::failure::OperatorError;
use super::volume_location::VolumeLocation;
use crate::volume::AccountsFile;

/// Changes take milliseconds, and process 1 hashes a few passwords when it starts: a process that holds the lock longer
/// than this hangs.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The present accounts, for reading. This needs no lock, so it also works on a volume that is not writable.
pub(super) fn read_accounts(location: &VolumeLocation) -> Result<Accounts, OperatorError> {
    let volume = &location.folders.volume;
    if !volume.is_dir() {
        return Err(OperatorError::NoVolume(volume.clone()));
    }
    AccountsFile::load_unlocked(&location.folders)?
        .ok_or_else(|| OperatorError::NoAccounts(location.folders.accounts()))
}

/// Changes the accounts: all of it under the lock, and the file is replaced whole or not at all. Returns when the
/// daemons have confirmed it, or with the reason why that is unknown; the change is written in either case.
pub(super) fn change_accounts<T>(
    location: &VolumeLocation,
    change: impl FnOnce(&mut Accounts) -> Result<T, OperatorError>,
) -> Result<(T, Result<Effect, NotConfirmed>), OperatorError> {
    // Before a lock is created where there is nothing to change.
    read_accounts(location)?;
    let file = AccountsFile::lock(&location.folders, location.readers(), TIMEOUT)?;
    let mut accounts = file.load()?.ok_or_else(|| OperatorError::NoAccounts(location.folders.accounts()))?;
    let outcome = change(&mut accounts)?;
    file.store(&accounts)?;
    // Released before process 1 is notified, which may need it itself.
    drop(file);
    Ok((outcome, confirmation::wait(&location.folders)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::volume::Folders;

    #[test]
    fn reading_takes_no_lock_and_a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let location = |folder: &std::path::Path| VolumeLocation::of(folder);
        fs::write(folder.path().join("accounts.toml"), "domains = [\"example.org\"]\n").unwrap();
        assert_eq!(read_accounts(&location(folder.path())).unwrap().domains.len(), 1);
        let folders = Folders { volume: folder.path().to_owned(), runtime: folder.path().join("run") };
        assert!(!folders.accounts_lock().exists(), "reading has created a file");

        let missing = read_accounts(&location(&folder.path().join("elsewhere"))).unwrap_err();
        assert!(missing.to_string().contains("there is no folder"), "{missing}");
        assert!(!folder.path().join("elsewhere").exists());
    }
}
