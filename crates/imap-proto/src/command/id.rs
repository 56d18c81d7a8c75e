//! ID: who client and server are (RFC 2971).

use super::Request;
use crate::cursor::{Cursor, SyntaxError};

/// RFC 2971 §3.3: at most thirty pairs.
const MAX_PAIRS: usize = 30;

/// ```abnf
/// id             = "ID" SP id-params-list
/// id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil
/// ```
/// (RFC 2971 §4; an empty list is sent by some clients in place of NIL.)
///
/// The pairs are read and let go: nothing may depend on what a client calls itself (RFC 2971 §3).
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    if cursor.accept_ignoring_case(b"NIL") {
        return Ok(Request::Id);
    }
    cursor.expect(b'(', "a list or NIL")?;
    let mut pairs = 0;
    while !cursor.accept(b')') {
        if pairs > 0 {
            cursor.space()?;
        }
        cursor.string()?;
        cursor.space()?;
        cursor.nstring()?;
        pairs += 1;
        if pairs > MAX_PAIRS {
            return Err(cursor.error("at most thirty pairs"));
        }
    }
    Ok(Request::Id)
}
