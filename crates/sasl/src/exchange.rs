use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::{Credentials, SaslError, login, plain};

/// The step that follows from the client's response.
#[derive(Debug)]
pub enum Step {
    /// Send this challenge (already in base64), then pass the client's response to the exchange.
    Challenge(String, Exchange),
    /// The client has sent its credentials.
    Complete(Credentials),
    /// The exchange is over without credentials.
    Failed(SaslError),
}

/// An exchange that waits for the client's next line.
#[derive(Debug)]
pub struct Exchange(Awaits);

#[derive(Debug)]
enum Awaits {
    /// The only message of PLAIN.
    Plain,
    /// The name of LOGIN.
    LoginName,
    /// The password of LOGIN, for this name.
    LoginPassword(String),
}

impl Exchange {
    pub(crate) fn plain() -> Self {
        Self(Awaits::Plain)
    }

    pub(crate) fn login() -> Self {
        Self(Awaits::LoginName)
    }

    /// Returns the challenge for the response that is awaited.
    pub(crate) fn ask(self) -> Step {
        let challenge = match self.0 {
            Awaits::Plain => plain::CHALLENGE,
            Awaits::LoginName => login::ASK_NAME,
            Awaits::LoginPassword(_) => login::ASK_PASSWORD,
        };
        Step::Challenge(challenge.to_owned(), self)
    }

    /// Processes the initial response: `base64 / "="` (RFC 4954 §8). It cannot cancel.
    pub(crate) fn initial(self, response: &[u8]) -> Step {
        match response {
            b"=" => self.decoded(&[]),
            base64 => self.encoded(base64),
        }
    }

    /// Processes the client's next line, without its line end: `[base64]`, or `*` to cancel (RFC 4954 §8).
    pub fn answer(self, line: &[u8]) -> Step {
        match line {
            b"*" => Step::Failed(SaslError::Cancelled),
            base64 => self.encoded(base64),
        }
    }

    fn encoded(self, base64: &[u8]) -> Step {
        match STANDARD.decode(base64).map(Zeroizing::new) {
            Ok(response) => self.decoded(&response),
            Err(_) => Step::Failed(SaslError::NotBase64),
        }
    }

    fn decoded(self, response: &[u8]) -> Step {
        let step = match self.0 {
            Awaits::Plain => plain::read(response).map(Step::Complete),
            Awaits::LoginName => login::name(response).map(|name| Self(Awaits::LoginPassword(name)).ask()),
            Awaits::LoginPassword(name) => login::password(name, response).map(Step::Complete),
        };
        step.unwrap_or_else(Step::Failed)
    }
}
