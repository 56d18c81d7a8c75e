//! The account is removed under the lock, and its mail, if that is requested, only when no daemon knows the user any
//! more.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use accounts::User;
use accounts::change::ChangeError;
use nix::unistd::{setgroups, setresgid, setresuid};

use crate::operator::failure::OperatorError;
use crate::operator::volume_location::VolumeLocation;
use crate::operator::{accounts_change, names, output, terminal};
use crate::volume::{Owner, ignore_not_found};

/// The arguments of `user delete`.
#[derive(Debug, clap::Args)]
pub struct Delete {
    /// `ann` in the first domain, or `bob@example.net`.
    name: String,
    /// Remove the mail too, permanently.
    #[arg(long)]
    purge_mail: bool,
    /// Do not ask for a confirmation.
    #[arg(long, requires = "purge_mail")]
    yes: bool,
}

impl Delete {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        let accounts = accounts_change::read_accounts(location)?;
        let user = names::user(&self.name, &accounts)?;
        if self.purge_mail {
            self.confirm(&user)?;
        }
        let ((), confirmation) =
            accounts_change::change_accounts(location, |accounts| match accounts.delete_user(&user) {
                // Deleted before, with the mail kept; now the mail is to be removed as well.
                Err(ChangeError::NoUser(_)) if self.purge_mail && has_mail(location, &user) => Ok(()),
                other => Ok(other?),
            })?;
        let mail = user.folder(&location.folders.mail());
        if !self.purge_mail {
            let kept = format!("{user} was deleted; the mail is kept in {}", mail.display());
            return output::report_done(&kept, confirmation);
        }
        // A daemon that still knows the user could write into the folder that is removed here.
        let confirmation = confirmation?;
        let failed = |source| OperatorError::Purge { path: mail.clone(), source };
        if let Some(mail_owner) = location.mail_owner() {
            become_mail_owner(mail_owner).map_err(failed)?;
        }
        purge(&mail, &location.folders.index(), &user).map_err(failed)?;
        output::report_done(&format!("{user} was deleted with all mail"), Ok(confirmation))
    }

    fn confirm(&self, user: &User) -> Result<(), OperatorError> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(OperatorError::Declined(
                "--purge-mail removes mail permanently, and needs --yes in a script",
            ));
        }
        let text = format!("All mail of {user} will be removed permanently. Type the address to continue: ");
        match terminal::prompt(&text) {
            Ok(answer) if answer == user.to_string() => Ok(()),
            _ => Err(OperatorError::Declined("the typed address does not match")),
        }
    }
}

/// True if there may be mail: a missing right to look is reported by the removal.
fn has_mail(location: &VolumeLocation, user: &User) -> bool {
    let found = user.folder(&location.folders.mail()).try_exists();
    !matches!(found, Ok(false))
}

/// Switches to the mail's owner: root without the capability to override cannot remove its files. There is nothing left
/// to do as root.
pub(super) fn become_mail_owner(mail_owner: Owner) -> io::Result<()> {
    setgroups(&[])?;
    setresgid(mail_owner.group, mail_owner.group, mail_owner.group)?;
    setresuid(mail_owner.user, mail_owner.user, mail_owner.user)?;
    Ok(())
}

/// Removes mail and index. First the mail is moved aside, so that it is gone at once and as a whole: a delivery that is
/// under way fails, and no half of a mailbox is ever served. No user's name begins with a dot.
fn purge(mail: &Path, index: &Path, user: &User) -> io::Result<()> {
    let aside = mail.with_file_name(format!(".deleted-{}", user.name()));
    ignore_not_found(fs::remove_dir_all(&aside))?;
    ignore_not_found(fs::rename(mail, &aside))?;
    ignore_not_found(fs::remove_dir_all(&aside))?;
    ["", "-wal", "-shm"]
        .into_iter()
        .try_for_each(|end| ignore_not_found(fs::remove_file(index_file(index, user, end))))
}

fn index_file(index: &Path, user: &User, end: &str) -> PathBuf {
    user.folder(index).with_file_name(format!("{}.sqlite{end}", user.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purging_removes_the_mail_and_index_of_only_one_user_and_may_be_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let (mail, index) = (folder.path().join("mail"), folder.path().join("index"));
        let user = |name: &str| User::new(&format!("{name}@example.org").parse().unwrap()).unwrap();
        for name in ["ann", "ann.b"] {
            fs::create_dir_all(user(name).folder(&mail).join("Maildir/new")).unwrap();
            fs::create_dir_all(index.join("example.org")).unwrap();
            for end in ["", "-wal"] {
                fs::write(index_file(&index, &user(name), end), "").unwrap();
            }
        }
        // An interrupted purge leaves this.
        fs::create_dir_all(mail.join("example.org/.deleted-ann/Maildir")).unwrap();
        for _ in 0..2 {
            purge(&user("ann").folder(&mail), &index, &user("ann")).unwrap();
            let names = |folder: &Path| -> Vec<_> {
                let listed = fs::read_dir(folder.join("example.org")).unwrap();
                let mut names: Vec<_> = listed.map(|entry| entry.unwrap().file_name()).collect();
                names.sort();
                names
            };
            assert_eq!(names(&mail), ["ann.b"]);
            assert_eq!(names(&index), ["ann.b.sqlite", "ann.b.sqlite-wal"]);
        }
    }
}
