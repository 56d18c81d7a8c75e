use std::time::Duration;

use accounts::Accounts;

use super::failure::Failure;
use super::follow::{self, Followed};
use super::place::Place;
use crate::volume::AccountsFile;

/// Changes take milliseconds, and process 1 hashes a few passwords when it starts: who has the lock longer than this
/// hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// The accounts as they are, to be looked at.
pub(super) fn look(place: &Place) -> Result<Accounts, Failure> {
    let file = AccountsFile::lock(&place.folders, place.readers(), PATIENCE)?;
    file.load()?.ok_or_else(|| Failure::NoAccounts(place.folders.accounts()))
}

/// Changes the accounts: all of it under the lock, and the file is replaced whole or not at all. Comes back when the
/// daemons have followed.
pub(super) fn revise<T>(
    place: &Place,
    change: impl FnOnce(&mut Accounts) -> Result<T, Failure>,
) -> Result<(T, Followed), Failure> {
    let file = AccountsFile::lock(&place.folders, place.readers(), PATIENCE)?;
    let mut accounts = file.load()?.ok_or_else(|| Failure::NoAccounts(place.folders.accounts()))?;
    let outcome = change(&mut accounts)?;
    file.store(&accounts)?;
    // Let go before process 1 is asked, which may want it itself.
    drop(file);
    Ok((outcome, follow::wait(&place.folders)?))
}
