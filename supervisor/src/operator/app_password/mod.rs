//! `mailstead app-password`: a password for each device, which reads and sends mail and changes nothing else.

mod add;
mod list;
mod revoke;

use super::failure::Failure;
use super::place::Where;

/// What to do with the passwords of devices.
#[derive(Debug, clap::Args)]
pub struct AppPasswordCommand {
    #[command(flatten)]
    place: Where,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make one, and show it once.
    Add(add::Add),
    /// Show which devices have one.
    List(list::List),
    /// Take one away; who is logged in with it is put out.
    Revoke(revoke::Revoke),
}

impl AppPasswordCommand {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let place = self.place.find()?;
        match &self.verb {
            Verb::Add(verb) => verb.run(&place),
            Verb::List(verb) => verb.run(&place),
            Verb::Revoke(verb) => verb.run(&place),
        }
    }
}
