//! SMTP (RFC 5321), submission (RFC 6409) and LMTP (RFC 2033) as values: octets in, events out, octets out.
//!
//! [`server::Session`] and [`client::Session`] own no socket, clock or disk. Whoever drives one moves octets
//! between it and a stream, and answers what it asks: whether a recipient exists, what becomes of a message.
//! Everything a peer sends is bounded, whatever it sends; a message is never held, only passed through.
//!
//! What this crate does not do: it decides nothing about addresses, looks at no header field, and measures no
//! time. BDAT (RFC 3030), SMTPUTF8 (RFC 6531) are not announced and are refused, DSN parameters (RFC 3461) too but by LMTP.

mod body;
pub mod client;
pub mod command;
mod dialect;
mod input;
pub mod replies;
mod reply;
pub mod server;
mod status;
mod stuffing;

pub use body::BodyFault;
pub use dialect::Dialect;
pub use reply::{Code, Reply, Severity};
pub use status::Status;
pub use stuffing::Stuffing;
