//! What a section such as `1.2.HEADER` names (RFC 3501 §6.4.5).

use crate::{
    Outline, Part, Span,
    field::{Field, fields},
    outline::Content,
};

/// Path numbers beyond this many name nothing.
pub const MAX_PATH: usize = crate::outline::MAX_DEPTH;

/// What of a part is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The part's content; with an empty path the whole message.
    All,
    /// A message's header.
    Header,
    /// Of a message's header only these fields, and the empty line.
    HeaderFields(Vec<String>),
    /// Of a message's header all but these fields, and the empty line.
    HeaderFieldsNot(Vec<String>),
    /// A part's own MIME header.
    Mime,
    /// A message's body.
    Text,
}

/// A section: which part, and what of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Part numbers, each one or more; empty for the message itself.
    pub path: Vec<u32>,
    /// What of that part.
    pub wanted: Wanted,
}

impl Section {
    /// Reads a section without field lists, for whoever has it as text; IMAP's own parser knows the lists.
    ///
    /// ```abnf
    /// section-spec    = section-msgtext / (section-part ["." section-text])
    /// section-msgtext = "HEADER" / "TEXT"        ; and the field lists, which are not read here
    /// section-part    = nz-number *("." nz-number)
    /// section-text    = section-msgtext / "MIME"
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let mut path = Vec::new();
        if text.is_empty() {
            return Some(Self { path, wanted: Wanted::All });
        }
        let mut words = text.split('.');
        while let Some(word) = words.next() {
            if word.starts_with(|c: char| matches!(c, '1'..='9')) && path.len() < MAX_PATH {
                path.push(word.parse().ok()?);
                continue;
            }
            let wanted = match word.to_ascii_uppercase().as_str() {
                "HEADER" => Wanted::Header,
                "TEXT" => Wanted::Text,
                "MIME" if !path.is_empty() => Wanted::Mime,
                _ => return None,
            };
            return words.next().is_none().then_some(Self { path, wanted });
        }
        Some(Self { path, wanted: Wanted::All })
    }
}

impl Outline {
    /// Where the section lies; for field lists, where the header lies of which [`select_fields`] then
    /// takes the fields. `None` when the message has no such part.
    pub fn locate(&self, path: &[u32], wanted: &Wanted) -> Option<Span> {
        if path.is_empty() {
            return match wanted {
                Wanted::All => Some(self.whole()),
                Wanted::Text => Some(self.root.body),
                Wanted::Mime => None,
                Wanted::Header | Wanted::HeaderFields(_) | Wanted::HeaderFieldsNot(_) => {
                    Some(self.root.header)
                }
            };
        }
        let part = self.part(path)?;
        match (wanted, &part.content) {
            (Wanted::All, _) => Some(part.body),
            (Wanted::Mime, _) => Some(part.header),
            (Wanted::Text, Content::Message(message)) => Some(message.root.body),
            (_, Content::Message(message)) => Some(message.root.header),
            _ => None,
        }
    }

    /// The part that the numbers name. A message that is no multipart has one part, number 1: itself.
    pub fn part(&self, path: &[u32]) -> Option<&Part> {
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

    fn child(&self, number: u32) -> Option<&Part> {
        match &self.root.content {
            Content::Multipart(parts) => nth(parts, number),
            _ => (number == 1).then_some(&self.root),
        }
    }
}

fn nth(parts: &[Part], number: u32) -> Option<&Part> {
    parts.get(usize::try_from(number).ok()?.checked_sub(1)?)
}

/// The header's fields for which `wanted` says so, as they are stored, and the empty line if the header
/// has one (RFC 3501 §6.4.5 wants it in every subset).
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
