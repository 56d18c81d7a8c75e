//! The mail delivery agent: LMTP, Maildir and IMAP.
//!
//! | module      | contents                                                  | depends on             |
//! |-------------|-----------------------------------------------------------|------------------------|
//! | `daemon`    | the process: start, signals, stop                         | all                    |
//! | [`imap`]    | sessions with mail clients                                | mailbox                |
//! | [`lmtp`]    | messages from the MTA                                     | mailbox                |
//! | [`mailbox`] | users' mail for sessions and deliveries                   | maildir, index         |
//! | [`index`]   | facts about messages that are expensive to compute: cache | maildir                |
//! | [`maildir`] | files and folders                                         |                        |
//!
//! `imap` and `lmtp` do not depend on each other.

mod daemon;
pub mod imap;
pub mod index;
pub mod lmtp;
pub mod mailbox;
pub mod maildir;

use std::path::Path;
use std::process::ExitCode;

/// Runs the delivery agent with the configuration in a file, until a stop is requested. Must be called before any
/// thread is started: the inherited sockets are named in the environment.
pub fn run(config: &Path) -> ExitCode {
    daemon::run(config)
}
