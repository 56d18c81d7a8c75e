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
    pub(super) fn run(&self, place: &VolumeLocation) -> Result<(), OperatorError> {
        let ((user, is_news), followed) = accounts_change::change_accounts(place, |accounts| {
            let user = names::user(&self.name, accounts)?;
            let is_news = accounts.disable(&user)?;
            Ok((user, is_news))
        })?;
        let what = if is_news { "can no longer log in and receives no mail" } else { "was disabled already" };
        output::report_done(&format!("{user} {what}; existing mail is kept"), followed)
    }
}
