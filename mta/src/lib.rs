//! The mail transfer agent: SMTP in and out, queue, checks, signing.
//!
//! | module      | purpose                                                   | depends on             |
//! |-------------|-----------------------------------------------------------|------------------------|
//! | `daemon`    | the process: start, signals, stop                         | all                    |
//! | `connection_limits` | limits on connections                             | inbound                |
//! | [`inbound`] | sessions with peers and submitting clients                | all below              |
//! | [`queue`]   | accepted messages, and the times of their attempts        | outbound, local        |
//! | [`outbound`]| deliveries to other hosts                                 | resolver, content      |
//! | [`local`]   | deliveries to the MDA                                     | content                |
//! | [`checks`]  | results about a message's origin                          | resolver, content      |
//! | [`sign`]    | our signatures                                            | content                |
//! | [`metrics`] | counters                                                  |                        |
//! | `srs`       | return paths of forwarded mail                            |                        |
//! | [`content`] | one message's octets                                      |                        |

mod body_hash;
pub mod checks;
mod connection_limits;
pub mod content;
mod daemon;
#[cfg(test)]
mod doubles;
pub mod inbound;
mod jitter;
pub mod local;
pub mod metrics;
pub mod outbound;
mod outcome;
pub mod queue;
pub mod resolver;
pub mod sign;
mod site;
mod smtp_client;
mod srs;
mod timestamp;

use std::path::Path;
use std::process::ExitCode;

pub use outcome::{Outcome, Reason, Status};
pub use site::{Settings, Site};

/// Runs the transfer agent with the configuration in a file, until a stop is requested. Must be called before any
/// thread is started: it reads the inherited sockets from the environment.
pub fn run(config: &Path) -> ExitCode {
    daemon::run(config)
}
