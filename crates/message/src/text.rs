//! The text that SEARCH looks at (RFC 3501 §6.4.4): transfer encodings and charsets undone, in one form
//! for comparing.

use crate::{Outline, Part, encoded_word::charset_text, field::fields, outline::Content, transfer};

/// Octets of text that are decoded of one part; what lies behind is not searched.
pub const MAX_PART_TEXT: usize = 8 * 1024 * 1024;

impl Part {
    /// The body's text, when this is a text part. `stored` is the whole stored message.
    pub fn text(&self, stored: &[u8]) -> Option<String> {
        if !self.content_type.has_kind("text") || self.content != Content::Single {
            return None;
        }
        let octets = self.body.of(stored);
        let charset = self.content_type.parameters.named("charset");
        let mut plain = Vec::new();
        let encoding = self.encoding.as_deref().unwrap_or_default();
        if encoding.eq_ignore_ascii_case(b"base64") {
            transfer::undo_base64(octets, &mut plain, MAX_PART_TEXT);
        } else if encoding.eq_ignore_ascii_case(b"quoted-printable") {
            transfer::undo_quoted_printable(octets, &mut plain, MAX_PART_TEXT);
        } else {
            let octets = &octets[..octets.len().min(MAX_PART_TEXT)];
            return Some(charset_text(octets, charset).into_owned());
        }
        Some(charset_text(&plain, charset).into_owned())
    }
}

impl Outline {
    /// Shows every text part and every nested message's header to `look`, first to last, until it says
    /// that it has seen enough. Gives whether it did.
    pub fn any_text(&self, stored: &[u8], mut look: impl FnMut(&str) -> bool) -> bool {
        any_text(&self.root, stored, &mut look)
    }
}

fn any_text(part: &Part, stored: &[u8], look: &mut impl FnMut(&str) -> bool) -> bool {
    match &part.content {
        Content::Multipart(parts) => parts.iter().any(|part| any_text(part, stored, look)),
        Content::Message(message) => {
            look(&header_text(message.root.header.of(stored))) || any_text(&message.root, stored, look)
        }
        Content::Single => part.text(stored).is_some_and(|text| look(&text)),
    }
}

/// A header as a person reads it: each field on one line, encoded words decoded.
pub fn header_text(header: &[u8]) -> String {
    let mut text = String::with_capacity(header.len());
    for field in fields(header) {
        text.push_str(&String::from_utf8_lossy(field.name));
        text.push(':');
        text.push_str(&crate::encoded_word::decode(field.value));
        text.push('\n');
    }
    text
}

/// One form for upper and lower case, so that two texts can be compared octet by octet.
///
/// Not `i;unicode-casemap` (RFC 5051) to the letter: that also takes compatibility characters apart.
/// Letters with accents stay themselves.
pub fn fold_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // By way of upper case, so that ς and σ, ſ and s, ß and ss meet.
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests;
