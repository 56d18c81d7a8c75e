use accounts::change::ChangeError;

use crate::operator::failure::OperatorError;
use crate::operator::password::NewPassword;
use crate::operator::volume_location::VolumeLocation;
use crate::operator::{accounts_change, names, output};

/// The arguments of `user passwd`.
#[derive(Debug, clap::Args)]
pub struct Passwd {
    /// `ann` in the first domain, or `bob@example.net`.
    name: String,
    #[command(flatten)]
    password: NewPassword,
}

impl Passwd {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        let accounts = accounts_change::read_accounts(location)?;
        let user = names::user(&self.name, &accounts)?;
        let known = accounts.user(&user).ok_or_else(|| ChangeError::NoUser(user.clone()))?;
        let (is_enabled, devices) = (known.enabled, known.app_passwords.len());
        let given = self.password.obtain(&user.to_string())?;
        let ((), confirmation) = accounts_change::change_accounts(location, |accounts| {
            Ok(accounts.set_secret(&user, given.secret.clone())?)
        })?;
        let done = output::report_done(&format!("{user} has a new password"), confirmation);
        if devices > 0 {
            eprintln!(
                "Its {devices} app passwords still work; `mailstead app-password revoke` revokes them."
            );
        }
        if !is_enabled {
            eprintln!("It is still disabled; `mailstead user enable {user}` lets it log in.");
        }
        super::show_generated(&given);
        done
    }
}
