//! LIST and LSUB: which mailboxes there are, and which are subscribed (RFC 3501 §6.3.8 and §6.3.9).

use super::Request;
use crate::cursor::{Cursor, SyntaxError};
use crate::mailbox::Pattern;

/// Which names are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// From where the pattern is seen.
    pub reference: Pattern,
    /// The pattern. Empty, it asks for the separator alone (RFC 3501 §6.3.8).
    pub pattern: Pattern,
}

/// `list = "LIST" SP mailbox SP list-mailbox` (RFC 3501 §9)
pub(super) fn parse_list(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    parse(cursor).map(Request::List)
}

/// `lsub = "LSUB" SP mailbox SP list-mailbox` (RFC 3501 §9)
pub(super) fn parse_lsub(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    parse(cursor).map(Request::Lsub)
}

fn parse(cursor: &mut Cursor<'_>) -> Result<List, SyntaxError> {
    cursor.space()?;
    let at = cursor.position();
    let wrong = SyntaxError { at, expected: "a pattern in modified UTF-7 with few wildcards" };
    let reference = Pattern::decode(&cursor.astring()?).ok_or(wrong)?;
    cursor.space()?;
    let at = cursor.position();
    let pattern = Pattern::decode(&cursor.list_mailbox()?).ok_or(SyntaxError { at, ..wrong })?;
    Ok(List { reference, pattern })
}
