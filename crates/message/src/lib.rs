//! The parts of a message's raw bytes that Mailstead needs, and no more: its fields, its structure as offsets, the
//! text to search in it, and the fields and reports that Mailstead writes itself. No I/O, no clock, no
//! randomness: the input is bytes, the output values or bytes.
//!
//! All of this is untrusted input. So no function panics, none recurses deeper than [`outline::MAX_DEPTH`], and every
//! list has an upper bound named beside it. Content beyond a bound is shown in a simpler form, never refused: stored
//! mail must stay readable.
//!
//! Stored messages end their lines with CRLF, or with LF alone when another program put them into the Maildir. IMAP
//! sends CRLF only. Offsets in this crate are therefore offsets into the stored octets, and every span also has its
//! length in octets after each lone LF has become CRLF (see [`outline::Span`] and [`crlf`]).

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
pub mod transcode;
pub mod transfer;

pub use address_list::{AddressList, Mailbox};
pub use author::{Author, AuthorError};
pub use charset::Charset;
pub use date_time::DateTime;
pub use envelope::Envelope;
pub use field::{Field, Fields};
pub use header_section::{BodyStart, HeaderSection};
pub use outline::{Outline, Part, Span};
