//! The server's side of SASL (RFC 4422), as values: what the client says goes in, a challenge or
//! [`Credentials`] come out. Who they belong to, and whether they are right, is for the directory to say.
//!
//! ```text
//!            initial response                        credentials
//!   start ──────────────────────► plain, login ──────────────────────► done
//!     │                             ▲      │
//!     └── none: empty challenge ────┘      └── malformed, cancelled ──► failed
//! ```
//!
//! Both mechanisms send the password as it is: sessions offer them over TLS only.

mod login;
mod plain;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Credentials;

/// A mechanism that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// PLAIN (RFC 4616).
    Plain,
    /// LOGIN (draft-murchison-sasl-login): obsolete, and what some clients still choose first.
    Login,
}

/// What follows from what the client said.
#[derive(Debug)]
pub enum Step {
    /// Send this challenge (already in base64), then give the answer to the exchange.
    Challenge(String, Exchange),
    /// The client has said who it is.
    Complete(Credentials),
    /// The exchange is over without credentials.
    Failed(SaslError),
}

/// Why an exchange came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SaslError {
    /// The client sent `*` (501 5.0.0 in SMTP, BAD in IMAP).
    #[error("the client cancelled")]
    Cancelled,
    /// Not base64 (501 5.5.2, BAD).
    #[error("the response is not base64")]
    NotBase64,
    /// The mechanism's own syntax is violated (501 5.5.2, BAD).
    #[error("the response is not what the mechanism sends")]
    Malformed,
    /// It asks to act as somebody else, which nobody may (535 5.7.8, NO).
    #[error("the client asks to act as another user")]
    ActsAsAnother,
}

/// An exchange that waits for the client's next line.
#[derive(Debug)]
pub struct Exchange(State);

#[derive(Debug)]
enum State {
    Plain,
    Login(login::State),
}

impl Mechanism {
    /// What is announced, best first.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Login];

    /// Finds a mechanism by the name that a client sent, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// Its registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }

    /// Begins an exchange. `initial` is the initial response as it was sent: base64, `=` for an empty one
    /// (RFC 4954 §4, RFC 4959 §3).
    pub fn start(self, initial: Option<&[u8]>) -> Step {
        let exchange = match self {
            Self::Plain => Exchange(State::Plain),
            Self::Login => Exchange(State::Login(login::State::Name)),
        };
        match initial {
            Some(b"=") => exchange.decoded(&[]),
            Some(line) => exchange.answer(line),
            None => {
                let challenge = match self {
                    Self::Plain => String::new(),
                    Self::Login => login::ASK_NAME.to_owned(),
                };
                Step::Challenge(challenge, exchange)
            }
        }
    }
}

impl Exchange {
    /// Takes the client's next line, without its line end.
    pub fn answer(self, line: &[u8]) -> Step {
        if line == b"*" {
            return Step::Failed(SaslError::Cancelled);
        }
        match STANDARD.decode(line).map(zeroize::Zeroizing::new) {
            Ok(response) => self.decoded(&response),
            Err(_) => Step::Failed(SaslError::NotBase64),
        }
    }

    fn decoded(self, response: &[u8]) -> Step {
        match self.0 {
            State::Plain => plain::step(response),
            State::Login(state) => state.step(response),
        }
    }
}

#[cfg(test)]
mod tests;
