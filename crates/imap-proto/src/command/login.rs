//! LOGIN: name and password in clear (RFC 3501 §6.2.3).

use super::Request;
use crate::cursor::{Cursor, SyntaxError};

/// A name and a password, as octets. The accounts decide about their encoding.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub user: Vec<u8>,
    /// The password.
    pub password: Vec<u8>,
}

impl std::fmt::Debug for Login {
    /// Never shows the password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let user = String::from_utf8_lossy(&self.user);
        formatter.debug_struct("Login").field("user", &user).finish_non_exhaustive()
    }
}

/// ```abnf
/// login    = "LOGIN" SP userid SP password
/// userid   = astring
/// password = astring
/// ```
/// (RFC 3501 §9)
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    let user = cursor.astring()?;
    cursor.space()?;
    Ok(Request::Login(Login { user, password: cursor.astring()? }))
}
