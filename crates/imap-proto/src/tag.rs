//! The tag of a command, by which a client recognises the reply.

use std::fmt;

use crate::cursor::{Cursor, SyntaxError, is_astring_char};

/// The longest tag that we repeat. Clients use fewer than ten octets; an endless one must not fill the responses.
pub(crate) const MAX_TAG: usize = 64;

/// A command's tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag(String);

impl Tag {
    /// `tag = 1*<any ASTRING-CHAR except "+">` (RFC 3501 §9). The tag is parsed again at each literal of its command,
    /// so only as many octets as it may have are examined. Octets that do not end at a space are not a tag: they are
    /// not repeated, since the client would not recognise them.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Tag, SyntaxError> {
        let start = cursor.position();
        let octets = cursor.take_up_to(MAX_TAG + 1, |octet| is_astring_char(octet) && octet != b'+');
        let is_whole = matches!(cursor.peek(), None | Some(b' '));
        if octets.is_empty() || octets.len() > MAX_TAG || !is_whole {
            return Err(SyntaxError { at: start, expected: "a tag" });
        }
        Ok(Tag(String::from_utf8_lossy(octets).into_owned()))
    }

    /// The tag as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
