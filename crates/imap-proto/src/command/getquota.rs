//! GETQUOTA: the limits of a quota root (RFC 9208 §4.1.1).

use super::Request;
use crate::cursor::{Cursor, SyntaxError};

/// ```abnf
/// getquota        = "GETQUOTA" SP quota-root-name
/// quota-root-name = astring
/// ```
/// (RFC 9208 §6)
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    Ok(Request::GetQuota(cursor.astring()?))
}
