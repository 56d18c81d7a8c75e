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
    pub(super) fn run(&self, place: &VolumeLocation) -> Result<(), OperatorError> {
        let ((user, is_news), followed) = accounts_change::change_accounts(place, |accounts| {
            let user = names::user(&self.name, accounts)?;
            let is_news = accounts.enable(&user)?;
            Ok((user, is_news))
        })?;
        let what = if is_news { "can log in and receives mail again" } else { "was enabled already" };
        output::report_done(&format!("{user} {what}"), followed)
    }
}
