use crate::operator::failure::OperatorError;
use crate::operator::volume_location::VolumeLocation;
use crate::operator::{accounts_change, names, output};

/// The arguments of `user enable`.
#[derive(Debug, clap::Args)]
pub struct Enable {
    /// `ann` in the first domain, or `bob@example.net`.
    name: String,
}

impl Enable {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        let ((user, has_changed), confirmation) = accounts_change::change_accounts(location, |accounts| {
            let user = names::user(&self.name, accounts)?;
            let has_changed = accounts.enable(&user)?;
            Ok((user, has_changed))
        })?;
        let what = if has_changed { "can log in and receives mail again" } else { "was enabled already" };
        output::report_done(&format!("{user} {what}"), confirmation)
    }
}
