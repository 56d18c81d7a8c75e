use accounts::LastUses;
use accounts::change::ChangeError;
use serde::Serialize;

use crate::operator::failure::OperatorError;
use crate::operator::volume_location::VolumeLocation;
use crate::operator::{accounts_change, listing::Listing, names};

/// The arguments of `app-password list`.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Only this user's: `ann` in the first domain, or `bob@example.net`.
    user: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

/// The row of one device's password, for a script, without the password.
#[derive(Serialize)]
struct Row {
    user: String,
    name: String,
    created: String,
    /// The day of the last login, in UTC; `None` if there was no login.
    last_used: Option<String>,
    /// The protocol of that login.
    last_protocol: Option<String>,
}

impl List {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        let accounts = accounts_change::read_accounts(location)?;
        let only = self.user.as_deref().map(|name| names::user(name, &accounts)).transpose()?;
        if let Some(user) = only.as_ref().filter(|user| accounts.user(user).is_none()) {
            return Err(ChangeError::NoUser(user.clone()).into());
        }
        let shown =
            accounts.users.iter().filter(|account| only.as_ref().is_none_or(|user| *user == account.user));
        let uses = LastUses::read(&[&location.folders.index(), &location.folders.queue()]);
        let rows = shown
            .flat_map(|account| {
                account.app_passwords.iter().map(|app| {
                    let last = uses.of(&account.user, &app.name, &app.created);
                    Row {
                        user: account.user.to_string(),
                        name: app.name.to_string(),
                        created: app.created.clone(),
                        last_used: last.map(|last| last.day.clone()),
                        last_protocol: last.map(|last| last.protocol.clone()),
                    }
                })
            })
            .collect();
        self.listing.show(rows, ["USER", "DEVICE", "CREATED", "LAST USED"], |row| {
            let used = row.last_used.zip(row.last_protocol);
            let used = used.map_or_else(|| "never".to_owned(), |(day, protocol)| format!("{day} {protocol}"));
            [row.user, row.name, row.created, used]
        });
        Ok(())
    }
}
