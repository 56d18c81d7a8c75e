//! `accounts.toml`: what the environment declares, merged into what is there.

use std::time::Duration;

use accounts::Accounts;
use accounts::declaration::{Declaration, merge};

use crate::site::Site;
use crate::volume::{AccountsFile, AccountsFileError};

/// Why the accounts could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// What is declared does not fit to what is there.
    #[error("the accounts would contradict themselves:{}", accounts::list_faults(.0))]
    Contradiction(Vec<accounts::Fault>),
    /// The file could not be locked, read or written.
    #[error(transparent)]
    File(#[from] AccountsFileError),
}

/// A command holds the lock for milliseconds. Process 1 reaps nobody while it waits, so it does not wait for long.
const PATIENCE: Duration = Duration::from_secs(2);

/// Changes of one reload that are logged each; `mailstead plan` prints all of them beforehand.
const MOST_LOGGED: usize = 100;

/// What the settings declare.
pub fn declaration(site: &Site) -> Declaration {
    Declaration {
        domains: site.settings.domains.clone(),
        users: site.settings.users.clone(),
        aliases: site.settings.aliases.clone(),
    }
}

/// Brings the file up to date with what is declared, and gives what is in it now.
pub fn write_accounts(site: &Site) -> Result<Accounts, AccountsError> {
    let readers = site.owners.as_ref().map(|owners| owners.shared);
    let file = AccountsFile::lock(&site.folders, readers, PATIENCE)?;
    let before = file.load()?.unwrap_or_default();
    let merged = merge(&before, &declaration(site).settle(&before, &site.proofs));
    // The daemons would refuse the file; those that run go on with the old one.
    let faults = merged.accounts.faults();
    if !faults.is_empty() {
        return Err(AccountsError::Contradiction(faults));
    }
    for change in merged.changes.iter().take(MOST_LOGGED) {
        tracing::info!(%change, "accounts");
    }
    if let Some(more) = merged.changes.len().checked_sub(MOST_LOGGED).filter(|more| *more > 0) {
        tracing::info!(more, "accounts: further changes");
    }
    file.store(&merged.accounts)?;
    Ok(merged.accounts)
}
