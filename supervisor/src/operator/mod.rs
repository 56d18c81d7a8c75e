//! The operator's commands on the accounts: `mailstead user …`, `alias …`, `app-password …`, `hash-password`.
//!
//! ```text
//! names, password ─▶ lock ─▶ accounts.toml read, changed, written whole ─▶ unlock ─▶ process 1 is notified ─▶ the daemons
//!                                                          confirm that they have read it, or the command warns
//! ```
//!
//! They work beside a running server, without one, and for the demo. A password comes from a prompt or from standard
//! input and never from the command line, where every process of the machine could read it. A failure is reported with
//! its reason and fix, and by the exit status.

mod accounts_change;
mod alias;
mod app_password;
mod command;
mod confirmation;
mod failure;
mod hash_password;
mod listing;
mod names;
mod output;
mod password;
mod terminal;
mod user;
mod volume_location;

use std::process::ExitCode;

use command::Command;
use failure::OperatorError;
pub use hash_password::HashPassword;
pub(crate) use terminal::prompt;

use crate::exit::Exit;

/// `mailstead user` and its arguments.
pub type UserCommand = Command<user::Verb>;
/// `mailstead alias` and its arguments.
pub type AliasCommand = Command<alias::Verb>;
/// `mailstead app-password` and its arguments.
pub type AppPasswordCommand = Command<app_password::Verb>;

/// Manages users.
pub fn user(command: &UserCommand) -> ExitCode {
    conclude("user", command.run(user::Verb::run))
}

/// Manages the aliases.
pub fn alias(command: &AliasCommand) -> ExitCode {
    conclude("alias", command.run(alias::Verb::run))
}

/// Manages the passwords of devices.
pub fn app_password(command: &AppPasswordCommand) -> ExitCode {
    conclude("app-password", command.run(app_password::Verb::run))
}

/// Hashes a password.
pub fn hash_password(command: &HashPassword) -> ExitCode {
    conclude("hash-password", command.run())
}

fn conclude(command: &str, outcome: Result<(), OperatorError>) -> ExitCode {
    match outcome {
        Ok(()) => Exit::Stopped.into(),
        Err(failure) => {
            eprintln!("mailstead {command}: {failure}");
            failure.exit().into()
        }
    }
}
