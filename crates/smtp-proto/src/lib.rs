//! SMTP (RFC 5321), submission (RFC 6409) and LMTP (RFC 2033) as values: octets in, events out, octets out.
//!
//! [`server::Session`] and [`client::Session`] own no socket, clock or disk. Their driver moves octets between a
//! session and a stream, and answers its requests: if a recipient exists, and what the reply to a message is.
//! Everything a peer sends is bounded; a message is never held, only passed through.
//!
//! This crate decides nothing about addresses, looks at no header field, and measures no time. BINARYMIME (RFC 3030) is
//! not announced and is refused, and so are DSN parameters (RFC 3461) outside of LMTP.

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
