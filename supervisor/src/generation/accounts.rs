//! `accounts.toml`: what the environment declares, merged into what is there.

use std::fs;
use std::io;

use accounts::declaration::{Declaration, merge};
use accounts::{Accounts, AccountsError, Secret};

use crate::site::Site;
use crate::volume;

/// Why the accounts could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum AccountsFileError {
    /// What is there cannot be read. It is not replaced: it may have the only copy of somebody's password.
    #[error("{0}; put the file right, or move it away to have it made from the settings alone")]
    Read(AccountsError),
    /// What is declared does not fit to what is there.
    #[error("the accounts would contradict themselves:{}", .0.iter().map(|fault| format!("\n  {fault}")).collect::<String>())]
    Contradiction(Vec<accounts::Fault>),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] durable::Error),
}

/// Brings the file up to date with what is declared. When nothing has changed, nothing is written.
pub fn write_accounts(site: &Site) -> Result<(), AccountsFileError> {
    let path = site.folders.accounts();
    let before = match Accounts::load(&path) {
        Ok(accounts) => accounts,
        Err(AccountsError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Accounts::default()
        }
        Err(error) => return Err(AccountsFileError::Read(error)),
    };
    let declaration = Declaration {
        domains: site.settings.domains.clone(),
        users: site.settings.users.clone(),
        aliases: site.settings.aliases.clone(),
    };
    let merged = merge(&before, &declaration, Secret::hash);
    // The daemons would refuse the file; those that run go on with the old one.
    let faults = merged.accounts.faults();
    if !faults.is_empty() {
        return Err(AccountsFileError::Contradiction(faults));
    }
    for change in &merged.changes {
        tracing::info!(%change, "accounts");
    }
    let text = merged.accounts.to_toml();
    if fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let group = site.owners.as_ref().map(|owners| owners.shared);
    Ok(volume::write(&path, text.as_bytes(), 0o640, group)?)
}
