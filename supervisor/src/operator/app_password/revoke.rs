use accounts::AppName;

use crate::operator::failure::OperatorError;
use crate::operator::volume_location::VolumeLocation;
use crate::operator::{accounts_change, names, output};

/// The arguments of `app-password revoke`.
#[derive(Debug, clap::Args)]
pub struct Revoke {
    /// `ann` in the first domain, or `bob@example.net`.
    user: String,
    /// The name of the device.
    device: String,
}

impl Revoke {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        let name = AppName::parse(&self.device)?;
        let (user, confirmation) = accounts_change::change_accounts(location, |accounts| {
            let user = names::user(&self.user, accounts)?;
            accounts.revoke_app_password(&user, &name)?;
            Ok(user)
        })?;
        output::report_done(&format!("the app password of {user} for {name} was revoked"), confirmation)
    }
}
