use accounts::UserAccount;
use serde::Serialize;

use crate::operator::failure::OperatorError;
use crate::operator::volume_location::VolumeLocation;
use crate::operator::{accounts_change, listing::Listing};

/// The arguments of `user list`.
#[derive(Debug, clap::Args)]
pub struct List {
    #[command(flatten)]
    listing: Listing,
}

/// One user, for a script.
#[derive(Serialize)]
struct Row {
    address: String,
    enabled: bool,
    state: &'static str,
    declared: bool,
    app_passwords: usize,
}

impl List {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        let accounts = accounts_change::read_accounts(location)?;
        let rows = accounts.users.iter().map(Row::of).collect();
        self.listing.show(rows, ["USER", "STATE", "FROM", "APP PASSWORDS"], |row| {
            let origin = if row.declared { "MAIL_USERS" } else { "command" };
            [row.address, row.state.to_owned(), origin.to_owned(), row.app_passwords.to_string()]
        });
        Ok(())
    }
}

impl Row {
    fn of(account: &UserAccount) -> Self {
        let state = match (account.enabled, account.locked, account.declared.is_some()) {
            (true, ..) => "enabled",
            (false, false, true) => "no longer declared",
            (false, ..) => "disabled",
        };
        Self {
            address: account.user.to_string(),
            enabled: account.enabled,
            state,
            declared: account.is_declared(),
            app_passwords: account.app_passwords.len(),
        }
    }
}
