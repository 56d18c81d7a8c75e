//! The second reading: finds what must change, part by part.

use std::ops::Range;

use super::{Cause, Change, Edit, Fault, MAX_LINE, Offence, Plan, Reason, Scheme, header};
use crate::mime::ContentType;
use crate::outline::{Content, MAX_HEADER, MAX_PARTS};
use crate::{Outline, Part, field};

/// Reads a message whose outline is known.
#[derive(Debug)]
pub struct Survey {
    entities: Vec<Entity>,
    /// The headers and the bodies without structure, in the order of the message. Between them are the lines of the
    /// multiparts themselves.
    regions: Vec<Region>,
    next_region: usize,
    at: u64,
    line: Line,
    between: Findings,
    headers_left: usize,
    is_too_complex: bool,
}

/// A message or a part.
#[derive(Debug)]
struct Entity {
    header_range: Range<u64>,
    body_range: Range<u64>,
    header: Vec<u8>,
    encoding: Vec<u8>,
    is_message: bool,
    /// True if the body has parts of its own.
    is_composite: bool,
    /// True if the body would have parts if the outline went deeper.
    is_opaque: bool,
    /// Under `multipart/signed`.
    is_signed: bool,
    in_header: Findings,
    in_body: Findings,
    first_line: u64,
    octets: u64,
    /// The octets that quoted-printable writes as three.
    escaped: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Findings {
    long: Option<Offence>,
    other: Option<Offence>,
}

impl Findings {
    fn add(&mut self, offence: Offence) {
        let kept = if matches!(offence.cause, Cause::Long(_)) { &mut self.long } else { &mut self.other };
        kept.get_or_insert(offence);
    }

    fn first(&self) -> Option<Offence> {
        self.long.into_iter().chain(self.other).min_by_key(|offence| offence.line)
    }
}

#[derive(Debug)]
struct Region {
    range: Range<u64>,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Header(usize),
    Body(usize),
    Between,
}

/// The line that is read.
#[derive(Debug)]
struct Line {
    number: u64,
    length: u64,
    /// The place of its first octet.
    start: Place,
    last: u8,
    last_place: Place,
}

impl Survey {
    /// A survey of the message with this outline.
    pub fn new(outline: &Outline) -> Self {
        let line = Line { number: 1, length: 0, start: Place::Between, last: 0, last_place: Place::Between };
        let mut survey = Self {
            entities: Vec::new(),
            regions: Vec::new(),
            next_region: 0,
            at: 0,
            line,
            between: Findings::default(),
            headers_left: MAX_HEADER,
            is_too_complex: false,
        };
        survey.add(&outline.root, true, false);
        survey.is_too_complex = survey.entities.len() >= MAX_PARTS;
        survey
    }

    /// Adds a part and those within. As deep as an outline is ([`crate::outline::MAX_DEPTH`]).
    fn add(&mut self, part: &Part, is_message: bool, is_signed: bool) {
        let index = self.entities.len();
        let (header_range, body_range) = (part.header.start..part.header.end, part.body.start..part.body.end);
        let is_composite = !matches!(part.content, Content::Single);
        self.regions.push(Region { range: header_range.clone(), place: Place::Header(index) });
        if !is_composite {
            self.regions.push(Region { range: body_range.clone(), place: Place::Body(index) });
        }
        self.entities.push(Entity {
            header_range,
            body_range,
            header: Vec::new(),
            encoding: part.encoding.clone().unwrap_or_default().to_ascii_lowercase(),
            is_message,
            is_composite,
            is_opaque: part.content_type.has_kind("multipart") || part.content_type.has_kind("message"),
            is_signed,
            in_header: Findings::default(),
            in_body: Findings::default(),
            first_line: 0,
            octets: 0,
            escaped: 0,
        });
        let is_signed = is_signed || part.content_type.is("multipart", "signed");
        match &part.content {
            Content::Single => {}
            Content::Multipart(parts) => parts.iter().for_each(|part| self.add(part, false, is_signed)),
            Content::Message(message) => self.add(&message.root, true, is_signed),
        }
    }

    /// Reads the next octets.
    pub fn push(&mut self, piece: &[u8]) {
        piece.iter().for_each(|octet| self.octet(*octet));
    }

    fn octet(&mut self, octet: u8) {
        let place = self.place();
        self.at += 1;
        if self.line.length == 0 {
            self.line.start = place;
        }
        self.line.length += 1;
        match place {
            Place::Header(index) => {
                self.is_too_complex |= self.headers_left == 0;
                if self.headers_left > 0 {
                    self.headers_left -= 1;
                    self.entities[index].header.push(octet);
                }
            }
            Place::Body(index) => {
                let entity = &mut self.entities[index];
                if entity.octets == 0 {
                    entity.first_line = self.line.number;
                }
                entity.octets += 1;
                let is_literal = matches!(octet, b'\t' | b'\r' | b'\n' | b' '..=b'~') && octet != b'=';
                entity.escaped += u64::from(!is_literal);
            }
            Place::Between => {}
        }
        if self.line.last == b'\r' && octet != b'\n' {
            self.found(self.line.last_place, Cause::LoneLineEnd);
        }
        if octet == 0 {
            self.found(place, Cause::Nul);
        }
        if octet == b'\n' {
            let ends_with_crlf = self.line.last == b'\r';
            if !ends_with_crlf {
                self.found(place, Cause::LoneLineEnd);
            }
            self.end_line(1 + u64::from(ends_with_crlf));
        }
        self.line.last = octet;
        self.line.last_place = place;
    }

    /// The place of the next octet.
    fn place(&mut self) -> Place {
        while let Some(region) = self.regions.get(self.next_region) {
            if self.at < region.range.start {
                break;
            }
            if self.at < region.range.end {
                return region.place;
            }
            self.next_region += 1;
        }
        Place::Between
    }

    fn end_line(&mut self, end_length: u64) {
        let length = self.line.length - end_length;
        if length > MAX_LINE {
            self.found(self.line.start, Cause::Long(length));
        }
        self.line.number += 1;
        self.line.length = 0;
    }

    fn found(&mut self, place: Place, cause: Cause) {
        let findings = match place {
            Place::Header(index) => &mut self.entities[index].in_header,
            Place::Body(index) => &mut self.entities[index].in_body,
            Place::Between => &mut self.between,
        };
        findings.add(Offence { line: self.line.number, cause });
    }

    /// The changes that the message needs, after all of it was read.
    pub fn finish(mut self) -> Result<Plan, Fault> {
        if self.line.last == b'\r' {
            self.found(self.line.last_place, Cause::LoneLineEnd);
        }
        if self.line.length > 0 {
            self.end_line(0);
        }
        if let Some(offence) = self.between.first() {
            return Err(Fault { offence, reason: Reason::BetweenParts });
        }
        let mut plan = Plan { edits: Vec::new(), first: None };
        for entity in &self.entities {
            let Some(offence) = entity.plan(&mut plan.edits)? else { continue };
            if self.is_too_complex {
                return Err(Fault { offence, reason: Reason::TooComplex });
            }
            plan.first.get_or_insert(offence);
        }
        Ok(plan)
    }
}

impl Entity {
    /// Adds the changes of the entity; returns the reason for them.
    fn plan(&self, edits: &mut Vec<Edit>) -> Result<Option<Offence>, Fault> {
        if let Some(offence) = self.in_header.other {
            return Err(Fault { offence, reason: Reason::Header });
        }
        let is_binary = self.encoding == b"binary" && (self.is_composite || self.octets > 0);
        let binary = is_binary.then_some(Offence { line: self.first_line.max(1), cause: Cause::Binary });
        let of_body = self.in_body.first().or(binary);
        let Some(offence) = self.in_header.long.or(of_body) else { return Ok(None) };
        let fault = |reason| Fault { offence, reason };
        if self.is_signed {
            return Err(fault(Reason::Signed));
        }
        let scheme = match of_body {
            Some(_) if !self.is_composite => Some(self.scheme().map_err(fault)?),
            _ => None,
        };
        let encoding = match scheme {
            Some(Scheme::Base64) => Some("base64"),
            Some(Scheme::QuotedPrintable) => Some("quoted-printable"),
            Some(Scheme::Base64Lines) => None,
            // The parts within are text now; the multipart's own label may only be one of three (RFC 2045 §6.4).
            None => is_binary.then_some("8bit"),
        };
        let changed = encoding.map(|encoding| header::with_encoding(&self.header, encoding, self.is_message));
        let header = match self.in_header.long {
            Some(_) => {
                let header = header::folded(changed.as_deref().unwrap_or(&self.header));
                Some(header.ok_or_else(|| fault(Reason::Header))?)
            }
            None => changed,
        };
        if let Some(header) = header {
            edits.push(Edit { range: self.header_range.clone(), change: Change::Replace(header) });
        }
        if let Some(scheme) = scheme {
            edits.push(Edit { range: self.body_range.clone(), change: Change::Encode(scheme) });
        }
        Ok(Some(offence))
    }

    fn scheme(&self) -> Result<Scheme, Reason> {
        match self.encoding.as_slice() {
            b"" | b"7bit" | b"8bit" | b"binary" => {}
            b"base64" => return Ok(Scheme::Base64Lines),
            _ => return Err(Reason::Encoding),
        }
        let content_type = field::find(&self.header, "Content-Type");
        let content_type = content_type.and_then(|field| ContentType::parse(field.value));
        let has_kind = |kind| content_type.as_ref().is_some_and(|content_type| content_type.has_kind(kind));
        if self.is_opaque || has_kind("multipart") || has_kind("message") {
            return Err(Reason::Composite);
        }
        let is_text = content_type.is_none() || has_kind("text");
        // Base64 is a third longer than the octets, quoted-printable two octets for each escaped one.
        let is_shorter_quoted = self.escaped <= self.octets / 6;
        let is_quoted = is_text && self.in_body.other.is_none() && is_shorter_quoted;
        Ok(if is_quoted { Scheme::QuotedPrintable } else { Scheme::Base64 })
    }
}
