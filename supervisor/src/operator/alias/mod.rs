//! `mailstead alias`: addresses that stand for others.

mod add;
mod delete;
mod list;

use super::failure::Failure;
use super::place::Where;

/// What to do with aliases.
#[derive(Debug, clap::Args)]
pub struct AliasCommand {
    #[command(flatten)]
    place: Where,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Have an address reach others.
    Add(add::Add),
    /// Show which there are.
    List(list::List),
    /// Forget one.
    Delete(delete::Delete),
}

impl AliasCommand {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let place = self.place.find()?;
        match &self.verb {
            Verb::Add(verb) => verb.run(&place),
            Verb::List(verb) => verb.run(&place),
            Verb::Delete(verb) => verb.run(&place),
        }
    }
}
