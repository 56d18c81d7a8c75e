//! ENABLE: enables extensions that change what the server sends unasked (RFC 5161).

use super::Request;
use crate::cursor::{Cursor, SyntaxError};

/// ```abnf
/// enable     = "ENABLE" 1*(SP capability)
/// capability = atom
/// ```
/// (RFC 5161 §4)
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    let mut names = Vec::new();
    cursor.space()?;
    loop {
        names.push(String::from_utf8_lossy(&cursor.word("a capability")?).into_owned());
        if !cursor.accept(b' ') {
            return Ok(Request::Enable(names));
        }
    }
}
