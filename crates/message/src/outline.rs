//! A message's structure as offsets: the positions of each part's header and body, and the content of the headers
//! (RFC 2045, RFC 2046).
//!
//! [`Indexer`] builds it in one pass over pieces of any size, without holding the message.
//! [`Outline::encode`] makes a compact blob of it for the mailbox index, so that a message's file is read
//! only once for everything that ENVELOPE, BODYSTRUCTURE and RFC822.SIZE need.
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
    mime::{ContentDisposition, ContentType},
};

/// The deepest nesting of parts. A deeper multipart or message is shown as one opaque part. Dovecot's limit is 100;
/// real mail stays under ten.
pub const MAX_DEPTH: usize = 50;

/// The most parts of a message. Delimiters beyond that are text of the last part.
pub const MAX_PARTS: usize = 1_000;

/// The most octets of headers that are read of one message, all parts together. Fields beyond that are
/// ignored. Postfix refuses headers over 100 KiB.
pub const MAX_HEADER: usize = 512 * 1024;

/// A range of the stored message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The first stored octet.
    pub start: u64,
    /// After the last stored octet.
    pub end: u64,
    /// The length in CRLF form, which is what IMAP counts as octets. Equals `end - start` if there is no lone
    /// line feed.
    pub octets: u64,
}

impl Span {
    /// The stored octets as a range of `stored`; empty if they are not there (any more).
    pub fn slice<'a>(&self, stored: &'a [u8]) -> &'a [u8] {
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(stored.len());
        stored.get(at(self.start)..at(self.end)).unwrap_or_default()
    }

    /// The stored length.
    pub fn stored(&self) -> u64 {
        self.end - self.start
    }

    /// True if lone line feeds must be converted when this is sent.
    pub fn has_lone_line_feeds(&self) -> bool {
        self.octets != self.stored()
    }
}

/// A whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The envelope from the header.
    pub envelope: Envelope,
    /// The message as a part: its header with the empty line, and its body.
    pub root: Part,
}

/// One part of a message, or a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The header with its empty line.
    pub header: Span,
    /// The body.
    pub body: Span,
    /// The number of line ends in the body.
    pub lines: u64,
    /// The media type; the default of the context if none was given.
    pub content_type: ContentType,
    /// Content-Disposition.
    pub disposition: Option<ContentDisposition>,
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
    /// The structure of the body.
    pub content: Content,
}

/// The structure of a part's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text, an image: no parts that IMAP could address.
    Single,
    /// Parts; at least one, since IMAP cannot show a multipart without.
    Multipart(Vec<Part>),
    /// A message (message/rfc822).
    Message(Box<Outline>),
}

impl Outline {
    /// The outline of a message in memory.
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
