use super::failure::OperatorError;
use super::volume_location::{LocationOption, VolumeLocation};

/// A command on the accounts, and the location of the accounts.
#[derive(Debug, clap::Args)]
pub struct Command<V: clap::Subcommand> {
    #[command(flatten)]
    location: LocationOption,
    #[command(subcommand)]
    verb: V,
}

impl<V: clap::Subcommand> Command<V> {
    /// Runs it where the accounts are.
    pub(super) fn run(
        &self,
        verb: impl FnOnce(&V, &VolumeLocation) -> Result<(), OperatorError>,
    ) -> Result<(), OperatorError> {
        verb(&self.verb, &self.location.find()?)
    }
}
