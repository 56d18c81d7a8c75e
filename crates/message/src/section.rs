//! The sections that FETCH addresses, such as `1.2.HEADER` (RFC 3501 §6.4.5).

use std::num::NonZeroU32;

use crate::{
    Outline, Part, Span,
    field::{Field, fields},
    outline::Content,
};

/// The requested portion of a message or a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionContent {
    /// All of its content; for the message itself, the whole message.
    All,
    /// A message's header, with its empty line.
    Header,
    /// A part's own MIME header, with its empty line.
    Mime,
    /// A message's body.
    Text,
}

impl Outline {
    /// The position of the section; `None` if the message has no such part. The path is empty for the message
    /// itself.
    pub fn locate(&self, path: &[NonZeroU32], wanted: SectionContent) -> Option<Span> {
        if path.is_empty() {
            return match wanted {
                SectionContent::All => Some(self.whole()),
                SectionContent::Text => Some(self.root.body),
                SectionContent::Header => Some(self.root.header),
                SectionContent::Mime => None,
            };
        }
        let part = self.part(path)?;
        match (wanted, &part.content) {
            (SectionContent::All, _) => Some(part.body),
            (SectionContent::Mime, _) => Some(part.header),
            (SectionContent::Text, Content::Message(message)) => Some(message.root.body),
            (SectionContent::Header, Content::Message(message)) => Some(message.root.header),
            _ => None,
        }
    }

    /// The part with these numbers. A message that is not a multipart has one part, number 1: itself.
    pub fn part(&self, path: &[NonZeroU32]) -> Option<&Part> {
        let (first, rest) = path.split_first()?;
        let mut part = self.child(*first)?;
        for number in rest {
            part = match &part.content {
                Content::Multipart(parts) => nth(parts, *number)?,
                Content::Message(message) => message.child(*number)?,
                Content::Single => return None,
            };
        }
        Some(part)
    }

    fn child(&self, number: NonZeroU32) -> Option<&Part> {
        match &self.root.content {
            Content::Multipart(parts) => nth(parts, number),
            _ => (number == NonZeroU32::MIN).then_some(&self.root),
        }
    }
}

fn nth(parts: &[Part], number: NonZeroU32) -> Option<&Part> {
    parts.get(usize::try_from(number.get() - 1).ok()?)
}

/// The header's fields for which `wanted` is true, as stored, and the empty line if the header has one (RFC
/// 3501 §6.4.5 requires it in every subset).
pub fn select_fields(header: &[u8], wanted: impl Fn(&Field<'_>) -> bool) -> Vec<u8> {
    let mut selected = Vec::new();
    for field in fields(header).filter(|field| wanted(field)) {
        selected.extend_from_slice(&header[field.start..field.end]);
    }
    if let Some(line) = [&b"\r\n"[..], b"\n"].into_iter().find(|line| ends_with_empty_line(header, line)) {
        selected.extend_from_slice(line);
    }
    selected
}

fn ends_with_empty_line(header: &[u8], line: &[u8]) -> bool {
    header.strip_suffix(line).is_some_and(|before| before.is_empty() || before.ends_with(b"\n"))
}

#[cfg(test)]
mod tests;
