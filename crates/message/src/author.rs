//! The author of a message: one strict reading of its From field (RFC 5322 §3.4 and §3.6.2).
//!
//! Every decision about the author of a message is based on this reading: what a login may submit, what DMARC
//! evaluates, which domain signs, and what ENVELOPE shows. The programs that read the message afterwards interpret
//! malformed fields differently, so a field that two of them could read differently has no author here.
//! [`crate::AddressList`] still shows a part of it, and is not used for decisions.
//!
//! | form | decision |
//! |---|---|
//! | one or several mailboxes, display names, comments, folding | read |
//! | dots and octets beyond ASCII in display names (RFC 5322 §4.1, RFC 6532 §3.2) | read; many programs write them |
//! | encoded words (RFC 2047) in display names | read as words; anywhere else they are not decoded and mostly malformed |
//! | domains as U-labels (RFC 6532) | read; compared as A-labels |
//! | a quoted local part | read if it contains only characters that need no quotes, with dots anywhere |
//! | a group (RFC 6854) | not read: some programs show its name as the author |
//! | source routes, comments or spaces within an address, empty list members (RFC 5322 §4.4) | not read |
//! | white space before the colon (RFC 5322 §4.5), folds that are white space alone (§4.2) | not read |
//! | several From fields, or one after a line that is not a field | not read |
//! | more than [`Author::MAX_AUTHORS`] mailboxes, a value above [`Author::MAX_LEN`] octets | not read |

mod section;
mod syntax;

use address::{Address, Domain};
use thiserror::Error;

use crate::address_list::{AddressEntry, Mailbox};
use crate::encoded_word;

/// The mailboxes of a From field with one meaning. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    mailboxes: Vec<AuthorMailbox>,
}

/// One mailbox of a strictly read field.
#[derive(Debug, Clone, PartialEq, Eq)]
struct AuthorMailbox {
    /// The mailbox as spelled in the message.
    written: Mailbox,
    address: Address,
}

/// The reason why a field has no author. Its text continues "the From field".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AuthorError {
    /// RFC 5322 §3.6: From is one of the two fields that every message has.
    #[error("is missing")]
    Missing,
    /// RFC 5322 §3.6: a message has one From field.
    #[error("occurs more than once")]
    Several,
    /// `From : …`; some programs read it as another field.
    #[error("has white space before its colon")]
    SpaceBeforeColon,
    /// The field, or a line that could pass for it, comes after a line that is not a field.
    #[error("comes after a line that is not a header field")]
    BehindText,
    /// More octets than [`Author::MAX_LEN`].
    #[error("is longer than {} octets", Author::MAX_LEN)]
    TooLong,
    /// More mailboxes than [`Author::MAX_AUTHORS`].
    #[error("names more than {} mailboxes", Author::MAX_AUTHORS)]
    TooMany,
    /// A control character, or a folded line that is white space alone.
    #[error("has a control character or a blank folded line")]
    Control,
    /// `name: ann@example.org;` (RFC 6854).
    #[error("is a group")]
    Group,
    /// `<@relay.example:ann@example.org>` (RFC 5322 §4.4).
    #[error("has a source route")]
    Route,
    /// A name, or nothing, where an address should be.
    #[error("has a mailbox without an address")]
    NoAddress,
    /// `<bob@example.org> <ann@example.org>`.
    #[error("has text after an address")]
    TextBehindAddress,
    /// The text in place of an address is not an address.
    #[error("has a malformed address")]
    BadAddress,
    /// Quotes or parentheses that are not closed, characters that must be quoted.
    #[error("has a malformed name")]
    BadName,
}

/// A field other than From that names a person responsible for the message, and cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the {field} field {error}")]
pub struct SenderError {
    /// The field's name.
    pub field: &'static str,
    /// The reason.
    pub error: AuthorError,
}

impl Author {
    /// The most mailboxes of one field.
    pub const MAX_AUTHORS: usize = 16;

    /// The longest value of the field, folding included: [`Author::MAX_AUTHORS`] mailboxes with long names.
    pub const MAX_LEN: usize = 16 * 1024;

    /// Reads the From field of a header section; a body may follow.
    pub fn of(header: &[u8]) -> Result<Self, AuthorError> {
        let field = section::exactly_one(header, "From")?;
        Ok(Self { mailboxes: syntax::mailboxes(field.value)? })
    }

    /// The addresses in their order.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.mailboxes.iter().map(|mailbox| &mailbox.address)
    }

    /// The domain of all the addresses; `None` when they differ, or when one is an address literal.
    pub fn domain(&self) -> Option<&Domain> {
        let mut domains = self.addresses().map(Address::domain);
        let first = domains.next()??;
        domains.all(|domain| domain == Some(first)).then_some(first)
    }

    /// The domain of the first address, unless that is an address literal.
    pub fn first_domain(&self) -> Option<&Domain> {
        self.addresses().next()?.domain()
    }

    /// The mailboxes as they are displayed: as spelled in the message.
    pub fn entries(&self) -> Vec<AddressEntry> {
        self.mailboxes.iter().map(|mailbox| AddressEntry::Mailbox(mailbox.written.clone())).collect()
    }

    /// The addresses in display names, with encoded words decoded: many programs show the name alone, and a
    /// reader mistakes `"bob@example.org" <ann@example.org>` for Bob.
    pub fn addresses_in_names(&self) -> Vec<Address> {
        let names = self.mailboxes.iter().filter_map(|mailbox| mailbox.written.name.as_deref());
        names.flat_map(|name| addresses_in(&encoded_word::decode(name))).collect()
    }
}

/// Every address in the fields Sender, Resent-From and Resent-Sender (RFC 5322 §3.6.2, §3.6.6), read as strictly as
/// From. There is one Sender with one mailbox; the Resent fields occur once for each time that a message was resent.
pub fn senders(header: &[u8]) -> Result<Vec<(&'static str, Address)>, SenderError> {
    let mut found = Vec::new();
    for (field, may_repeat) in [("Sender", false), ("Resent-From", true), ("Resent-Sender", true)] {
        let refused = |error| SenderError { field, error };
        let values = match section::all(header, field) {
            Err(AuthorError::Missing) => continue,
            values => values.map_err(refused)?,
        };
        if values.len() > if may_repeat { Author::MAX_AUTHORS } else { 1 } {
            return Err(refused(AuthorError::Several));
        }
        for value in values {
            let mailboxes = syntax::mailboxes(value.value).map_err(refused)?;
            if !may_repeat && mailboxes.len() > 1 {
                return Err(refused(AuthorError::TooMany));
            }
            found.extend(mailboxes.into_iter().map(|mailbox| (field, mailbox.address)));
        }
    }
    Ok(found)
}

/// The addresses in running text. At most [`Author::MAX_AUTHORS`] words are tried.
fn addresses_in(text: &str) -> Vec<Address> {
    // U+FF20 and U+FE6B look like an at sign.
    let text = text.replace(['\u{ff20}', '\u{fe6b}'], "@").replace(is_invisible, "");
    // A reader sees an address despite white space around the sign.
    let text = text.split('@').map(str::trim).collect::<Vec<_>>().join("@");
    let around = |c: char| c.is_whitespace() || c.is_control() || "<>()[]{},;:\"'“”‘’|".contains(c);
    let words = text.split(around).filter(|word| word.contains('@')).take(Author::MAX_AUTHORS);
    words.filter_map(|word| Address::parse(word.trim_matches(['.', '!', '?'])).ok()).collect()
}

/// True for characters that a reader does not see: the soft hyphen, joiners, marks and isolates of direction, variation
/// selectors.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests;
