//! Users' mail as sessions and deliveries see it.
//!
//! A [`Store`] has [`Account`]s, an account has [`Mailbox`]es, and a mailbox shows [`Snapshot`]s of itself. Whoever has a
//! mailbox open in this process shares its state; other processes' changes are found by looking at the folders.
//!
//! What it promises: what it answered for is on disk, a UID that was told belongs to that message for ever, and a
//! snapshot never changes. What it does not do: it knows no protocol, no session's `\Recent`, and no account's password.
//!
//! Functions that are `async` do their work on threads made for blocking work; those that block say so.

mod account;
mod copy;
mod error;
mod incoming;
mod lanes;
mod listed;
mod live;
mod open;
mod registry;
mod rename;
mod snapshot;
mod state;
mod status;
mod store;
mod usage;

pub use account::Account;
pub use copy::Copied;
pub use error::{NotAllowed, StoreError};
pub use incoming::{Appended, Incoming};
pub use listed::{Listed, SpecialUse};
pub use open::{FlagChange, FlagOperation, Mailbox, StoredMessage};
pub use snapshot::{Difference, Entry, ModSeq, Snapshot};
pub use status::Status;
pub use store::Store;
pub use usage::{Quota, Room};

#[cfg(test)]
mod tests;
