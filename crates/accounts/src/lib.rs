//! Who has mail here: domains, users, aliases and their secrets, read from `accounts.toml`.
//!
//! [`Accounts`] is the file, whole and free of faults. [`Directory`] answers the daemons' questions from it:
//! is this address local, whom does it reach, may this login send as that address, is this password right.
//! It is swapped as a whole when the file changes. [`declaration`] is how the users that the environment
//! declares become accounts, [`change`] what the operator's commands do to them.
//!
//! Invariants: no password is stored, logged or shown in clear, and none is compared in a time that depends
//! on it; no user's name can name a folder but its own. Guessing is slowed down by network and by account. What this
//! crate does not do: it ends no session, though it tells whose login has fallen.

mod accounts;
mod alias_name;
mod app_password;
mod authentication;
pub mod change;
mod components;
pub mod declaration;
mod directory;
mod fault;
mod fingerprint;
mod guard;
mod hidden;
mod last_use;
mod login;
mod made;
mod recent;
mod seal;
mod secret;
mod small_file;
mod turns;
mod user;

pub use accounts::{Accounts, AccountsError, Alias, UserAccount};
pub use alias_name::{AliasKey, AliasName, AliasNameError};
pub use app_password::{AppName, AppPassword, NotAName, Selector};
pub use authentication::Denied;
pub use components::components;
pub use directory::{Directory, Expansion, Resolution};
pub use fault::{Fault, list_faults};
pub use fingerprint::Fingerprint;
pub use hidden::{Hidden, HiddenError, RESERVED};
pub use last_use::{LastUse, LastUses};
pub use login::{Login, Vigil};
pub use made::make_password;
// What this crate's own questions are asked with.
pub use sasl::{Credentials, Password};
pub use secret::{Secret, SecretError};
pub use user::{User, UserError};
