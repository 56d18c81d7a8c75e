//! Maildir++ on disk, as Dovecot 2.3 writes and reads it.
//!
//! Guarantees: a Maildir that Dovecot wrote is read as it is, its UIDs are kept, and Dovecot can open the files written
//! here. Nothing relies on this process being alone with the files: names are unique, UIDs are assigned under a lock
//! that other hosts and Dovecot respect, and a file that another program renamed is found again by its base. State
//! between calls is left to `mailbox`. Everything here blocks.

pub(crate) mod compressed;
mod error;
mod extra_keywords;
mod file_name;
mod flags;
pub mod folder_name;
mod keywords;
pub(crate) mod layout;
mod lock;
pub(crate) mod maildirsize;
pub mod modified_utf7;
mod name;
mod observed;
pub(crate) mod regular;
pub(crate) mod renaming;
pub(crate) mod scan;
pub(crate) mod subscriptions;
pub(crate) mod sweep;
mod uid;
pub mod uid_list;
pub(crate) mod validity;

pub use error::MaildirError;
pub(crate) use extra_keywords::ExtraKeywords;
pub use file_name::{FileName, Folder};
pub(crate) use file_name::{arrival_key, seconds};
pub use flags::Flags;
pub use keywords::Keywords;
pub use name::{MailboxName, NameError};
pub use uid::{Uid, UidValidity};
