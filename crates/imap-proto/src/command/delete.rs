//! DELETE: removes a mailbox (RFC 3501 §6.3.4).

use super::Request;
use crate::MailboxArgument;
use crate::cursor::{Cursor, SyntaxError};

/// `delete = "DELETE" SP mailbox` (RFC 3501 §9)
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    MailboxArgument::parse(cursor).map(Request::Delete)
}
