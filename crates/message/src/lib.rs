//! What Mailstead needs of a message's raw bytes, and no more: its fields, its structure as offsets, the
//! text to search in it, and the fields and reports that we write ourselves. No I/O, no clock, no
//! randomness: bytes in, values or bytes out.
//!
//! Everything here reads what strangers wrote. So nothing panics, nothing recurses deeper than
//! [`outline::MAX_DEPTH`], and every list has an upper bound named beside it. What exceeds a bound is
//! shown as simpler than it is, never refused: mail that lies in a mailbox must stay readable.
//!
//! Stored messages end their lines with CRLF, or with LF alone when another program put them into the
//! Maildir. IMAP speaks CRLF only. Offsets in this crate are therefore offsets into the stored octets,
//! and every span knows also how many octets it has once each lone LF has become CRLF (see
//! [`outline::Span`] and [`crlf`]).

pub mod address_list;
pub mod author;
pub mod charset;
pub mod compose;
pub mod crlf;
pub mod date_time;
pub mod encoded_word;
pub mod envelope;
pub mod field;
pub mod forged;
mod header_section;
pub mod message_id;
pub mod mime;
pub mod outline;
pub mod section;
pub mod text;
mod token;
pub mod transfer;

pub use address_list::{AddressList, Mailbox};
pub use author::{Author, AuthorError};
pub use charset::Charset;
pub use date_time::DateTime;
pub use envelope::Envelope;
pub use field::{Field, Fields};
pub use header_section::{BodyStart, HeaderSection};
pub use outline::{Outline, Part, Span};
