use accounts::{AppName, AppPassword};

use crate::init::unit::Moment;
use crate::operator::failure::OperatorError;
use crate::operator::volume_location::VolumeLocation;
use crate::operator::{accounts_change, names, output};

/// The arguments of `app-password add`.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// `ann` in the first domain, or `bob@example.net`.
    user: String,
    /// The name of the device, such as `telephone`.
    device: String,
}

impl Add {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        let name = AppName::parse(&self.device)?;
        let now = i64::try_from(Moment::now().wall).unwrap_or_default();
        let ((user, shown), confirmation) = accounts_change::change_accounts(location, |accounts| {
            let user = names::user(&self.user, accounts)?;
            let others = accounts.user(&user).map_or(&[][..], |account| &account.app_passwords);
            let (app, shown) = AppPassword::issue(name.clone(), calendar::rfc3339(now), others);
            accounts.add_app_password(&user, app)?;
            Ok((user, shown))
        })?;
        let done = output::report_done(&format!("{user} has an app password for {name}"), confirmation);
        output::show_once(&shown);
        done
    }
}
