use crate::operator::failure::OperatorError;
use crate::operator::volume_location::VolumeLocation;
use crate::operator::{accounts_change, names, output};

/// The arguments of `user disable`.
#[derive(Debug, clap::Args)]
pub struct Disable {
    /// `ann` in the first domain, or `bob@example.net`.
    name: String,
}

impl Disable {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        let ((user, has_changed), confirmation) = accounts_change::change_accounts(location, |accounts| {
            let user = names::user(&self.name, accounts)?;
            let has_changed = accounts.disable(&user)?;
            Ok((user, has_changed))
        })?;
        let what =
            if has_changed { "can no longer log in and receives no mail" } else { "was disabled already" };
        output::report_done(&format!("{user} {what}; existing mail is kept"), confirmation)
    }
}
