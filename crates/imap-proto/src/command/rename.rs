//! RENAME: renames a mailbox and its children (RFC 3501 §6.3.5).

use super::Request;
use crate::MailboxArgument;
use crate::cursor::{Cursor, SyntaxError};

/// `rename = "RENAME" SP mailbox SP mailbox` (RFC 3501 §9)
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    let from = MailboxArgument::parse(cursor)?;
    cursor.space()?;
    Ok(Request::Rename { from, to: MailboxArgument::parse(cursor)? })
}
