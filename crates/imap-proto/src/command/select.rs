//! SELECT and EXAMINE: open a mailbox, read-write or read-only (RFC 3501 §6.3.1 and §6.3.2).

use super::Request;
use crate::MailboxArgument;
use crate::cursor::{Cursor, SyntaxError};

/// `select = "SELECT" SP mailbox` (RFC 3501 §9)
pub(super) fn parse_select(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    MailboxArgument::parse(cursor).map(Request::Select)
}

/// `examine = "EXAMINE" SP mailbox` (RFC 3501 §9)
pub(super) fn parse_examine(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    MailboxArgument::parse(cursor).map(Request::Examine)
}
