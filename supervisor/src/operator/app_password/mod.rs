//! `mailstead app-password`: a password for each device, which reads and sends mail and changes nothing else.

mod add;
mod list;
mod revoke;

use super::failure::OperatorError;
use super::volume_location::VolumeLocation;

/// The commands on app passwords.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Create an app password, and show it once.
    Add(add::Add),
    /// List the devices with their app passwords.
    List(list::List),
    /// Revoke an app password; sessions with it end.
    Revoke(revoke::Revoke),
}

impl Verb {
    pub(super) fn run(&self, location: &VolumeLocation) -> Result<(), OperatorError> {
        match self {
            Self::Add(verb) => verb.run(location),
            Self::List(verb) => verb.run(location),
            Self::Revoke(verb) => verb.run(location),
        }
    }
}
