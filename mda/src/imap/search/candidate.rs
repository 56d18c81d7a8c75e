//! Evaluation of one message against a search's conditions.

use std::ops::RangeInclusive;

use imap_proto::Date;
use message::field::fields;
use message::outline::MAX_HEADER;
use message::text::{HtmlText, SearchablePart, folded, header_lines};
use message::{DateTime, Part, encoded_word};

use super::condition::{Condition, ConditionIndex, Conditions};
use super::indexed_field::{IndexedField, indexed_field};
use super::scan::{Area, Scan, Window};
use super::strings::Needle;
use crate::imap::cancellation::CancellationToken;
use crate::imap::contents::Contents;
use crate::index::Facts;
use crate::mailbox::{Mailbox, MessageEntry, StoreError};
use crate::maildir::Uid;

/// Octets of a body that are read at a time. Decoded and folded they may briefly take ten times as much memory.
const PIECE: usize = 16 * 1024;

/// A message that may match.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) mailbox: &'a Mailbox,
    pub(super) number: u32,
    pub(super) entry: &'a MessageEntry,
    pub(super) recent: bool,
    /// The facts that the index has of it.
    pub(super) facts: Option<Facts>,
    pub(super) cancellation: &'a CancellationToken,
    contents: Option<Contents>,
    header: Option<Vec<u8>>,
    /// One entry for each of the search's strings, `true` if the message's text contains it.
    found: Option<Vec<bool>>,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(
        mailbox: &'a Mailbox,
        (number, entry): (u32, &'a MessageEntry),
        recent: bool,
        facts: Option<Facts>,
        cancellation: &'a CancellationToken,
    ) -> Self {
        let (contents, header, found) = (None, None, None);
        Self { mailbox, number, entry, recent, facts, cancellation, contents, header, found }
    }

    /// Returns true if the message meets all of these conditions.
    pub(super) fn meets_all(
        &mut self,
        all: &Conditions,
        indexes: &[ConditionIndex],
    ) -> Result<bool, StoreError> {
        for index in indexes {
            if !self.meets(all, *index)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Evaluates a condition and its operands, as far as they matter, with an explicit stack.
    fn meets(&mut self, all: &Conditions, index: ConditionIndex) -> Result<bool, StoreError> {
        // Each with the number of its operands that were evaluated; `holds` is the result of the last of them.
        let mut open = vec![(index, 0)];
        let mut holds = true;
        while let Some((index, evaluated)) = open.pop() {
            let (operands, continue_while) = match all.at(index) {
                Condition::All(operands) => (operands.as_slice(), true),
                Condition::Any(operands) => (operands.as_slice(), false),
                Condition::Not(operand) if evaluated == 0 => {
                    open.extend([(index, 1), (*operand, 0)]);
                    continue;
                }
                Condition::Not(_) => {
                    holds = !holds;
                    continue;
                }
                condition => {
                    holds = self.meets_simple(condition, all)?;
                    continue;
                }
            };
            if evaluated == 0 {
                holds = continue_while;
            }
            if let Some(operand) = operands.get(evaluated).filter(|_| holds == continue_while) {
                open.extend([(index, evaluated + 1), (*operand, 0)]);
            }
        }
        Ok(holds)
    }

    fn meets_simple(&mut self, condition: &Condition, all: &Conditions) -> Result<bool, StoreError> {
        Ok(match condition {
            Condition::All(_) | Condition::Any(_) | Condition::Not(_) => false,
            Condition::Numbers(ranges) => is_among(ranges, self.number),
            Condition::Uids(ranges) => is_among(ranges, self.entry.uid.value()),
            Condition::With(flags) => self.entry.flags.contains(*flags),
            Condition::Recent => self.recent,
            Condition::Size(ordering, octets) => self.contents().size()?.cmp(octets) == *ordering,
            Condition::Received(days) => days.contain(self.received()?),
            Condition::Sent(days) => days.contain(self.sent()?),
            Condition::Field(name, needle) => self.field_contains(name, needle)?,
            Condition::Text(index) => {
                if self.found.is_none() {
                    self.found = Some(self.scan(all)?);
                }
                self.found.as_ref().is_some_and(|found| found[*index])
            }
        })
    }

    /// Number of octets read from the message.
    pub(super) fn octets_read(&self) -> u64 {
        self.contents.as_ref().map_or(0, Contents::octets_read)
    }

    /// Facts that the index does not have yet.
    pub(super) fn new_facts(self) -> Option<(Uid, Facts)> {
        self.contents.and_then(Contents::new_facts)
    }

    fn contents(&mut self) -> &mut Contents {
        let Self { mailbox, entry, facts, cancellation, contents, .. } = self;
        contents.get_or_insert_with(|| {
            Contents::new((*mailbox).clone(), entry.clone(), facts.take())
                .with_cancellation((*cancellation).clone())
        })
    }

    fn received(&mut self) -> Result<Date, StoreError> {
        self.contents().received().map(Date::from_seconds)
    }

    /// The day in the Date field, on its writer's own calendar (RFC 3501 §6.4.4: "disregarding time and timezone"), or
    /// the day of arrival when the field has none.
    fn sent(&mut self) -> Result<Date, StoreError> {
        let written = self.contents().envelope()?.date.as_deref().and_then(DateTime::quirk_date);
        let day = written.and_then(|(year, month, day)| Date::new(i32::from(year), month, day));
        day.map_or_else(|| self.received(), Ok)
    }

    /// Returns true if a field of this name contains the text. The envelope is enough where it holds all that the field
    /// does.
    fn field_contains(&mut self, name: &str, needle: &Needle) -> Result<bool, StoreError> {
        match indexed_field(self.contents().envelope()?, name, needle) {
            IndexedField::Absent => return Ok(false),
            IndexedField::Complete(text) => return Ok(needle.is_in(&folded(&text))),
            IndexedField::Partial(text) if needle.is_in(&folded(&text)) => return Ok(true),
            IndexedField::Partial(_) | IndexedField::Unknown => {}
        }
        let header = self.header()?;
        Ok(fields(header)
            .filter(|field| field.is(name))
            .any(|field| needle.is_in(&folded(&encoded_word::decode(field.value)))))
    }

    fn header(&mut self) -> Result<&[u8], StoreError> {
        if self.header.is_none() {
            let span = self.contents().readable_outline()?.root.header;
            self.header = Some(self.contents().stored(span, MAX_HEADER as u64)?);
        }
        Ok(self.header.as_deref().unwrap_or_default())
    }

    /// Looks for all strings in one pass, which ends when all are found.
    fn scan(&mut self, all: &Conditions) -> Result<Vec<bool>, StoreError> {
        let mut scan = Scan::new(&all.strings);
        if all.strings.iter().any(|string| !string.only_in_body) {
            look_at_header(self.header()?, Area::Header, &mut scan);
        }
        let contents = self.contents();
        let outline = contents.readable_outline()?.clone();
        for piece in outline.searchable_parts() {
            if scan.is_done() {
                break;
            }
            match piece {
                SearchablePart::Header(span) => {
                    look_at_header(&contents.stored(span, MAX_HEADER as u64)?, Area::Body, &mut scan);
                }
                SearchablePart::Mime(span) => {
                    look_at_header(&contents.stored(span, MAX_HEADER as u64)?, Area::Header, &mut scan);
                }
                SearchablePart::Text(part) => look_at_part(contents, part, &mut scan)?,
            }
        }
        Ok(scan.found())
    }
}

fn look_at_header(header: &[u8], area: Area, scan: &mut Scan<'_>) {
    header_lines(header).for_each(|line| scan.look_at(area, &line));
}

/// Scans a part's text as it is written and, when it is HTML, also as it is shown.
fn look_at_part(contents: &mut Contents, part: &Part, scan: &mut Scan<'_>) -> Result<(), StoreError> {
    let mut decoder = part.text_decoder();
    let mut text = String::new();
    let mut written = Window::default();
    let mut shown = part.is_html().then(|| (HtmlText::default(), String::new(), Window::default()));
    let mut look = |text: &mut String, scan: &mut Scan<'_>| {
        written.push(text, scan);
        if let Some((html, seen, window)) = &mut shown {
            html.push(text, seen);
            window.push(seen, scan);
            seen.clear();
        }
        text.clear();
    };
    let mut stretch = contents.span_reader(part.body, PIECE)?;
    while !scan.is_done() {
        let Some(octets) = stretch.next()? else { break };
        decoder.push(octets, &mut text);
        look(&mut text, scan);
    }
    contents.note_read(stretch.octets_read());
    decoder.finish(&mut text);
    look(&mut text, scan);
    written.finish(scan);
    if let Some((html, mut seen, mut window)) = shown {
        html.finish(&mut seen);
        window.push(&seen, scan);
        window.finish(scan);
    }
    Ok(())
}

fn is_among(ranges: &[RangeInclusive<u32>], number: u32) -> bool {
    let behind = ranges.partition_point(|range| *range.start() <= number);
    behind.checked_sub(1).is_some_and(|last| ranges[last].contains(&number))
}
