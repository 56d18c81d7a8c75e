//! LOGIN (draft-murchison-sasl-login): the name, then the password, each as it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::{Credentials, Password, SaslError};

/// `Username:` in base64. The protocol ignores the words, but old clients depend on them.
pub(crate) const NAME_CHALLENGE: &str = "VXNlcm5hbWU6";
/// `Password:` in base64.
pub(crate) const PASSWORD_CHALLENGE: &str = "UGFzc3dvcmQ6";

/// Reads the response to the first challenge.
pub(crate) fn name(response: &[u8]) -> Result<String, SaslError> {
    match str::from_utf8(response) {
        Ok(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(SaslError::Malformed),
    }
}

/// Reads the response to the second challenge.
pub(crate) fn password(login: String, response: &[u8]) -> Result<Credentials, SaslError> {
    let password = Password::new(response).map_err(|_| SaslError::InvalidPassword)?;
    Ok(Credentials { login, password })
}

impl Credentials {
    /// The client's side of LOGIN: its responses to the two challenges, whatever their words are, in base64. They are
    /// not encrypted.
    pub fn login_responses(&self) -> [Zeroizing<String>; 2] {
        [self.login.as_bytes(), self.password.octets()].map(|answer| Zeroizing::new(STANDARD.encode(answer)))
    }
}
