//! `mailstead alias`: aliases, whose mail goes to other addresses.

mod add;
mod delete;
mod list;

use super::failure::OperatorError;
use super::volume_location::VolumeLocation;

/// The commands on aliases.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Add an alias, an address that reaches others.
    Add(add::Add),
    /// List the aliases.
    List(list::List),
    /// Delete an alias.
    Delete(delete::Delete),
}

impl Verb {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        match self {
            Self::Add(verb) => verb.run(location),
            Self::List(verb) => verb.run(location),
            Self::Delete(verb) => verb.run(location),
        }
    }
}
