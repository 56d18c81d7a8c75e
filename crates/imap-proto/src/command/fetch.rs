//! FETCH: requests data of messages (RFC 3501 §6.4.5).

use std::num::NonZeroU32;

use super::{Messages, Naming, Request};
use crate::cursor::{Cursor, SyntaxError};

/// A request for data of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// The messages.
    pub messages: Messages,
    /// The requested items, in the client's order.
    pub items: Vec<FetchItem>,
}

/// An item of data about a message. The parser expands the macros ALL, FAST and FULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchItem {
    /// `BODY` without a section: the structure without its extension data.
    Body,
    /// `BODYSTRUCTURE`
    BodyStructure,
    /// `ENVELOPE`
    Envelope,
    /// `FLAGS`
    Flags,
    /// `INTERNALDATE`
    InternalDate,
    /// `RFC822`: equivalent to `BODY[]`.
    Rfc822,
    /// `RFC822.HEADER`: equivalent to `BODY.PEEK[HEADER]`.
    Rfc822Header,
    /// `RFC822.SIZE`
    Rfc822Size,
    /// `RFC822.TEXT`: equivalent to `BODY[TEXT]`.
    Rfc822Text,
    /// `UID`
    Uid,
    /// `BODY[...]` or `BODY.PEEK[...]`
    Section {
        /// The section of the message.
        section: Section,
        /// The range of its octets; all, if `None`.
        partial: Option<Partial>,
        /// The effect on `\Seen`.
        effect: Effect,
    },
}

impl FetchItem {
    /// Returns true if the item sets `\Seen` (RFC 3501 §6.4.5).
    pub fn marks_seen(&self) -> bool {
        matches!(
            self,
            FetchItem::Rfc822 | FetchItem::Rfc822Text | FetchItem::Section { effect: Effect::MarksSeen, .. }
        )
    }
}

/// The effect of fetching a section on `\Seen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// `BODY[...]` sets it.
    MarksSeen,
    /// `BODY.PEEK[...]` does not set it.
    Peeks,
}

/// A range of octets: `<origin.count>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partial {
    /// The first octet, from zero.
    pub origin: u32,
    /// Maximum number of octets.
    pub count: NonZeroU32,
}

/// The section between the brackets of `BODY[...]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// The numbers that lead to a part; empty for the message itself.
    pub part: Vec<NonZeroU32>,
    /// A piece of that part; all of its content, if `None`.
    pub text: Option<SectionText>,
}

/// A named piece of a message or of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionText {
    /// `HEADER`: the header of the message, with the empty line.
    Header,
    /// `HEADER.FIELDS (...)`: only these fields of the header.
    HeaderFields(Vec<Vec<u8>>),
    /// `HEADER.FIELDS.NOT (...)`: all fields of the header except these.
    HeaderFieldsNot(Vec<Vec<u8>>),
    /// `TEXT`: the message without its header.
    Text,
    /// `MIME`: the header of a part.
    Mime,
}

/// Maximum number of items in a FETCH, of fields in a section, and of numbers that lead to a part: more than any client
/// requests, few enough that one line cannot keep the server busy for long.
const MAX_ITEMS: usize = 100;
const MAX_FIELDS: usize = 1000;
const MAX_DEPTH: usize = 100;

/// ```abnf
/// fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
/// ```
/// (RFC 3501 §9)
pub(super) fn parse(cursor: &mut Cursor<'_>, naming: Naming) -> Result<Request, SyntaxError> {
    cursor.space()?;
    let messages = Messages::parse(cursor, naming)?;
    cursor.space()?;
    let items = if cursor.accept(b'(') { parse_items(cursor)? } else { parse_macro_or_item(cursor)? };
    Ok(Request::Fetch(Fetch { messages, items }))
}

/// `fetch-att *(SP fetch-att) ")"`
fn parse_items(cursor: &mut Cursor<'_>) -> Result<Vec<FetchItem>, SyntaxError> {
    let mut items = Vec::new();
    loop {
        if items.len() == MAX_ITEMS {
            return Err(cursor.error("fewer items"));
        }
        items.push(parse_item(cursor)?);
        if cursor.accept(b')') {
            return Ok(items);
        }
        cursor.space()?;
    }
}

fn parse_macro_or_item(cursor: &mut Cursor<'_>) -> Result<Vec<FetchItem>, SyntaxError> {
    use FetchItem::{Body, Envelope, Flags, InternalDate, Rfc822Size};
    let mut ahead = cursor.clone();
    let items = match ahead.word(ITEM)?.as_slice() {
        b"FAST" => vec![Flags, InternalDate, Rfc822Size],
        b"ALL" => vec![Flags, InternalDate, Rfc822Size, Envelope],
        b"FULL" => vec![Flags, InternalDate, Rfc822Size, Envelope, Body],
        _ => return parse_item(cursor).map(|item| vec![item]),
    };
    *cursor = ahead;
    Ok(items)
}

const ITEM: &str = "a fetch data item";

/// ```abnf
/// fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
///             "BODY" ["STRUCTURE"] / "UID" /
///             "BODY" section ["<" number "." nz-number ">"] /
///             "BODY.PEEK" section ["<" number "." nz-number ">"]
/// ```
/// (RFC 3501 §9)
fn parse_item(cursor: &mut Cursor<'_>) -> Result<FetchItem, SyntaxError> {
    let wrong = cursor.error(ITEM);
    let name = cursor.take_while(|octet| octet.is_ascii_alphanumeric() || octet == b'.').to_ascii_uppercase();
    Ok(match name.as_slice() {
        b"ENVELOPE" => FetchItem::Envelope,
        b"FLAGS" => FetchItem::Flags,
        b"INTERNALDATE" => FetchItem::InternalDate,
        b"RFC822" => FetchItem::Rfc822,
        b"RFC822.HEADER" => FetchItem::Rfc822Header,
        b"RFC822.SIZE" => FetchItem::Rfc822Size,
        b"RFC822.TEXT" => FetchItem::Rfc822Text,
        b"BODYSTRUCTURE" => FetchItem::BodyStructure,
        b"UID" => FetchItem::Uid,
        b"BODY" if cursor.peek() == Some(b'[') => parse_section_item(cursor, Effect::MarksSeen)?,
        b"BODY" => FetchItem::Body,
        b"BODY.PEEK" => parse_section_item(cursor, Effect::Peeks)?,
        _ => return Err(wrong),
    })
}

fn parse_section_item(cursor: &mut Cursor<'_>, effect: Effect) -> Result<FetchItem, SyntaxError> {
    let section = Section::parse(cursor)?;
    let partial = if cursor.accept(b'<') { Some(Partial::parse(cursor)?) } else { None };
    Ok(FetchItem::Section { section, partial, effect })
}

impl Partial {
    /// `number "." nz-number ">"`, after the opening `<` (RFC 3501 §9)
    fn parse(cursor: &mut Cursor<'_>) -> Result<Partial, SyntaxError> {
        let origin = cursor.number()?;
        cursor.expect(b'.', "a dot and a count")?;
        let count = cursor.nonzero_number()?;
        cursor.expect(b'>', "the end of a range of octets")?;
        Ok(Partial { origin, count })
    }
}

impl Section {
    /// ```abnf
    /// section      = "[" [section-spec] "]"
    /// section-spec = section-msgtext / (section-part ["." section-text])
    /// section-part = nz-number *("." nz-number)
    /// section-text = section-msgtext / "MIME"
    /// ```
    /// (RFC 3501 §9)
    fn parse(cursor: &mut Cursor<'_>) -> Result<Section, SyntaxError> {
        cursor.expect(b'[', "a section in brackets")?;
        let mut section = Section::default();
        if cursor.accept(b']') {
            return Ok(section);
        }
        while cursor.peek().is_some_and(|octet| octet.is_ascii_digit()) {
            if section.part.len() == MAX_DEPTH {
                return Err(cursor.error("a part that is nested less deeply"));
            }
            section.part.push(cursor.nonzero_number()?);
            if !cursor.accept(b'.') {
                cursor.expect(b']', "the end of a section")?;
                return Ok(section);
            }
        }
        let at = cursor.position();
        section.text = Some(SectionText::parse(cursor)?);
        if section.text == Some(SectionText::Mime) && section.part.is_empty() {
            return Err(SyntaxError { at, expected: "the number of a part before MIME" });
        }
        cursor.expect(b']', "the end of a section")?;
        Ok(section)
    }
}

impl SectionText {
    /// `section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"`, or MIME (RFC 3501 §9)
    fn parse(cursor: &mut Cursor<'_>) -> Result<SectionText, SyntaxError> {
        let wrong = cursor.error("HEADER, TEXT, MIME or the number of a part");
        match cursor.word(wrong.expected)?.as_slice() {
            b"HEADER" => Ok(SectionText::Header),
            b"TEXT" => Ok(SectionText::Text),
            b"MIME" => Ok(SectionText::Mime),
            b"HEADER.FIELDS" => parse_fields(cursor).map(SectionText::HeaderFields),
            b"HEADER.FIELDS.NOT" => parse_fields(cursor).map(SectionText::HeaderFieldsNot),
            _ => Err(wrong),
        }
    }
}

/// ```abnf
/// header-list     = "(" header-fld-name *(SP header-fld-name) ")"
/// header-fld-name = astring
/// ```
/// (RFC 3501 §9)
fn parse_fields(cursor: &mut Cursor<'_>) -> Result<Vec<Vec<u8>>, SyntaxError> {
    cursor.space()?;
    cursor.expect(b'(', "a list of fields")?;
    let mut fields = Vec::new();
    loop {
        if fields.len() == MAX_FIELDS {
            return Err(cursor.error("fewer fields"));
        }
        fields.push(cursor.astring()?);
        if !cursor.accept(b' ') {
            cursor.expect(b')', "the end of the fields")?;
            return Ok(fields);
        }
    }
}

#[cfg(test)]
mod tests;
