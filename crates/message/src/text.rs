//! The text that SEARCH examines (RFC 3501 §6.4.4): transfer encodings and charsets decoded in pieces, and one form in
//! which texts are compared ([`TextFolder`]).

mod fold;
mod html;

use crate::{
    Outline, Part, Span,
    charset::{Charset, CharsetDecoder},
    encoded_word,
    field::fields,
    outline::Content,
    transfer::TransferDecoder,
};

pub use fold::{TextFolder, folded};
pub use html::HtmlText;

/// A piece of a message whose text is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchablePart<'a> {
    /// A nested message's header: part of the body around it.
    Header(Span),
    /// A part's own MIME header, which has the names of files.
    Mime(Span),
    /// A text part.
    Text(&'a Part),
}

impl Outline {
    /// The pieces of the body, first to last. Attachments are left out.
    pub fn searchable_parts(&self) -> Vec<SearchablePart<'_>> {
        let mut found = Vec::new();
        collect_searchable(&self.root, &mut found);
        found
    }
}

fn collect_searchable<'a>(part: &'a Part, found: &mut Vec<SearchablePart<'a>>) {
    match &part.content {
        Content::Multipart(parts) => {
            for inner in parts {
                found.push(SearchablePart::Mime(inner.header));
                collect_searchable(inner, found);
            }
        }
        Content::Message(message) => {
            found.push(SearchablePart::Header(message.root.header));
            collect_searchable(&message.root, found);
        }
        // message/delivery-status, message/disposition-notification, message/feedback-report, message/global and the
        // like are fields and text that people read.
        Content::Single if ["text", "message"].iter().any(|kind| part.content_type.has_kind(kind)) => {
            found.push(SearchablePart::Text(part));
        }
        Content::Single => {}
    }
}

impl Part {
    /// The decoder of a text part's body.
    pub fn text_decoder(&self) -> PartTextDecoder {
        let charset = Charset::named_or_undeclared(self.content_type.parameters.named("charset"));
        PartTextDecoder {
            transfer: TransferDecoder::new(self.encoding.as_deref()),
            charset: CharsetDecoder::new(charset),
            plain: Vec::new(),
        }
    }

    /// True for HTML, whose text differs from its source ([`HtmlText`]).
    pub fn is_html(&self) -> bool {
        self.content_type.is("text", "html") || self.content_type.is("application", "xhtml+xml")
    }
}

/// Decodes a part's text while its body is read.
#[derive(Debug)]
pub struct PartTextDecoder {
    transfer: TransferDecoder,
    charset: CharsetDecoder,
    plain: Vec<u8>,
}

impl PartTextDecoder {
    /// Appends the text of the body's next stored octets.
    pub fn push(&mut self, octets: &[u8], text: &mut String) {
        self.plain.clear();
        self.transfer.push(octets, &mut self.plain);
        self.charset.push(&self.plain, text);
    }

    /// Appends the rest at the body's end.
    pub fn finish(mut self, text: &mut String) {
        self.plain.clear();
        self.transfer.finish(&mut self.plain);
        self.charset.push(&self.plain, text);
        self.charset.finish(text);
    }
}

/// The lines of a header as a person reads it: each field on one line, encoded words decoded.
pub fn header_lines(header: &[u8]) -> impl Iterator<Item = String> {
    fields(header).map(|field| {
        let mut line = String::from_utf8_lossy(field.name).into_owned();
        line.push(':');
        line.push_str(&encoded_word::decode(field.value));
        line.push('\n');
        line
    })
}

#[cfg(test)]
mod tests;
