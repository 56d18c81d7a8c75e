//! Parts whose end has not been reached.

use super::{
    Content, Outline, Part, Span,
    describe::{PartContext, describe},
};
use crate::{Envelope, mime::ContentType};

/// The longest boundary that is accepted. RFC 2046 allows 70; the indexer reads no more of a line.
const MAX_BOUNDARY: usize = 990;

/// A position in the message, with the counts up to it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StreamPosition {
    pub(super) offset: u64,
    pub(super) lines: u64,
    pub(super) lone_line_feeds: u64,
}

impl StreamPosition {
    pub(super) fn span_to(self, end: StreamPosition) -> Span {
        let stored = end.offset - self.offset;
        Span {
            start: self.offset,
            end: end.offset,
            octets: stored + (end.lone_line_feeds - self.lone_line_feeds),
        }
    }

    pub(super) fn later(self, other: StreamPosition) -> StreamPosition {
        if other.offset > self.offset { other } else { self }
    }
}

/// A part whose end has not been reached.
#[derive(Debug)]
pub(super) struct OpenPart {
    pub(super) context: PartContext,
    pub(super) header_start: StreamPosition,
    pub(super) state: PartState,
}

#[derive(Debug)]
pub(super) enum PartState {
    /// Collects the header.
    Header(Vec<u8>),
    Body(Box<Body>),
}

#[derive(Debug)]
pub(super) struct Body {
    pub(super) start: StreamPosition,
    pub(super) part: Part,
    /// The envelope from a message's own header.
    pub(super) envelope: Option<Envelope>,
    pub(super) content: OpenContent,
}

/// The part of the structure found in a body so far.
#[derive(Debug)]
pub(super) enum OpenContent {
    Single,
    /// The delimiter is `None` after the close delimiter.
    Multipart {
        delimiter: Option<Vec<u8>>,
        parts: Vec<Part>,
        context: PartContext,
    },
    Message(Option<Box<Outline>>),
}

impl OpenPart {
    /// The beginning of the lines that delimit this entity's parts, while more may follow.
    pub(super) fn delimiter(&self) -> Option<&[u8]> {
        match &self.state {
            PartState::Body(body) => body.content.delimiter(),
            PartState::Header(_) => None,
        }
    }

    /// The start of its body, or of its header while that is being read.
    pub(super) fn start(&self) -> StreamPosition {
        match &self.state {
            PartState::Body(body) => body.start,
            PartState::Header(_) => self.header_start,
        }
    }

    pub(super) fn content_mut(&mut self) -> Option<&mut OpenContent> {
        match &mut self.state {
            PartState::Body(body) => Some(&mut body.content),
            PartState::Header(_) => None,
        }
    }
}

impl OpenContent {
    fn delimiter(&self) -> Option<&[u8]> {
        match self {
            Self::Multipart { delimiter, .. } => delimiter.as_deref(),
            Self::Single | Self::Message(_) => None,
        }
    }

    /// The expected structure of the body by its type. Where it is impossible, the type is replaced accordingly: a
    /// multipart without a usable boundary is text (RFC 2045 §5.2 treats unreadable types so), one that is nested too
    /// deeply is opaque.
    pub(super) fn expected(part: &mut Part, deepest: bool) -> Self {
        let multipart = part.content_type.has_kind("multipart");
        // Not message/global (RFC 6532): IMAP4rev1 has no envelope for it, and clients would misread one.
        let message = part.content_type.is("message", "rfc822");
        if !multipart && !message {
            return Self::Single;
        }
        if deepest {
            part.content_type = ContentType::plain("application", "octet-stream");
            return Self::Single;
        }
        if message {
            return Self::Message(None);
        }
        let boundary = part
            .content_type
            .parameters
            .decoded("boundary")
            .map(|boundary| boundary.value.trim_ascii_end().to_vec());
        match boundary.filter(|boundary| !boundary.is_empty() && boundary.len() <= MAX_BOUNDARY) {
            Some(boundary) => {
                let digest = part.content_type.is("multipart", "digest");
                let context = if digest { PartContext::Digest } else { PartContext::Ordinary };
                Self::Multipart { delimiter: Some(boundary), parts: Vec::new(), context }
            }
            None => {
                part.content_type = ContentType::default_text();
                Self::Single
            }
        }
    }
}

impl Body {
    /// The finished part, and its envelope if it is a message.
    pub(super) fn close(self, header_start: StreamPosition, end: StreamPosition) -> (Option<Envelope>, Part) {
        let end = self.start.later(end);
        let mut part = self.part;
        part.header = header_start.span_to(self.start);
        part.body = self.start.span_to(end);
        part.lines = end.lines - self.start.lines;
        part.content = match self.content {
            OpenContent::Single => Content::Single,
            OpenContent::Multipart { parts, .. } if parts.is_empty() => {
                let mut only = describe(b"", PartContext::Ordinary);
                only.header = end.span_to(end);
                only.body = end.span_to(end);
                Content::Multipart(vec![only])
            }
            OpenContent::Multipart { parts, .. } => Content::Multipart(parts),
            OpenContent::Message(message) => message.map_or(Content::Single, Content::Message),
        };
        (self.envelope, part)
    }
}
