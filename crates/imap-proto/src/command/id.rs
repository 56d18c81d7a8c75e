//! ID: identifies client and server to each other (RFC 2971).

use super::Request;
use crate::Tag;
use crate::cursor::{Cursor, SyntaxError};
use crate::tag::MAX_TAG;

/// RFC 2971 §3.3: at most thirty pairs.
const MAX_PAIRS: usize = 30;

/// The longest ID: thirty pairs of a field of 30 octets and a value of 1,024 (RFC 2971 §3.3), as quoted strings or as
/// literals, with the tag. A client may send it before it has logged in, when other commands are shorter.
pub(crate) const MAX_OCTETS: usize = 36 * 1024;

/// Number of octets of a command that are enough to recognise an ID.
pub(crate) const HEAD: usize = MAX_TAG + 4;

/// Returns true if the beginning of a command is that of an ID.
pub(crate) fn begins(head: &[u8]) -> bool {
    let mut cursor = Cursor::new(head);
    Tag::parse(&mut cursor).is_ok() && cursor.accept_ignoring_case(b" ID ")
}

/// ```abnf
/// id             = "ID" SP id-params-list
/// id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil
/// ```
/// (RFC 2971 §4; some clients send an empty list in place of NIL.)
///
/// The pairs are parsed and dropped: the server must not depend on the name of a client (RFC 2971 §3).
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
