use crate::operator::failure::OperatorError;
use crate::operator::place::VolumeLocation;
use crate::operator::{names, revision, say};

/// The arguments of `alias delete`.
#[derive(Debug, clap::Args)]
pub struct Delete {
    /// `info` in the first domain, `info@example.net`, or `@example.net`.
    alias: String,
}

impl Delete {
    pub(super) fn run(&self, place: &VolumeLocation) -> Result<(), OperatorError> {
        let (alias, followed) = revision::change_accounts(place, |accounts| {
            let alias = names::alias(&self.alias, accounts)?;
            accounts.delete_alias(&alias)?;
            Ok(alias)
        })?;
        say::report_done(&format!("{alias} was deleted"), followed)
    }
}
