//! The mail delivery agent: LMTP, Maildir and IMAP.
//!
//! | module      | what it does                                              | stands on              |
//! |-------------|-----------------------------------------------------------|------------------------|
//! | `daemon`    | the process: start, signals, stop                         | all                    |
//! | [`imap`]    | sessions with mail clients                                | mailbox                |
//! | [`lmtp`]    | messages from the MTA                                     | mailbox                |
//! | [`mailbox`] | users' mail as sessions and deliveries see it             | maildir, index         |
//! | [`index`]   | what is costly to find out about messages: a cache        | maildir                |
//! | [`maildir`] | files and folders                                         |                        |
//!
//! `imap` and `lmtp` are neighbours that never meet.

mod daemon;
pub mod imap;
pub mod index;
pub mod lmtp;
pub mod mailbox;
pub mod maildir;

use std::path::Path;
use std::process::ExitCode;

/// Runs the delivery agent with the configuration in a file, until it is asked to stop. Must be called before any
/// thread is started: the sockets that were handed over are named in the environment.
pub fn run(config: &Path) -> ExitCode {
    daemon::run(config)
}
