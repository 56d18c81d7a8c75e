//! `mailstead app-password`: a password for each device, which reads and sends mail and changes nothing else.

mod add;
mod list;
mod revoke;

use super::failure::Failure;
use super::place::Place;

/// The commands on app passwords.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Make one, and show it once.
    Add(add::Add),
    /// Show which devices have one.
    List(list::List),
    /// Take one away; who is logged in with it is put out.
    Revoke(revoke::Revoke),
}

impl Verb {
    pub(super) fn run(&self, place: &Place) -> Result<(), Failure> {
        match self {
            Self::Add(verb) => verb.run(place),
            Self::List(verb) => verb.run(place),
            Self::Revoke(verb) => verb.run(place),
        }
    }
}
