//! GETQUOTAROOT: the quota roots of a mailbox and their limits (RFC 9208 §4.1.2).

use super::Request;
use crate::MailboxArgument;
use crate::cursor::{Cursor, SyntaxError};

/// `getquotaroot = "GETQUOTAROOT" SP mailbox` (RFC 9208 §6)
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    MailboxArgument::parse(cursor).map(Request::GetQuotaRoot)
}
