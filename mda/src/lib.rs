//! The mail delivery agent: LMTP, Maildir and IMAP.

pub mod imap;
pub mod index;
pub mod mailbox;
pub mod maildir;
