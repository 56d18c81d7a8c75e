//! IMAP4rev1 (RFC 3501) over the users' mailboxes.

mod fetch;
mod search;
mod selected;
mod wire;
