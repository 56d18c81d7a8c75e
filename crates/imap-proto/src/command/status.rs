//! STATUS: the figures of a mailbox, selected or not (RFC 3501 §6.3.10).

use super::Request;
use crate::MailboxArgument;
use crate::cursor::{Cursor, SyntaxError};

/// A request for figures of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The mailbox.
    pub mailbox: MailboxArgument,
    /// The figures, each once, in the requested order.
    pub items: Vec<StatusItem>,
}

/// A figure of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusItem {
    /// Number of messages.
    Messages,
    /// Number of recent messages.
    Recent,
    /// The next UID.
    UidNext,
    /// The UIDVALIDITY.
    UidValidity,
    /// Number of messages that are not seen.
    Unseen,
    /// Number of octets that EXPUNGE would free (RFC 9208 §4.1.4).
    DeletedStorage,
}

impl StatusItem {
    /// The item as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            StatusItem::Messages => "MESSAGES",
            StatusItem::Recent => "RECENT",
            StatusItem::UidNext => "UIDNEXT",
            StatusItem::UidValidity => "UIDVALIDITY",
            StatusItem::Unseen => "UNSEEN",
            StatusItem::DeletedStorage => "DELETED-STORAGE",
        }
    }

    /// `status-att = "MESSAGES" / "RECENT" / "UIDNEXT" / "UIDVALIDITY" / "UNSEEN"` (RFC 3501 §9),
    /// `status-att =/ "DELETED-STORAGE"` (RFC 9208 §6)
    fn parse(cursor: &mut Cursor<'_>) -> Result<StatusItem, SyntaxError> {
        const KNOWN: [StatusItem; 6] = [
            StatusItem::Messages,
            StatusItem::Recent,
            StatusItem::UidNext,
            StatusItem::UidValidity,
            StatusItem::Unseen,
            StatusItem::DeletedStorage,
        ];
        let wrong = cursor.error("a status data item, such as MESSAGES");
        let word = cursor.word(wrong.expected)?;
        KNOWN.into_iter().find(|item| item.as_str().as_bytes() == word).ok_or(wrong)
    }
}

/// `status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"` (RFC 3501 §9)
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    let mailbox = MailboxArgument::parse(cursor)?;
    cursor.space()?;
    Ok(Request::Status(Status { mailbox, items: parse_items(cursor)? }))
}

/// `"(" status-att *(SP status-att) ")"`, each figure kept once.
pub(super) fn parse_items(cursor: &mut Cursor<'_>) -> Result<Vec<StatusItem>, SyntaxError> {
    cursor.expect(b'(', "a list of status data items")?;
    let mut items = Vec::new();
    loop {
        let item = StatusItem::parse(cursor)?;
        if !items.contains(&item) {
            items.push(item);
        }
        if !cursor.accept(b' ') {
            cursor.expect(b')', "the end of the status data items")?;
            return Ok(items);
        }
    }
}
