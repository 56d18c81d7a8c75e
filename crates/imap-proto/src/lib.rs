//! The IMAP protocol without I/O: parses octets to commands and writes responses into a buffer. No socket, clock, disk
//! or runtime here.
//!
//! The server feeds the octets it reads to a [`reader::Reader`] and gets [`reader::Event`]s from it; it writes
//! responses with the functions of [`response`]. Everything in between is the server's: this crate knows the grammar of
//! IMAP4rev1 (RFC 3501) and of the extensions listed in `command`, not the meaning of a mailbox.
//!
//! Hostile input is bounded: a command has a limit, a message given to APPEND is never held as a whole, and the number
//! of search keys is limited.

pub mod command;
mod cursor;
pub mod date;
pub mod flag;
pub mod mailbox;
pub mod number;
pub mod reader;
pub mod response;
pub mod sequence;
pub mod special_use;
pub mod tag;

pub use cursor::SyntaxError;
pub use date::{Date, DateTime};
pub use flag::{Flag, Keyword};
pub use mailbox::{MailboxArgument, MailboxName};
pub use number::{SequenceNumber, Uid, UidValidity};
pub use sequence::SequenceSet;
pub use special_use::SpecialUse;
pub use tag::Tag;
