use accounts::change::ChangeError;
use serde::Serialize;

use crate::operator::failure::Failure;
use crate::operator::place::Place;
use crate::operator::{listing::Listing, names, revision};

/// Whose to show, and how.
#[derive(Debug, clap::Args)]
pub struct List {
    /// One user's only: `ann` in the first domain, or `bob@example.net`.
    user: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

/// One device's password, for a script: anything but the password.
#[derive(Serialize)]
struct Row {
    user: String,
    name: String,
    created: String,
}

impl List {
    pub(super) fn run(&self, place: &Place) -> Result<(), Failure> {
        let accounts = revision::look(place)?;
        let only = self.user.as_deref().map(|name| names::user(name, &accounts)).transpose()?;
        if let Some(user) = only.as_ref().filter(|user| accounts.user(user).is_none()) {
            return Err(ChangeError::NoUser(user.clone()).into());
        }
        let shown =
            accounts.users.iter().filter(|account| only.as_ref().is_none_or(|user| *user == account.user));
        let rows = shown
            .flat_map(|account| {
                account.app_passwords.iter().map(|app| Row {
                    user: account.user.to_string(),
                    name: app.name.to_string(),
                    created: app.created.clone(),
                })
            })
            .collect();
        self.listing.show(rows, ["USER", "DEVICE", "CREATED"], |row| [row.user, row.name, row.created]);
        Ok(())
    }
}
