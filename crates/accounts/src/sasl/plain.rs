use super::{SaslError, Step};
use crate::{Credentials, Password};

/// Reads the only message of PLAIN (RFC 4616 §2):
///
/// ```text
/// message   = [authzid] UTF8NUL authcid UTF8NUL passwd
/// ```
///
/// An authorisation identity is accepted when it is the login itself; nobody acts for another here.
pub(super) fn step(message: &[u8]) -> Step {
    let mut fields = message.splitn(3, |octet| *octet == 0);
    let (Some(acts_as), Some(login), Some(password)) = (fields.next(), fields.next(), fields.next()) else {
        return Step::Failed(SaslError::Malformed);
    };
    let (Ok(acts_as), Ok(login)) = (str::from_utf8(acts_as), str::from_utf8(login)) else {
        return Step::Failed(SaslError::Malformed);
    };
    let Ok(password) = Password::new(password) else {
        return Step::Failed(SaslError::Malformed);
    };
    if login.is_empty() {
        return Step::Failed(SaslError::Malformed);
    }
    if !acts_as.is_empty() && acts_as != login {
        return Step::Failed(SaslError::ActsAsAnother);
    }
    Step::Complete(Credentials { login: login.to_owned(), password })
}
