//! `accounts.toml`: the declaration in the environment, merged into the present accounts.

use std::time::Duration;

use accounts::Accounts;
use accounts::declaration::{Declaration, Merged, merge};

use crate::site::Site;
use crate::volume::{AccountsFile, AccountsFileError};

/// An error that keeps the accounts from being updated.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The declaration contradicts the present accounts.
    #[error("the new accounts are inconsistent:{}", accounts::list_faults(.0))]
    Contradiction(Vec<accounts::Fault>),
    /// The file could not be locked, read or written.
    #[error(transparent)]
    File(#[from] AccountsFileError),
}

/// A command holds the lock for milliseconds; one that hangs delays a reload for this long, and nothing else in process
/// 1.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The most changes of one reload that are logged each; `mailstead plan` prints all of them beforehand.
const MAX_LOGGED: usize = 100;

/// The declaration in the settings.
pub fn declaration(site: &Site) -> Declaration {
    Declaration {
        domains: site.settings.domains.clone(),
        users: site.settings.users.clone(),
        aliases: site.settings.aliases.clone(),
    }
}

/// The merged accounts, and the lock under which they were read.
#[derive(Debug)]
pub struct MergedAccounts {
    file: AccountsFile,
    before: Option<Accounts>,
    merged: Merged,
}

/// Merges the declaration into the present accounts, and writes nothing.
pub fn merge_accounts(site: &Site) -> Result<MergedAccounts, AccountsError> {
    let readers = site.owners.as_ref().map(|owners| owners.shared);
    let file = AccountsFile::lock(&site.folders, readers, TIMEOUT)?;
    let before = file.load()?;
    let known = before.clone().unwrap_or_default();
    let merged = merge(&known, &declaration(site).hash_passwords(&known, &site.proofs));
    // The daemons would refuse the file; the running ones continue with the old one.
    if !merged.faults.is_empty() {
        return Err(AccountsError::Contradiction(merged.faults));
    }
    Ok(MergedAccounts { file, before, merged })
}

impl MergedAccounts {
    /// The accounts that the file will hold.
    pub fn merged(&self) -> &Accounts {
        &self.merged.accounts
    }

    /// Returns true if the content of the file will change.
    pub fn is_changed(&self) -> bool {
        self.before.as_ref() != Some(&self.merged.accounts)
    }

    /// Writes the file.
    pub fn store(&self) -> Result<(), AccountsError> {
        self.file.store(&self.merged.accounts)?;
        for change in self.merged.changes.iter().take(MAX_LOGGED) {
            tracing::info!(%change, "accounts updated");
        }
        if let Some(more) = self.merged.changes.len().checked_sub(MAX_LOGGED).filter(|more| *more > 0) {
            tracing::info!(more, "accounts updated, further changes not listed");
        }
        Ok(())
    }
}

/// Updates the file from the declaration, and returns its accounts.
pub fn write_accounts(site: &Site) -> Result<Accounts, AccountsError> {
    let accounts = merge_accounts(site)?;
    accounts.store()?;
    Ok(accounts.merged.accounts)
}
