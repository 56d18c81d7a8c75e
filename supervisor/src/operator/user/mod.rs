//! `mailstead user`: manages users.

mod add;
mod delete;
mod disable;
mod enable;
mod list;
mod passwd;

use super::failure::Failure;
use super::password::Given;
use super::place::Place;

/// The commands on users.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Give somebody a mailbox.
    Add(add::Add),
    /// Show who has one.
    List(list::List),
    /// Set another password; who is logged in with the old one is put out.
    Passwd(passwd::Passwd),
    /// Take login and address away at once, and keep the mail.
    Disable(disable::Disable),
    /// Give both back.
    Enable(enable::Enable),
    /// Forget somebody; the mail is kept unless it is purged.
    Delete(delete::Delete),
}

impl Verb {
    pub(super) fn run(&self, place: &Place) -> Result<(), Failure> {
        match self {
            Self::Add(verb) => verb.run(place),
            Self::List(verb) => verb.run(place),
            Self::Passwd(verb) => verb.run(place),
            Self::Disable(verb) => verb.run(place),
            Self::Enable(verb) => verb.run(place),
            Self::Delete(verb) => verb.run(place),
        }
    }
}

/// Prints a generated password. It alone goes to standard output, where a script reads it.
fn show(given: &Given) {
    if let Some(made) = &given.made {
        super::say::show_once(made);
    }
}
