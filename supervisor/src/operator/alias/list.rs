use serde::Serialize;

use crate::operator::failure::OperatorError;
use crate::operator::volume_location::VolumeLocation;
use crate::operator::{accounts_change, listing::Listing};

/// The arguments of `alias list`.
#[derive(Debug, clap::Args)]
pub struct List {
    #[command(flatten)]
    listing: Listing,
}

/// One alias, for a script.
#[derive(Serialize)]
struct Row {
    alias: String,
    targets: Vec<String>,
    declared: bool,
}

impl List {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        let accounts = accounts_change::read_accounts(location)?;
        let row = |alias: &accounts::Alias| Row {
            alias: alias.name.to_string(),
            targets: alias.targets.iter().map(ToString::to_string).collect(),
            declared: alias.declared,
        };
        let rows = accounts.aliases.iter().map(row).collect();
        self.listing.show(rows, ["ALIAS", "FROM", "REACHES"], |row| {
            let origin = if row.declared { "MAIL_ALIASES" } else { "command" };
            [row.alias, origin.to_owned(), row.targets.join(" ")]
        });
        Ok(())
    }
}
