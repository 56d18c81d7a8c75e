use crate::operator::failure::OperatorError;
use crate::operator::volume_location::VolumeLocation;
use crate::operator::{accounts_change, names, output};

/// The arguments of `alias delete`.
#[derive(Debug, clap::Args)]
pub struct Delete {
    /// `info` in the first domain, `info@example.net`, or `@example.net`.
    alias: String,
}

impl Delete {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        let (alias, confirmation) = accounts_change::change_accounts(location, |accounts| {
            let alias = names::alias(&self.alias, accounts)?;
            accounts.delete_alias(&alias)?;
            Ok(alias)
        })?;
        output::report_done(&format!("{alias} was deleted"), confirmation)
    }
}
