use std::path::{Path, PathBuf};

use accounts::User;

use super::delete;
use crate::operator::failure::OperatorError;
use crate::operator::password::NewPassword;
use crate::operator::volume_location::VolumeLocation;
use crate::operator::{accounts_change, names, output};

/// The arguments of `user add`.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// `ann` in the first domain, or `bob@example.net`.
    name: String,
    #[command(flatten)]
    password: NewPassword,
}

impl Add {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        // Before the operator is asked for a password in vain, and again under the lock.
        let accounts = accounts_change::read_accounts(location)?;
        let user = names::new_user(&self.name, &accounts)?;
        accounts.check_add_user(&user)?;
        let given = self.password.obtain(&user.to_string())?;
        let ((), confirmation) = accounts_change::change_accounts(location, |accounts| {
            Ok(accounts.add_user(&user, given.secret.clone())?)
        })?;
        let done = output::report_done(&format!("{user} was added"), confirmation);
        super::show_generated(&given);
        if let Some(mail) = leftover_mail(location, &user) {
            eprintln!("{}", leftover_mail_warning(&user, &mail));
        }
        done
    }
}

fn leftover_mail_warning(user: &User, mail: &Path) -> String {
    format!(
        "There is mail in {} already, from a former user of this name; {user} can read it now. To remove it, run \
         `mailstead user delete {user} --purge-mail` and add the user again.",
        mail.display()
    )
}

/// The folder of an earlier user of this name. Looked for as the last step: only the mail's owner can see it, and a
/// process that has switched to that user cannot switch back.
fn leftover_mail(location: &VolumeLocation, user: &User) -> Option<PathBuf> {
    if let Some(mail_owner) = location.mail_owner() {
        delete::become_mail_owner(mail_owner).ok()?;
    }
    let mail = user.folder(&location.folders.mail());
    mail.exists().then_some(mail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_of_a_former_user_is_reported_with_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let user = |name: &str| User::new(&format!("{name}@example.org").parse().unwrap()).unwrap();
        let location = VolumeLocation::of(folder.path());
        std::fs::create_dir_all(user("eve").folder(&location.folders.mail())).unwrap();
        assert_eq!(leftover_mail(&location, &user("ann")), None);
        let mail = leftover_mail(&location, &user("eve")).unwrap();
        let warning = leftover_mail_warning(&user("eve"), &mail);
        assert!(
            warning.contains("mail/example.org/eve already") && warning.contains("--purge-mail"),
            "{warning}"
        );
    }
}
