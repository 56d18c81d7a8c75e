use crate::operator::failure::Failure;
use crate::operator::password::NewPassword;
use crate::operator::place::Place;
use crate::operator::{names, revision, say};

/// Whom to add.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// `ann` in the first domain, or `bob@example.net`.
    name: String,
    #[command(flatten)]
    password: NewPassword,
}

impl Add {
    pub(super) fn run(&self, place: &Place) -> Result<(), Failure> {
        // Before anybody is asked for a password in vain, and again under the lock.
        let accounts = revision::look(place)?;
        let user = names::new_user(&self.name, &accounts)?;
        accounts.may_add_user(&user)?;
        let given = self.password.obtain(&user.to_string())?;
        let ((), followed) =
            revision::revise(place, |accounts| Ok(accounts.add_user(&user, given.secret.clone())?))?;
        say::done(&format!("{user} was added"), followed);
        super::show(&given);
        Ok(())
    }
}
