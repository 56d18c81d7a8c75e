//! The description of a part from its header.

use super::{Content, Part, Span};
use crate::{
    field::{Field, fields},
    mime::{self, ContentDisposition, ContentType},
};

/// The context of a part, which decides its default type (RFC 2046 §5.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartContext {
    /// A whole message.
    Message,
    /// A part of a multipart.
    Ordinary,
    /// Directly within a multipart/digest.
    Digest,
}

/// Reads the MIME fields of a header; of a repeated field the first counts. Spans are left empty.
pub(super) fn describe(header: &[u8], context: PartContext) -> Part {
    let mut content_type = None;
    let mut part = Part {
        header: Span::default(),
        body: Span::default(),
        lines: 0,
        content_type: match context {
            PartContext::Message | PartContext::Ordinary => ContentType::default_text(),
            PartContext::Digest => ContentType::plain("message", "rfc822"),
        },
        disposition: None,
        id: None,
        description: None,
        encoding: None,
        md5: None,
        language: Vec::new(),
        location: None,
        content: Content::Single,
    };
    for field in fields(header) {
        let Some(name) = content_name(&field) else { continue };
        let once = |slot: &mut Option<Vec<u8>>| {
            if slot.is_none() {
                *slot = Some(field.unfolded().into_owned());
            }
        };
        match name.to_ascii_lowercase().as_slice() {
            b"type" => content_type = content_type.or_else(|| ContentType::parse(field.value)),
            b"disposition" => {
                part.disposition = part.disposition.or_else(|| ContentDisposition::parse(field.value))
            }
            b"transfer-encoding" => {
                part.encoding = part.encoding.or_else(|| mime::transfer_encoding(field.value))
            }
            b"language" if part.language.is_empty() => part.language = mime::language_tags(field.value),
            b"id" => once(&mut part.id),
            b"description" => once(&mut part.description),
            b"md5" => once(&mut part.md5),
            b"location" => once(&mut part.location),
            _ => {}
        }
    }
    if let Some(content_type) = content_type {
        part.content_type = content_type;
    }
    part
}

/// The rest of the field's name after `Content-`.
fn content_name<'a>(field: &Field<'a>) -> Option<&'a [u8]> {
    let (prefix, name) = field.name.split_at_checked(8)?;
    prefix.eq_ignore_ascii_case(b"content-").then_some(name)
}
