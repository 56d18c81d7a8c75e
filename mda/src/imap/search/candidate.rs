//! One message held against a search's conditions.

use std::ops::RangeInclusive;

use imap_proto::Date;
use message::field::fields;
use message::outline::MAX_HEADER;
use message::text::{MAX_STORED_TEXT, Piece, fold_case, header_text};
use message::{DateTime, encoded_word};

use super::charset::Needle;
use super::condition::Condition;
use super::remembered::{Remembered, remembered};
use crate::imap::contents::Contents;
use crate::index::Facts;
use crate::mailbox::{Entry, Mailbox, StoreError};
use crate::maildir::Uid;

/// How much text of one message is kept while several conditions look at it. What lies behind is not
/// searched.
const MAX_TEXT: usize = 16 * 1024 * 1024;

/// A message that may fit.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) mailbox: &'a Mailbox,
    pub(super) number: u32,
    pub(super) entry: &'a Entry,
    pub(super) recent: bool,
    /// What the index remembers of it.
    pub(super) facts: Option<Facts>,
    contents: Option<Contents>,
    header: Option<Vec<u8>>,
    texts: Option<Texts>,
}

/// A message's texts in the form of [`fold_case`].
#[derive(Debug, Default)]
struct Texts {
    header: String,
    /// MIME headers: searched by TEXT, not by BODY.
    mime: Vec<String>,
    body: Vec<String>,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(
        mailbox: &'a Mailbox,
        (number, entry): (u32, &'a Entry),
        recent: bool,
        facts: Option<Facts>,
    ) -> Self {
        Self { mailbox, number, entry, recent, facts, contents: None, header: None, texts: None }
    }

    /// Does the message fit?
    pub(super) fn fits(&mut self, condition: &Condition) -> Result<bool, StoreError> {
        Ok(match condition {
            Condition::All(conditions) => {
                for condition in conditions {
                    if !self.fits(condition)? {
                        return Ok(false);
                    }
                }
                true
            }
            Condition::Any(conditions) => {
                for condition in conditions {
                    if self.fits(condition)? {
                        return Ok(true);
                    }
                }
                false
            }
            Condition::Not(condition) => !self.fits(condition)?,
            Condition::Numbers(ranges) => is_among(ranges, self.number),
            Condition::Uids(ranges) => is_among(ranges, self.entry.uid.value()),
            Condition::With(flags) => self.entry.flags.contains(*flags),
            Condition::Recent => self.recent,
            Condition::Size(ordering, octets) => self.contents().size()?.cmp(octets) == *ordering,
            Condition::Received(days) => days.have(self.received()?),
            Condition::Sent(days) => days.have(self.sent()?),
            Condition::Field(name, needle) => self.field_holds(name, needle)?,
            Condition::Body(needle) => self.texts()?.body.iter().any(|text| needle.is_in(text)),
            Condition::Text(needle) => {
                let texts = self.texts()?;
                needle.is_in(&texts.header)
                    || texts.body.iter().chain(&texts.mime).any(|text| needle.is_in(text))
            }
        })
    }

    /// What the index should remember from now on.
    pub(super) fn learned(self) -> Option<(Uid, Facts)> {
        self.contents.and_then(Contents::learned)
    }

    fn contents(&mut self) -> &mut Contents {
        let (mailbox, entry, facts) = (self.mailbox, self.entry, &mut self.facts);
        self.contents.get_or_insert_with(|| Contents::new(mailbox.clone(), entry.clone(), facts.take()))
    }

    fn received(&mut self) -> Result<Date, StoreError> {
        self.contents().received().map(Date::of_seconds)
    }

    /// The day that the Date field names, on its writer's own calendar (RFC 3501 §6.4.4: "disregarding
    /// time and timezone"); the day of arrival when it names none.
    fn sent(&mut self) -> Result<Date, StoreError> {
        let written = self.contents().envelope()?.date.as_deref().and_then(DateTime::quirk_date);
        let day = written.and_then(|(year, month, day)| Date::new(i32::from(year), month, day));
        day.map_or_else(|| self.received(), Ok)
    }

    /// Does a field of that name hold the text? The envelope is enough to know, where it holds all that
    /// the field does.
    fn field_holds(&mut self, name: &str, needle: &Needle) -> Result<bool, StoreError> {
        match remembered(self.contents().envelope()?, name, needle) {
            Remembered::Absent => return Ok(false),
            Remembered::Holds(text) => return Ok(needle.is_in(&fold_case(&text))),
            Remembered::Unknown => {}
        }
        let header = self.header()?;
        Ok(fields(header)
            .filter(|field| field.is(name))
            .any(|field| needle.is_in(&fold_case(&encoded_word::decode(field.value)))))
    }

    fn header(&mut self) -> Result<&[u8], StoreError> {
        if self.header.is_none() {
            let span = self.contents().readable_outline()?.root.header;
            self.header = Some(self.contents().stored(span, MAX_HEADER as u64)?);
        }
        Ok(self.header.as_deref().unwrap_or_default())
    }

    fn texts(&mut self) -> Result<&Texts, StoreError> {
        if self.texts.is_none() {
            let header = fold_case(&header_text(self.header()?));
            let texts = Texts { header, ..self.body_texts()? };
            self.texts = Some(texts);
        }
        Ok(self.texts.get_or_insert_default())
    }

    fn body_texts(&mut self) -> Result<Texts, StoreError> {
        let contents = self.contents();
        let outline = contents.readable_outline()?.clone();
        let mut texts = Texts::default();
        let mut kept = 0;
        for piece in outline.pieces() {
            let (span, limit) = match piece {
                Piece::Header(span) | Piece::Mime(span) => (span, MAX_HEADER as u64),
                Piece::Text(part) => (part.body, MAX_STORED_TEXT),
            };
            let stored = contents.stored(span, limit)?;
            let text = match piece {
                Piece::Header(_) | Piece::Mime(_) => fold_case(&header_text(&stored)),
                Piece::Text(part) => fold_case(&part.text(&stored)),
            };
            kept += text.len();
            match piece {
                Piece::Mime(_) => texts.mime.push(text),
                Piece::Header(_) | Piece::Text(_) => texts.body.push(text),
            }
            if kept > MAX_TEXT {
                break;
            }
        }
        Ok(texts)
    }
}

fn is_among(ranges: &[RangeInclusive<u32>], number: u32) -> bool {
    let behind = ranges.partition_point(|range| *range.start() <= number);
    behind.checked_sub(1).is_some_and(|last| ranges[last].contains(&number))
}
