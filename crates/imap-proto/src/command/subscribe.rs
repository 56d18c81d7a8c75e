//! SUBSCRIBE and UNSUBSCRIBE: change the list of mailboxes that a client shows (RFC 3501 §6.3.6 and §6.3.7).

use super::Request;
use crate::MailboxArgument;
use crate::cursor::{Cursor, SyntaxError};

/// `subscribe = "SUBSCRIBE" SP mailbox` (RFC 3501 §9)
pub(super) fn parse_subscribe(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    MailboxArgument::parse(cursor).map(Request::Subscribe)
}

/// `unsubscribe = "UNSUBSCRIBE" SP mailbox` (RFC 3501 §9)
pub(super) fn parse_unsubscribe(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    MailboxArgument::parse(cursor).map(Request::Unsubscribe)
}
