//! A message's structure as offsets: where each part's header and body lie, and what the headers say of them
//! (RFC 2045, RFC 2046).
//!
//! [`Indexer`] makes it in one pass over pieces of any size, without holding the message.
//! [`Outline::encode`] makes a compact blob of it for the mailbox index, so that a message's file is read
//! once in its life for all that ENVELOPE, BODYSTRUCTURE and RFC822.SIZE ask.
//!
//! ```text
//! message ── header ─┬─ body: one part
//!                    ├─ body: multipart ── part, part, …      each again a header and one of these three
//!                    └─ body: message/rfc822 ── message
//! ```

mod blob;
mod describe;
mod entity;
mod indexer;

pub use blob::{BlobError, VERSION};
pub use indexer::Indexer;

use crate::{
    Envelope,
    mime::{ContentType, Disposition},
};

/// How deep parts may lie within parts. A deeper multipart or message is shown as one opaque part.
/// Dovecot's limit is 100; real mail stays under ten.
pub const MAX_DEPTH: usize = 50;

/// How many parts a message may have. Delimiters beyond that are text of the last part.
pub const MAX_PARTS: usize = 1_000;

/// How many octets of headers are read of one message, all parts together. Fields beyond that are not
/// looked at. Postfix refuses headers over 100 KiB.
pub const MAX_HEADER: usize = 512 * 1024;

/// A stretch of the stored message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The first stored octet.
    pub start: u64,
    /// After the last stored octet.
    pub end: u64,
    /// The length in CRLF form: what IMAP calls the octets. Equals `end - start` where no line feed
    /// stands alone.
    pub octets: u64,
}

impl Span {
    /// The stored octets as a range of `stored`; empty when they are not there (any more).
    pub fn of<'a>(&self, stored: &'a [u8]) -> &'a [u8] {
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(stored.len());
        stored.get(at(self.start)..at(self.end)).unwrap_or_default()
    }

    /// The stored length.
    pub fn stored(&self) -> u64 {
        self.end - self.start
    }

    /// Must lone line feeds be converted when this is sent?
    pub fn has_lone_line_feeds(&self) -> bool {
        self.octets != self.stored()
    }
}

/// A whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// What the header says.
    pub envelope: Envelope,
    /// The message as a part: its header with the empty line, and its body.
    pub root: Part,
}

/// One part of a message, or a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The header with its empty line.
    pub header: Span,
    /// What follows.
    pub body: Span,
    /// How many line ends the body has.
    pub lines: u64,
    /// The media type; the default of the place when none was given.
    pub content_type: ContentType,
    /// Content-Disposition.
    pub disposition: Option<Disposition>,
    /// Content-ID.
    pub id: Option<Vec<u8>>,
    /// Content-Description, encoded words as they are.
    pub description: Option<Vec<u8>>,
    /// Content-Transfer-Encoding; `None` means 7bit (RFC 2045 §6.1).
    pub encoding: Option<Vec<u8>>,
    /// Content-MD5.
    pub md5: Option<Vec<u8>>,
    /// Content-Language.
    pub language: Vec<Vec<u8>>,
    /// Content-Location.
    pub location: Option<Vec<u8>>,
    /// What the body holds.
    pub content: Content,
}

/// What a part's body holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text, an image: no parts that IMAP could name.
    Single,
    /// Parts; at least one, since IMAP cannot show a multipart without.
    Multipart(Vec<Part>),
    /// A message (message/rfc822).
    Message(Box<Outline>),
}

impl Outline {
    /// The outline of a message that lies in memory.
    pub fn parse(stored: &[u8]) -> Self {
        let mut indexer = Indexer::new();
        indexer.push(stored);
        indexer.finish()
    }

    /// The message's length in CRLF form (RFC822.SIZE).
    pub fn octets(&self) -> u64 {
        self.root.header.octets + self.root.body.octets
    }

    /// The whole message as one span.
    pub fn whole(&self) -> Span {
        Span { start: self.root.header.start, end: self.root.body.end, octets: self.octets() }
    }
}

#[cfg(test)]
mod tests;
