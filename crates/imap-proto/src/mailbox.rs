//! Names of mailboxes, and the patterns of LIST.
//!
//! A name is Unicode here and modified UTF-7 on the wire (RFC 3501 §5.1.3). An existing name has one spelling: octets
//! that decode but would be encoded differently name no mailbox, so that no two names on the wire are one mailbox.

pub mod utf7;

use std::fmt;

use crate::cursor::{Cursor, SyntaxError};

/// The character between the levels of a name. It differs on disk; see the server's Maildir code.
pub const SEPARATOR: char = '/';

/// The mailbox that every user has (RFC 3501 §5.1).
pub const INBOX: &str = "INBOX";

/// The longest name, in octets of UTF-8. Longer ones cannot be the name of a folder on any disk.
const MAX_NAME: usize = 1000;

/// A mailbox's name, decoded and in its one form: `INBOX` and the first level of `INBOX/…` are in upper case, without a
/// separator at the end. Not empty, without control characters. Levels may still be empty (`a//b`, `/a`): CREATE
/// decides whether such a mailbox can exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxName(String);

impl MailboxName {
    /// `INBOX`.
    pub fn inbox() -> MailboxName {
        MailboxName(INBOX.to_owned())
    }

    /// The text as a name, if it is valid.
    pub fn new(text: &str) -> Option<MailboxName> {
        let text = quirk_trailing_separator(text);
        let fits = !text.is_empty() && text.len() <= MAX_NAME && !text.contains(char::is_control);
        fits.then(|| MailboxName(inbox_in_upper_case(text).unwrap_or_else(|| text.to_owned())))
    }

    /// The name encoded by these octets in modified UTF-7.
    pub fn decode(octets: &[u8]) -> Option<MailboxName> {
        utf7::decode(octets).and_then(|text| MailboxName::new(&text))
    }

    /// The name in modified UTF-7.
    pub fn encode(&self) -> String {
        utf7::encode(&self.0)
    }

    /// The decoded name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if it is INBOX itself.
    pub fn is_inbox(&self) -> bool {
        self.0 == INBOX
    }

    /// The name one level up, if there is one.
    pub fn parent(&self) -> Option<MailboxName> {
        self.0.rsplit_once(SEPARATOR).and_then(|(parent, _)| MailboxName::new(parent))
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Removes a separator at the end. RFC 3501 §6.3.3 allows it only for CREATE, where it declares that the mailbox will
/// have children. Clients that sent it with CREATE also send it with DELETE, RENAME and SUBSCRIBE, and mean the same
/// mailbox.
fn quirk_trailing_separator(text: &str) -> &str {
    text.strip_suffix(SEPARATOR).unwrap_or(text)
}

/// The text with INBOX, alone or as its first level, in upper case, if it begins with it in any case (RFC 3501 §5.1).
fn inbox_in_upper_case(text: &str) -> Option<String> {
    let (first, below) = text.split_at_checked(INBOX.len())?;
    let is_level = below.is_empty() || below.starts_with(SEPARATOR);
    (is_level && first.eq_ignore_ascii_case(INBOX)).then(|| format!("{INBOX}{below}"))
}

/// The mailbox that a command names. A client may send any string, and not every string is a name: one that is not
/// modified UTF-7 (`R&D`, or UTF-8 without UTF8=ACCEPT) names a mailbox that does not exist, and is not a syntax error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxArgument {
    /// A valid name.
    Name(MailboxName),
    /// The string is not a valid name.
    Invalid,
}

impl MailboxArgument {
    /// ```abnf
    /// mailbox = "INBOX" / astring
    /// ```
    /// INBOX is case-insensitive (RFC 3501 §9).
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<MailboxArgument, SyntaxError> {
        Ok(MailboxName::decode(&cursor.mailbox()?).map_or(MailboxArgument::Invalid, MailboxArgument::Name))
    }

    /// The name, if it is one.
    pub fn name(&self) -> Option<&MailboxName> {
        match self {
            MailboxArgument::Name(name) => Some(name),
            MailboxArgument::Invalid => None,
        }
    }
}

/// A pattern of LIST or LSUB, decoded: `*` matches anything, `%` anything within one level (RFC 3501 §6.3.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// True if it is modified UTF-7. Otherwise it matches no name.
    is_decoded: bool,
}

/// Maximum number of wildcards in one pattern. Each costs a walk over the name, so their number is bounded.
pub(crate) const MAX_WILDCARDS: usize = 32;

impl Pattern {
    /// The pattern encoded by these octets in modified UTF-7. It may be empty. A pattern that is not modified UTF-7
    /// matches no name, since no name is encoded so. `None` for a pattern that costs too much.
    pub fn decode(octets: &[u8]) -> Option<Pattern> {
        let decoded = utf7::decode(octets);
        let is_decoded = decoded.is_some();
        let text = decoded.unwrap_or_else(|| String::from_utf8_lossy(octets).into_owned());
        let pattern = Pattern { text, is_decoded };
        (pattern.text.len() <= MAX_NAME && pattern.wildcards() <= MAX_WILDCARDS).then_some(pattern)
    }

    /// The number of its wildcards.
    pub(crate) fn wildcards(&self) -> usize {
        self.text.chars().filter(|letter| matches!(letter, '*' | '%')).count()
    }

    /// The decoded text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The pattern with the reference of LIST before it: the two are one text (RFC 3501 §6.3.8).
    pub fn with_reference(&self, reference: &Pattern) -> Pattern {
        Pattern {
            text: format!("{}{}", reference.text, self.text),
            is_decoded: reference.is_decoded && self.is_decoded,
        }
    }

    /// Returns true if the pattern matches the whole name. INBOX matches in any case.
    pub fn matches(&self, name: &MailboxName) -> bool {
        let fits_as = |text: &str| matches_wildcards(text.as_bytes(), name.0.as_bytes());
        self.is_decoded && (fits_as(&self.text) || self.for_inbox().is_some_and(|text| fits_as(&text)))
    }

    /// The pattern with its INBOX part in upper case: the letters before its first wildcard, if INBOX begins with them,
    /// or is their first level.
    fn for_inbox(&self) -> Option<String> {
        let literal = self.text.find(['*', '%']).map_or(&*self.text, |end| &self.text[..end]);
        if let Some(mut text) = inbox_in_upper_case(literal) {
            text.push_str(&self.text[literal.len()..]);
            return Some(text);
        }
        let begins = INBOX.get(..literal.len())?;
        begins.eq_ignore_ascii_case(literal).then(|| format!("{begins}{}", &self.text[literal.len()..]))
    }
}

/// Wildcard matching over the positions in the name at which the pattern so far can end. The pattern is split into runs
/// of literal octets between its wildcards; each wildcard and each run costs one walk over the name, so the work is
/// bounded by the wildcards times the name's length, for any pattern.
fn matches_wildcards(pattern: &[u8], name: &[u8]) -> bool {
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    let mut rest = pattern;
    while let Some(first) = rest.first() {
        if matches!(first, b'*' | b'%') {
            rest = &rest[1..];
            for end in 1..=name.len() {
                let passes = *first == b'*' || name[end - 1] != SEPARATOR as u8;
                reached[end] |= reached[end - 1] && passes;
            }
        } else {
            let length = rest.iter().position(|octet| matches!(octet, b'*' | b'%')).unwrap_or(rest.len());
            let (literal, after) = rest.split_at(length);
            rest = after;
            let ends: Vec<usize> = occurrences(literal, name).filter(|end| reached[end - length]).collect();
            reached.fill(false);
            ends.into_iter().for_each(|end| reached[end] = true);
        }
    }
    reached[name.len()]
}

/// The positions at which a non-empty literal ends in the name, also overlapping ones, by the method of Knuth, Morris
/// and Pratt.
fn occurrences<'a>(literal: &'a [u8], name: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let borders = borders(literal);
    let mut matched = 0;
    name.iter().enumerate().filter_map(move |(at, octet)| {
        if matched == literal.len() {
            matched = borders[matched - 1];
        }
        while matched > 0 && literal[matched] != *octet {
            matched = borders[matched - 1];
        }
        matched += usize::from(literal[matched] == *octet);
        (matched == literal.len()).then_some(at + 1)
    })
}

/// For each prefix of the literal, the length of its longest shorter prefix that is also a suffix.
fn borders(literal: &[u8]) -> Vec<usize> {
    let mut borders = vec![0; literal.len()];
    let mut border = 0;
    for at in 1..literal.len() {
        while border > 0 && literal[border] != literal[at] {
            border = borders[border - 1];
        }
        border += usize::from(literal[border] == literal[at]);
        borders[at] = border;
    }
    borders
}

#[cfg(test)]
mod tests;
