//! Names of mailboxes, and the patterns of LIST.
//!
//! A name is Unicode here and modified UTF-7 on the wire (RFC 3501 §5.1.3). A name that exists has one spelling: what
//! decodes but would be written otherwise is refused, so that no two names on the wire are one mailbox.

pub mod utf7;

use std::fmt;

use crate::cursor::{Cursor, SyntaxError};

/// What stands between the levels of a name, as it does in the folders of a Maildir++.
pub const SEPARATOR: char = '.';

/// The mailbox that every user has (RFC 3501 §5.1).
pub const INBOX: &str = "INBOX";

/// The longest name, in octets of UTF-8. Longer ones do not become a folder's name on any disk.
const MAX_NAME: usize = 1000;

/// A mailbox's name, decoded. Not empty, without control characters; `INBOX` is in upper case. Levels may still be empty
/// (`a..b`, `a.`): whether such a mailbox can be is for CREATE to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxName(String);

impl MailboxName {
    /// `INBOX`.
    pub fn inbox() -> MailboxName {
        MailboxName(INBOX.to_owned())
    }

    /// The text as a name, if it can be one.
    pub fn new(text: &str) -> Option<MailboxName> {
        let fits = !text.is_empty() && text.len() <= MAX_NAME && !text.contains(char::is_control);
        fits.then(|| {
            if text.eq_ignore_ascii_case(INBOX) { MailboxName::inbox() } else { MailboxName(text.to_owned()) }
        })
    }

    /// The name that these octets spell in modified UTF-7.
    pub fn decode(octets: &[u8]) -> Option<MailboxName> {
        utf7::decode(octets).and_then(|text| MailboxName::new(&text))
    }

    /// The name in modified UTF-7.
    pub fn encode(&self) -> String {
        utf7::encode(&self.0)
    }

    /// ```abnf
    /// mailbox = "INBOX" / astring
    /// ```
    /// INBOX is case-insensitive (RFC 3501 §9).
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<MailboxName, SyntaxError> {
        let at = cursor.position();
        let octets = cursor.astring()?;
        MailboxName::decode(&octets).ok_or(SyntaxError { at, expected: "a mailbox name in modified UTF-7" })
    }

    /// The decoded name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is INBOX itself.
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

/// A pattern of LIST or LSUB, decoded: `*` stands for anything, `%` for anything within one level (RFC 3501 §6.3.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

/// The most wildcards in one pattern. Each costs a walk over the name, so their number is bounded.
pub(crate) const MAX_WILDCARDS: usize = 32;

impl Pattern {
    /// The pattern that these octets spell in modified UTF-7. It may be empty.
    pub fn decode(octets: &[u8]) -> Option<Pattern> {
        let text = if octets.is_empty() { String::new() } else { utf7::decode(octets)? };
        let pattern = Pattern(text);
        (pattern.0.len() <= MAX_NAME && pattern.wildcards() <= MAX_WILDCARDS).then_some(pattern)
    }

    /// The number of its wildcards.
    pub(crate) fn wildcards(&self) -> usize {
        self.0.chars().filter(|letter| matches!(letter, '*' | '%')).count()
    }

    /// The decoded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The pattern as seen from the reference that LIST was given: the two are one text (RFC 3501 §6.3.8).
    pub fn from_reference(&self, reference: &Pattern) -> Pattern {
        Pattern(format!("{}{}", reference.0, self.0))
    }

    /// Whether the pattern fits the whole name. INBOX fits in any case.
    pub fn matches(&self, name: &MailboxName) -> bool {
        fits(self.0.as_bytes(), name.0.as_bytes()) || (name.is_inbox() && self.0.eq_ignore_ascii_case(INBOX))
    }
}

/// Wildcard matching over the places in the name that the pattern so far can end at. The pattern is taken in runs of
/// literal octets between its wildcards; each wildcard and each run costs one walk over the name, so the work is that of
/// the wildcards times the name's length, whatever the pattern.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    let mut rest = pattern;
    while let Some(first) = rest.first() {
        if matches!(first, b'*' | b'%') {
            rest = &rest[1..];
            for place in 1..=name.len() {
                let passes = *first == b'*' || name[place - 1] != SEPARATOR as u8;
                reached[place] |= reached[place - 1] && passes;
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

/// Where a literal that is not empty ends in the name, overlapping ones too, by the method of Knuth, Morris and Pratt.
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

/// For each beginning of the literal, the length of the longest shorter beginning that it ends with.
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
