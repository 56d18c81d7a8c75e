use super::failure::Failure;
use super::place::{Place, Where};

/// A command on the accounts, and the place of the accounts.
#[derive(Debug, clap::Args)]
pub struct Command<V: clap::Subcommand> {
    #[command(flatten)]
    place: Where,
    #[command(subcommand)]
    verb: V,
}

impl<V: clap::Subcommand> Command<V> {
    /// Runs it where the accounts are.
    pub(super) fn run(&self, verb: impl FnOnce(&V, &Place) -> Result<(), Failure>) -> Result<(), Failure> {
        verb(&self.verb, &self.place.find()?)
    }
}
