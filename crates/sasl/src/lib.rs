//! Authentication by SASL (RFC 4422), as values: the client's responses are the input, a challenge or [`Credentials`]
//! the output. The caller looks up the user and checks the password.
//!
//! ```text
//!            initial response                        credentials
//!   start ──────────────────────► plain, login ──────────────────────► complete
//!     │                             ▲      │
//!     └── none: first challenge ────┘      └── malformed, cancelled ──► failed
//! ```
//!
//! The guarantees: a [`Password`] is never shown and is wiped when dropped, and so is the buffer into which a response
//! is decoded; a password is compared in a form that does not depend on the keyboard (RFC 8265); a user cannot act for
//! another. The session must bound the length of a line, and wipe the buffers of lines that are received or sent. Both
//! mechanisms send the password in clear text: sessions offer them under TLS only.

mod credentials;
mod error;
mod exchange;
mod login;
mod mechanism;
mod password;
mod plain;

pub use credentials::Credentials;
pub use error::SaslError;
pub use exchange::{Exchange, ExchangeStep};
pub use mechanism::Mechanism;
pub use password::{Password, PasswordError};

#[cfg(test)]
mod tests;
