//! Users' mail for sessions and deliveries.
//!
//! A [`Store`] has [`Account`]s, an account has [`Mailbox`]es, and a mailbox provides [`Snapshot`]s of itself. All
//! users of a mailbox in this process share its state; other processes' changes are found by looking at the folders.
//!
//! Guarantees: a change that succeeded is on disk, a UID that was sent to a client belongs to that message forever,
//! and a snapshot never changes. Left to other layers: protocols, the `\Recent` messages of a session, and
//! passwords.
//!
//! `async` functions run their work on threads for blocking work; the documentation of other functions says if they
//! block.

mod account;
mod copy;
mod error;
mod incoming;
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
mod work_limits;

pub use account::Account;
pub use copy::Copied;
pub use error::{NotAllowed, StoreError};
pub use incoming::{Appended, Incoming};
pub use listed::{ListedMailbox, SpecialUse};
pub use open::{FlagChange, FlagOperation, Mailbox, StoredMessage};
pub use snapshot::{Difference, MessageEntry, ModSeq, Snapshot};
pub use status::MailboxStatus;
pub use store::Store;
pub use usage::{Quota, Reservation};

#[cfg(test)]
mod tests;
