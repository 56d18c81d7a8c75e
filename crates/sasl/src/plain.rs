//! PLAIN (RFC 4616): one message, read and written here.
//!
//! ```abnf
//! message   = [authzid] UTF8NUL authcid UTF8NUL passwd
//! authcid   = 1*SAFE ; MUST accept up to 255 octets
//! authzid   = 1*SAFE ; MUST accept up to 255 octets
//! passwd    = 1*SAFE ; MUST accept up to 255 octets
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::{Credentials, Password, PasswordError, SaslError};

/// The challenge of the server is empty (RFC 4616 §2).
pub(crate) const CHALLENGE: &str = "";

/// Reads the message.
///
/// An authorisation identity is accepted when it is the login itself; a user cannot act for another.
pub(crate) fn read(message: &[u8]) -> Result<Credentials, SaslError> {
    let mut fields = message.splitn(3, |octet| *octet == 0);
    let (Some(authzid), Some(login), Some(password)) = (fields.next(), fields.next(), fields.next()) else {
        return Err(SaslError::Malformed);
    };
    let (Ok(authzid), Ok(login)) = (str::from_utf8(authzid), str::from_utf8(login)) else {
        return Err(SaslError::Malformed);
    };
    if login.is_empty() {
        return Err(SaslError::Malformed);
    }
    let password = Password::new(password).map_err(|error| match error {
        PasswordError::Empty | PasswordError::Nul => SaslError::Malformed,
        PasswordError::TooLong(_) => SaslError::InvalidPassword,
    })?;
    if !authzid.is_empty() && authzid != login {
        return Err(SaslError::AuthzidMismatch);
    }
    Ok(Credentials { login: login.to_owned(), password })
}

impl Credentials {
    /// The client's side of PLAIN: its initial response, in base64. It is not encrypted.
    pub fn plain_response(&self) -> Zeroizing<String> {
        let fields: [&[u8]; 3] = [b"", self.login.as_bytes(), self.password.octets()];
        let message = Zeroizing::new(fields.join(&0));
        Zeroizing::new(STANDARD.encode(&*message))
    }
}
