//! The pieces of a FETCH response (RFC 3501 §7.4.2): one message, its items in parentheses.
//!
//! A response is opened, gets items, and is closed. An item with long content ends with the header of a literal; the
//! server then sends the octets itself, directly from their source.

use super::string::{astring, formatted, spaced};
use crate::command::fetch::{Partial, Section, SectionText};
use crate::{DateTime, Flag, SequenceNumber, Uid};

/// A FETCH response that is being written. It adds the spaces between its items.
#[derive(Debug)]
pub struct Response {
    any: bool,
}

impl Response {
    /// `"*" SP nz-number SP "FETCH" SP "("`
    pub fn open(out: &mut Vec<u8>, number: SequenceNumber) -> Response {
        formatted(out, format_args!("* {number} FETCH ("));
        Response { any: false }
    }

    /// `")" CRLF`
    pub fn close(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b")\r\n");
    }

    /// The name of an item, with the spaces around it; its value follows.
    pub fn name(&mut self, out: &mut Vec<u8>, name: &str) {
        self.separate(out);
        out.extend_from_slice(name.as_bytes());
        out.push(b' ');
    }

    /// `"UID" SP uniqueid`
    pub fn uid(&mut self, out: &mut Vec<u8>, uid: Uid) {
        self.name(out, "UID");
        formatted(out, format_args!("{uid}"));
    }

    /// `"FLAGS" SP "(" [flag-fetch *(SP flag-fetch)] ")"`, where `flag-fetch = flag / "\Recent"`
    pub fn flags<'f>(
        &mut self,
        out: &mut Vec<u8>,
        flags: impl IntoIterator<Item = &'f Flag>,
        recent: Recent,
    ) {
        self.name(out, "FLAGS");
        out.push(b'(');
        let recent = (recent == Recent::Yes).then_some("\\Recent");
        let names = flags.into_iter().map(Flag::as_str).chain(recent);
        spaced(out, names, |out, name| out.extend_from_slice(name.as_bytes()));
        out.push(b')');
    }

    /// `"INTERNALDATE" SP date-time`
    pub fn internal_date(&mut self, out: &mut Vec<u8>, date: DateTime) {
        self.name(out, "INTERNALDATE");
        formatted(out, format_args!("\"{date}\""));
    }

    /// `"RFC822.SIZE" SP number`
    pub fn size(&mut self, out: &mut Vec<u8>, size: u64) {
        self.name(out, "RFC822.SIZE");
        formatted(out, format_args!("{size}"));
    }

    /// `"BODY" section ["<" number ">"] SP`; the content follows, as an `nstring`. Only the origin of a range is
    /// repeated.
    pub fn section(&mut self, out: &mut Vec<u8>, section: &Section, partial: Option<Partial>) {
        self.separate(out);
        out.extend_from_slice(b"BODY[");
        spec(out, section);
        out.push(b']');
        if let Some(partial) = partial {
            formatted(out, format_args!("<{}>", partial.origin));
        }
        out.push(b' ');
    }

    fn separate(&mut self, out: &mut Vec<u8>) {
        if self.any {
            out.push(b' ');
        }
        self.any = true;
    }
}

/// The `\Recent` state of a message in this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recent {
    /// This session is the first to be notified of the message.
    Yes,
    /// Another session was the first.
    No,
}

/// `section-spec` (RFC 3501 §9), as requested.
fn spec(out: &mut Vec<u8>, section: &Section) {
    for (index, number) in section.part.iter().enumerate() {
        let dot = if index > 0 { "." } else { "" };
        formatted(out, format_args!("{dot}{number}"));
    }
    let Some(content) = &section.text else { return };
    if !section.part.is_empty() {
        out.push(b'.');
    }
    match content {
        SectionText::Header => out.extend_from_slice(b"HEADER"),
        SectionText::Text => out.extend_from_slice(b"TEXT"),
        SectionText::Mime => out.extend_from_slice(b"MIME"),
        SectionText::HeaderFields(fields) => header_list(out, "HEADER.FIELDS (", fields),
        SectionText::HeaderFieldsNot(fields) => header_list(out, "HEADER.FIELDS.NOT (", fields),
    }
}

fn header_list(out: &mut Vec<u8>, start: &str, fields: &[Vec<u8>]) {
    out.extend_from_slice(start.as_bytes());
    spaced(out, fields, |out, field| astring(out, field));
    out.push(b')');
}
