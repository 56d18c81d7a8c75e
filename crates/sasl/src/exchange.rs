use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::{Credentials, SaslError, login, plain};

/// The step that follows from the client's response.
#[derive(Debug)]
pub enum ExchangeStep {
    /// Send this challenge (already in base64), then pass the client's response to the exchange.
    Challenge(String, Exchange),
    /// The client has sent its credentials.
    Complete(Credentials),
    /// The exchange is over without credentials.
    Failed(SaslError),
}

/// An exchange that waits for the client's next line.
#[derive(Debug)]
pub struct Exchange(AwaitedResponse);

#[derive(Debug)]
enum AwaitedResponse {
    /// The only message of PLAIN.
    Plain,
    /// The name of LOGIN.
    LoginName,
    /// The password of LOGIN, for this name.
    LoginPassword(String),
}

impl Exchange {
    pub(crate) fn plain() -> Self {
        Self(AwaitedResponse::Plain)
    }

    pub(crate) fn login() -> Self {
        Self(AwaitedResponse::LoginName)
    }

    /// Returns the challenge for the response that is awaited.
    pub(crate) fn challenge(self) -> ExchangeStep {
        let challenge = match self.0 {
            AwaitedResponse::Plain => plain::CHALLENGE,
            AwaitedResponse::LoginName => login::NAME_CHALLENGE,
            AwaitedResponse::LoginPassword(_) => login::PASSWORD_CHALLENGE,
        };
        ExchangeStep::Challenge(challenge.to_owned(), self)
    }

    /// Processes the initial response: `base64 / "="` (RFC 4954 §8). It cannot cancel.
    pub(crate) fn initial(self, response: &[u8]) -> ExchangeStep {
        match response {
            b"=" => self.decoded(&[]),
            base64 => self.encoded(base64),
        }
    }

    /// Processes the client's next line, without its line end: `[base64]`, or `*` to cancel (RFC 4954 §8).
    pub fn respond(self, line: &[u8]) -> ExchangeStep {
        match line {
            b"*" => ExchangeStep::Failed(SaslError::Cancelled),
            base64 => self.encoded(base64),
        }
    }

    fn encoded(self, base64: &[u8]) -> ExchangeStep {
        match STANDARD.decode(base64).map(Zeroizing::new) {
            Ok(response) => self.decoded(&response),
            Err(_) => ExchangeStep::Failed(SaslError::NotBase64),
        }
    }

    fn decoded(self, response: &[u8]) -> ExchangeStep {
        let step = match self.0 {
            AwaitedResponse::Plain => plain::read(response).map(ExchangeStep::Complete),
            AwaitedResponse::LoginName => {
                login::name(response).map(|name| Self(AwaitedResponse::LoginPassword(name)).challenge())
            }
            AwaitedResponse::LoginPassword(name) => {
                login::password(name, response).map(ExchangeStep::Complete)
            }
        };
        step.unwrap_or_else(ExchangeStep::Failed)
    }
}
