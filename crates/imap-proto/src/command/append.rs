//! APPEND: stores a message from the client in a mailbox (RFC 3501 §6.3.11).
//!
//! The message is a literal of many megabytes, so this command is read in two steps: up to the literal's announcement,
//! after which the server accepts or refuses the message, and the octets themselves, which are never held in memory as
//! a whole.

use super::{CommandError, LiteralHeader, Malformed};
use crate::cursor::{Cursor, SyntaxError};
use crate::flag::RecentPolicy;
use crate::{DateTime, Flag, MailboxArgument, Tag};

/// An APPEND whose message has been announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The client's tag.
    pub tag: Tag,
    /// The target mailbox.
    pub mailbox: MailboxArgument,
    /// The flags of the message.
    pub flags: Vec<Flag>,
    /// The internal date of the message; `None` for the current time.
    pub date: Option<DateTime>,
    /// The announcement of the message's octets, which follow.
    pub message: LiteralHeader,
}

/// Parses a command up to the announcement of a literal: the APPEND if this literal is its message, `None` if it is
/// another string, which is collected with its command.
///
/// ```abnf
/// append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal
/// ```
/// (RFC 3501 §9)
pub fn parse_header(octets: &[u8]) -> Result<Option<Append>, Malformed> {
    let mut cursor = Cursor::new(octets);
    let Ok(tag) = Tag::parse(&mut cursor) else { return Ok(None) };
    if !cursor.accept_ignoring_case(b" APPEND ") || mailbox_is_announced(&cursor) {
        return Ok(None);
    }
    let append = arguments(&mut cursor, &tag);
    append.map(Some).map_err(|error| Malformed { tag: Some(tag), error: CommandError::Syntax(error) })
}

/// Returns true if the announcement at the end is that of the mailbox's name.
fn mailbox_is_announced(cursor: &Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    ahead.literal_header().is_ok() && ahead.end().is_ok()
}

fn arguments(cursor: &mut Cursor<'_>, tag: &Tag) -> Result<Append, SyntaxError> {
    let mailbox = MailboxArgument::parse(cursor)?;
    cursor.space()?;
    let mut flags = Vec::new();
    if cursor.peek() == Some(b'(') {
        flags = Flag::parse_list(cursor, RecentPolicy::Ignored)?;
        cursor.space()?;
    }
    let mut date = None;
    if cursor.peek() == Some(b'"') {
        date = Some(DateTime::parse(cursor)?);
        cursor.space()?;
    }
    let message = cursor.literal_header()?;
    cursor.end()?;
    Ok(Append { tag: tag.clone(), mailbox, flags, date, message })
}

/// The error in an APPEND whose line ends without a message.
pub(super) fn without_message(cursor: &mut Cursor<'_>) -> SyntaxError {
    let read = |cursor: &mut Cursor<'_>| -> Result<(), SyntaxError> {
        cursor.space()?;
        MailboxArgument::parse(cursor)?;
        cursor.space()
    };
    read(cursor).err().unwrap_or_else(|| cursor.error("flags, a date and the message as a literal"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(text: &str) -> Option<Append> {
        parse_header(text.as_bytes()).unwrap()
    }

    #[test]
    fn all_arguments_before_the_message_are_parsed() {
        let read = append("a append Sent (\\Seen $Mine) \" 7-Feb-1994 21:52:25 -0800\" {310}").unwrap();
        assert_eq!(read.mailbox.name().unwrap().as_str(), "Sent");
        assert_eq!(read.flags.len(), 2);
        assert_eq!(read.date.unwrap().seconds, 760_686_745);
        assert_eq!(read.message, LiteralHeader { size: 310, synchronising: true });
    }

    #[test]
    fn flags_and_date_may_be_missing() {
        let read = append("a APPEND inbox {5000000000+}").unwrap();
        assert!(read.mailbox.name().unwrap().is_inbox() && read.flags.is_empty() && read.date.is_none());
        assert_eq!(read.message, LiteralHeader { size: 5_000_000_000, synchronising: false });
    }

    #[test]
    fn a_mailbox_name_in_a_literal_is_not_the_message() {
        assert_eq!(append("a APPEND {5}"), None);
        assert_eq!(append("a APPEND {5}\r\nINBOX () {3}").unwrap().message.size, 3);
        assert_eq!(append("a LOGIN {3}"), None);
    }

    #[test]
    fn a_syntax_error_before_the_message_has_its_position() {
        let malformed = parse_header(b"a APPEND INBOX (\\Odd) {3}").unwrap_err();
        assert_eq!(malformed.tag.unwrap().as_str(), "a");
        assert!(matches!(malformed.error, CommandError::Syntax(SyntaxError { at: 16, .. })));
    }
}
