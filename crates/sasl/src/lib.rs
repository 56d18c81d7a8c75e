//! Logging in by SASL (RFC 4422), as values: what the client says goes in, a challenge or [`Credentials`] come
//! out. Who they belong to, and whether they are right, is for others to say.
//!
//! ```text
//!            initial response                        credentials
//!   start ──────────────────────► plain, login ──────────────────────► complete
//!     │                             ▲      │
//!     └── none: first challenge ────┘      └── malformed, cancelled ──► failed
//! ```
//!
//! What it promises: a [`Password`] is never shown and is wiped when dropped, and so is what a response is decoded
//! into; a password is compared in a form that does not depend on the keyboard (RFC 8265); nobody acts for another. What it does not do: it bounds no line and wipes no buffer in which a line
//! arrived or leaves, for both are the session's. Both mechanisms send the password as it is: sessions offer them
//! under TLS only.

mod credentials;
mod error;
mod exchange;
mod login;
mod mechanism;
mod password;
mod plain;

pub use credentials::Credentials;
pub use error::SaslError;
pub use exchange::{Exchange, Step};
pub use mechanism::Mechanism;
pub use password::{Password, PasswordError};

#[cfg(test)]
mod tests;
