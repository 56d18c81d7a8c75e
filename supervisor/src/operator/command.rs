use super::failure::Failure;
use super::place::{Place, Where};

/// A command over the accounts: what to do, and with whose.
#[derive(Debug, clap::Args)]
pub struct Command<V: clap::Subcommand> {
    #[command(flatten)]
    place: Where,
    #[command(subcommand)]
    verb: V,
}

impl<V: clap::Subcommand> Command<V> {
    /// Does it where the accounts are.
    pub(super) fn run(&self, verb: impl FnOnce(&V, &Place) -> Result<(), Failure>) -> Result<(), Failure> {
        verb(&self.verb, &self.place.find()?)
    }
}
