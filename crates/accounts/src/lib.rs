//! The domains, users, aliases and secrets, read from `accounts.toml`.
//!
//! [`Accounts`] is the file, complete and without faults. [`Directory`] answers the daemons' queries from it:
//! is this address local, who are its recipients, may this login send as that address, is this password correct.
//! It is replaced as a whole when the file changes. [`declaration`] turns the users that the environment
//! declares into accounts, [`change`] contains the changes that the operator's commands make to them.
//!
//! Invariants: no password is stored, logged or shown in clear, and none is compared in a time that depends
//! on it; no user's name can name a folder but its own. Guessing is slowed down by network and by account. This crate
//! does not end sessions; it reports which logins are revoked.

mod accounts;
mod alias_name;
mod app_password;
mod authentication;
pub mod change;
mod check_queue;
mod components;
pub mod declaration;
mod directory;
mod fault;
mod fingerprint;
mod generated_password;
mod guard;
mod internal_mailbox;
mod last_use;
mod login;
mod match_mac;
mod recent_logins;
mod secret;
mod small_file;
mod user;

pub use accounts::{Accounts, AccountsError, Alias, MAX_FILE_SIZE, UserAccount};
pub use alias_name::{AliasKey, AliasName, AliasNameError};
pub use app_password::{AppName, AppNameError, AppPassword, Selector};
pub use authentication::Denied;
pub use components::components;
pub use directory::{Directory, Expansion, Resolution};
pub use fault::{Fault, list_faults};
pub use fingerprint::Fingerprint;
pub use generated_password::generate_password;
pub use internal_mailbox::{InternalMailbox, InternalMailboxError, RESERVED_NAME};
pub use last_use::{LastUse, LastUses};
pub use login::{Login, LoginWatch};
// Types in this crate's own interface.
pub use sasl::{Credentials, Password};
pub use secret::{Secret, SecretError};
pub use user::{User, UserError};
