use super::{Exchange, SaslError, Step};
use crate::{Credentials, Password};

/// `Username:` in base64. The words mean nothing to the protocol and everything to old clients.
pub(super) const ASK_NAME: &str = "VXNlcm5hbWU6";
/// `Password:` in base64.
const ASK_PASSWORD: &str = "UGFzc3dvcmQ6";

/// Where an exchange of LOGIN stands.
#[derive(Debug)]
pub(super) enum State {
    /// The name is awaited.
    Name,
    /// The password for this name is awaited.
    Password(String),
}

impl State {
    pub(super) fn step(self, response: &[u8]) -> Step {
        match self {
            Self::Name => match str::from_utf8(response) {
                Ok(login) if !login.is_empty() => Step::Challenge(
                    ASK_PASSWORD.to_owned(),
                    Exchange(super::State::Login(Self::Password(login.to_owned()))),
                ),
                _ => Step::Failed(SaslError::Malformed),
            },
            Self::Password(login) => match Password::new(response) {
                Ok(password) => Step::Complete(Credentials { login, password }),
                Err(_) => Step::Failed(SaslError::Malformed),
            },
        }
    }
}
