//! `mailstead user`: manages users.

mod add;
mod delete;
mod disable;
mod enable;
mod list;
mod passwd;

use super::failure::OperatorError;
use super::password::ObtainedPassword;
use super::volume_location::VolumeLocation;

/// The commands on users.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Add a user with a mailbox.
    Add(add::Add),
    /// List the users.
    List(list::List),
    /// Set a new password; sessions with the old one end.
    Passwd(passwd::Passwd),
    /// Disable login and address at once, and keep the mail.
    Disable(disable::Disable),
    /// Enable login and address again.
    Enable(enable::Enable),
    /// Delete a user; the mail is kept unless it is purged.
    Delete(delete::Delete),
}

impl Verb {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        match self {
            Self::Add(verb) => verb.run(location),
            Self::List(verb) => verb.run(location),
            Self::Passwd(verb) => verb.run(location),
            Self::Disable(verb) => verb.run(location),
            Self::Enable(verb) => verb.run(location),
            Self::Delete(verb) => verb.run(location),
        }
    }
}

/// Prints a generated password. It alone goes to standard output, where a script reads it.
fn show_generated(given: &ObtainedPassword) {
    if let Some(made) = &given.generated {
        super::output::show_once(made);
    }
}
