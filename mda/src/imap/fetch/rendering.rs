//! The FETCH response of one message: its text, and the positions in it where octets of the message go.
//!
//! Every step that can fail because the message is gone is done while the text is made. So a message that vanished gets
//! no response at all, never half of one.

use std::collections::{HashSet, VecDeque};
use std::io;

use imap_proto::command::FetchItem;
use imap_proto::command::fetch::{Partial, Section, SectionText};
use imap_proto::response::fetch::{Recent, Response};
use imap_proto::response::string::{literal_header, string};
use imap_proto::{DateTime, Flag, SequenceNumber, Uid};
use message::crlf::to_crlf;
use message::outline::MAX_HEADER;
use message::section::{SectionContent, select_fields};

use super::structure::Detail;
use super::{envelope, structure};
use crate::imap::contents::{Contents, Octets};
use crate::mailbox::StoreError;

/// A response that is being sent.
#[derive(Debug, Default)]
pub(super) struct Rendering {
    text: Vec<u8>,
    /// Number of octets of the text that were sent.
    sent: usize,
    /// The octets of the message, each with its position in the text.
    octets: VecDeque<(usize, Octets)>,
}

/// The facts that the session has about a message.
#[derive(Debug)]
pub(super) struct MessageInfo {
    pub(super) number: SequenceNumber,
    pub(super) uid: Uid,
    pub(super) flags: Vec<Flag>,
    pub(super) recent: Recent,
}

impl Rendering {
    /// Renders the response of one message.
    pub(super) fn new(
        known: &MessageInfo,
        contents: &mut Contents,
        items: &[FetchItem],
    ) -> Result<Self, StoreError> {
        let mut rendering = Self::default();
        let mut response = Response::open(&mut rendering.text, known.number);
        for item in items {
            rendering.item(&mut response, item, known, contents)?;
        }
        response.close(&mut rendering.text);
        Ok(rendering)
    }

    fn item(
        &mut self,
        response: &mut Response,
        item: &FetchItem,
        known: &MessageInfo,
        contents: &mut Contents,
    ) -> Result<(), StoreError> {
        let out = &mut self.text;
        match item {
            FetchItem::Uid => response.uid(out, known.uid),
            FetchItem::Flags => response.flags(out, &known.flags, known.recent),
            FetchItem::InternalDate => response.internal_date(out, DateTime::utc(contents.received()?)),
            FetchItem::Rfc822Size => response.size(out, contents.size()?),
            FetchItem::Envelope => {
                let envelope = contents.envelope()?;
                response.name(out, "ENVELOPE");
                envelope::write(out, envelope);
            }
            FetchItem::Body => {
                let outline = contents.outline()?;
                response.name(out, "BODY");
                structure::write(out, &outline.root, Detail::Basic);
            }
            FetchItem::BodyStructure => {
                let outline = contents.outline()?;
                response.name(out, "BODYSTRUCTURE");
                structure::write(out, &outline.root, Detail::Extended);
            }
            FetchItem::Rfc822 => {
                response.name(out, "RFC822");
                let whole = contents.whole()?;
                self.literal(whole);
            }
            FetchItem::Rfc822Header => {
                response.name(out, "RFC822.HEADER");
                self.section(contents, &text_of(SectionText::Header), None)?;
            }
            FetchItem::Rfc822Text => {
                response.name(out, "RFC822.TEXT");
                self.section(contents, &text_of(SectionText::Text), None)?;
            }
            FetchItem::Section { section, partial, .. } => {
                response.section(out, section, *partial);
                self.section(contents, section, *partial)?;
            }
        }
        Ok(())
    }

    /// Adds the content of a section, or NIL when the message has no such part.
    fn section(
        &mut self,
        contents: &mut Contents,
        section: &Section,
        partial: Option<Partial>,
    ) -> Result<(), StoreError> {
        let wanted = match &section.text {
            None if section.part.is_empty() => {
                let whole = contents.whole()?;
                self.literal(whole.part(partial));
                return Ok(());
            }
            None => SectionContent::All,
            Some(SectionText::Mime) => SectionContent::Mime,
            Some(SectionText::Text) => SectionContent::Text,
            Some(SectionText::Header | SectionText::HeaderFields(_) | SectionText::HeaderFieldsNot(_)) => {
                SectionContent::Header
            }
        };
        let Some(span) = contents.readable_outline()?.locate(&section.part, wanted) else {
            self.text.extend_from_slice(b"NIL");
            return Ok(());
        };
        let (names, among) = match &section.text {
            Some(SectionText::HeaderFields(names)) => (names, true),
            Some(SectionText::HeaderFieldsNot(names)) => (names, false),
            _ => {
                let octets = contents.octets(span)?;
                self.literal(octets.part(partial));
                return Ok(());
            }
        };
        let header = contents.stored(span, MAX_HEADER as u64)?;
        let names: HashSet<Vec<u8>> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        let selected =
            select_fields(&header, |field| names.contains(&field.name.to_ascii_lowercase()) == among);
        string(&mut self.text, range(&to_crlf(&selected), partial));
        Ok(())
    }

    fn literal(&mut self, octets: Octets) {
        literal_header(&mut self.text, octets.left());
        if octets.left() > 0 {
            self.octets.push_back((self.text.len(), octets));
        }
    }

    /// Appends the next octets of the response to `out` until that holds about `limit`. An error means that the
    /// connection has to end: see [`Octets::read`].
    pub(super) fn send(&mut self, limit: usize, out: &mut Vec<u8>) -> io::Result<()> {
        while out.len() < limit && !self.is_sent() {
            let next = self.octets.front().map_or(self.text.len(), |(position, _)| *position);
            out.extend_from_slice(&self.text[self.sent..next]);
            self.sent = next;
            if let Some((_, octets)) = self.octets.front_mut() {
                octets.read(limit, out)?;
                if octets.left() == 0 {
                    self.octets.pop_front();
                }
            }
        }
        Ok(())
    }

    /// Returns true once all of it was sent.
    pub(super) fn is_sent(&self) -> bool {
        self.sent == self.text.len() && self.octets.is_empty()
    }
}

fn text_of(text: SectionText) -> Section {
    Section { part: Vec::new(), text: Some(text) }
}

/// The requested range of octets in memory.
fn range(octets: &[u8], partial: Option<Partial>) -> &[u8] {
    let Some(Partial { origin, count }) = partial else { return octets };
    let position = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(octets.len());
    let end = u64::from(origin) + u64::from(count.get());
    &octets[position(u64::from(origin))..position(end)]
}
