//! The text that SEARCH looks at (RFC 3501 §6.4.4): transfer encodings and charsets undone, in one form for
//! comparing.

use crate::{
    Outline, Part, Span,
    encoded_word::{self, charset_text},
    field::fields,
    outline::Content,
    transfer,
};

/// Octets of a part's text that are decoded; what lies behind is not searched.
pub const MAX_PART_TEXT: usize = 8 * 1024 * 1024;

/// Stored octets that are worth reading of one text part: [`MAX_PART_TEXT`] of them in base64, with its line ends.
pub const MAX_STORED_TEXT: u64 = MAX_PART_TEXT as u64 / 2 * 3;

/// A piece of a message in which text is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A nested message's header: part of the body around it.
    Header(Span),
    /// A part's own MIME header, where files have their names.
    Mime(Span),
    /// A text part.
    Text(&'a Part),
}

impl Outline {
    /// The pieces of the body, first to last. Attachments are none.
    pub fn pieces(&self) -> Vec<Piece<'_>> {
        let mut found = Vec::new();
        pieces(&self.root, &mut found);
        found
    }
}

fn pieces<'a>(part: &'a Part, found: &mut Vec<Piece<'a>>) {
    match &part.content {
        Content::Multipart(parts) => {
            for inner in parts {
                found.push(Piece::Mime(inner.header));
                pieces(inner, found);
            }
        }
        Content::Message(message) => {
            found.push(Piece::Header(message.root.header));
            pieces(&message.root, found);
        }
        Content::Single if part.content_type.has_kind("text") => found.push(Piece::Text(part)),
        Content::Single => {}
    }
}

impl Part {
    /// The text of a text part, whose stored body is given.
    pub fn text(&self, body: &[u8]) -> String {
        let charset = self.content_type.parameters.named("charset");
        let encoding = self.encoding.as_deref().unwrap_or_default();
        let mut plain = Vec::new();
        if encoding.eq_ignore_ascii_case(b"base64") {
            transfer::undo_base64(body, &mut plain, MAX_PART_TEXT);
        } else if encoding.eq_ignore_ascii_case(b"quoted-printable") {
            transfer::undo_quoted_printable(body, &mut plain, MAX_PART_TEXT);
        } else {
            return charset_text(&body[..body.len().min(MAX_PART_TEXT)], charset).into_owned();
        }
        charset_text(&plain, charset).into_owned()
    }
}

/// A header as a person reads it: each field on one line, encoded words decoded.
pub fn header_text(header: &[u8]) -> String {
    let mut text = String::with_capacity(header.len());
    for field in fields(header) {
        text.push_str(&String::from_utf8_lossy(field.name));
        text.push(':');
        text.push_str(&encoded_word::decode(field.value));
        text.push('\n');
    }
    text
}

/// One form for upper and lower case, so that two texts can be compared octet by octet. A tab becomes a
/// space: many programs fold long fields with a tab, where a reader sees a space between two words.
///
/// Not `i;unicode-casemap` (RFC 5051) to the letter: that also takes compatibility characters apart. Letters
/// with accents stay themselves.
pub fn fold_case(text: &str) -> String {
    if text.is_ascii() {
        let mut folded = text.to_ascii_lowercase();
        if folded.contains('\t') {
            folded = folded.replace('\t', " ");
        }
        return folded;
    }
    // By way of upper case, so that ς and σ, ſ and s, ß and ss meet.
    let spaced = text.chars().map(|one| if one == '\t' { ' ' } else { one });
    spaced.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests;
