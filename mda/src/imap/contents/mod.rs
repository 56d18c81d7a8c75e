//! The contents of a message, read on demand: from the index if it has them, from the message's file otherwise. Facts
//! that were read from the file can be stored in the index.
//!
//! Everything here blocks. A message whose file is gone ends in [`StoreError::MessageGone`]; once its file is open it
//! stays readable, even if another process removes it.

mod cached_facts;
mod octets;
mod span_reader;
#[cfg(test)]
pub(super) mod test_mailbox;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use message::{Envelope, Outline, Span, outline::Indexer};

pub(super) use cached_facts::CachedFacts;
pub(super) use octets::Octets;
pub(super) use span_reader::SpanReader;

use super::cancellation::CancellationToken;
use crate::index::{Facts, FileStamp};
use crate::mailbox::{Mailbox, MessageEntry, StoreError};
use crate::maildir::{Uid, seconds};

/// Number of octets read from a file at a time.
const PIECE: usize = 64 * 1024;

/// One message.
#[derive(Debug)]
pub(super) struct Contents {
    mailbox: Mailbox,
    entry: MessageEntry,
    facts: Option<Facts>,
    /// True if the facts were read from the file, so that the index does not have them yet.
    has_new_facts: bool,
    outline: Option<Outline>,
    envelope: Option<Envelope>,
    file: Option<OpenFile>,
    /// Stops a long read once its client is gone.
    cancellation: CancellationToken,
    octets_read: u64,
}

/// The message's file.
#[derive(Debug, Clone)]
struct OpenFile {
    file: Arc<File>,
    stored_size: u64,
    size: Option<u64>,
    received: i64,
    stamp: FileStamp,
}

impl Contents {
    /// A message of this mailbox, with the facts that the index has of it.
    pub(super) fn new(mailbox: Mailbox, entry: MessageEntry, facts: Option<Facts>) -> Self {
        Self {
            mailbox,
            entry,
            facts,
            has_new_facts: false,
            outline: None,
            envelope: None,
            file: None,
            cancellation: CancellationToken::default(),
            octets_read: 0,
        }
    }

    /// The same message, read only until the work is abandoned.
    pub(super) fn with_cancellation(self, cancellation: CancellationToken) -> Self {
        Self { cancellation, ..self }
    }

    /// Number of octets read from the file.
    pub(super) fn octets_read(&self) -> u64 {
        self.octets_read
    }

    /// Adds octets that were read by a [`SpanReader`].
    pub(super) fn note_read(&mut self, octets: u64) {
        self.octets_read += octets;
    }

    /// RFC822.SIZE.
    pub(super) fn size(&mut self) -> Result<u64, StoreError> {
        match self.mailbox.size(&self.entry) {
            Some(size) => Ok(size),
            None => self.facts().map(|facts| facts.size),
        }
    }

    /// INTERNALDATE, in seconds since 1970.
    pub(super) fn received(&mut self) -> Result<i64, StoreError> {
        match &self.facts {
            Some(facts) => Ok(facts.received),
            None => self.file().map(|file| file.received),
        }
    }

    /// The main fields of the header.
    pub(super) fn envelope(&mut self) -> Result<&Envelope, StoreError> {
        if self.envelope.is_none() && self.outline.is_none() {
            let envelope = Outline::decode_envelope(&self.facts()?.structure);
            match envelope {
                Ok(envelope) => self.envelope = Some(envelope),
                // A blob of an older version, or a damaged one.
                Err(_) => self.index()?,
            }
        }
        match (&self.outline, &mut self.envelope) {
            (Some(outline), _) => Ok(&outline.envelope),
            (None, envelope) => Ok(envelope.get_or_insert_default()),
        }
    }

    /// The structure.
    pub(super) fn outline(&mut self) -> Result<&Outline, StoreError> {
        if self.outline.is_none() {
            match Outline::decode(&self.facts()?.structure) {
                Ok(outline) => self.outline = Some(outline),
                Err(_) => self.index()?,
            }
        }
        Ok(self.outline.get_or_insert_with(|| Outline::parse(b"")))
    }

    /// The structure, with the file open and as long as the structure says, so that every span found in it can be read.
    pub(super) fn readable_outline(&mut self) -> Result<&Outline, StoreError> {
        let stored = self.file()?.stored_size;
        if self.outline()?.whole().end != stored {
            self.index()?;
        }
        self.outline()
    }

    /// The whole message, to be sent.
    pub(super) fn whole(&mut self) -> Result<Octets, StoreError> {
        let file = self.file()?;
        // The size in a file's name may be wrong about the octets in CRLF form. If it equals the stored size it can be
        // trusted, since exactly that many octets are sent. Any other number is counted, or the announced length might
        // not be kept.
        let span = match file.size {
            Some(octets) if octets == file.stored_size => Span { start: 0, end: octets, octets },
            _ => self.readable_outline()?.whole(),
        };
        self.octets(span)
    }

    /// A stretch of the message, to be sent. The span must come from [`Contents::readable_outline`].
    pub(super) fn octets(&mut self, span: Span) -> Result<Octets, StoreError> {
        Ok(Octets::new(Arc::clone(&self.file()?.file), span))
    }

    /// A stretch of the message as it is stored, cut off after `limit` octets.
    pub(super) fn stored(&mut self, span: Span, limit: u64) -> Result<Vec<u8>, StoreError> {
        let file = self.file()?.file;
        let length = usize::try_from(span.stored().min(limit)).unwrap_or(usize::MAX);
        let mut octets = vec![0; length];
        let read = read_at_most(&file, &mut octets, span.start).map_err(|error| self.read_error(error))?;
        octets.truncate(read);
        self.octets_read += read as u64;
        Ok(octets)
    }

    /// A stretch of the message as it is stored, to be read in pieces of this size.
    pub(super) fn span_reader(&mut self, span: Span, piece: usize) -> Result<SpanReader, StoreError> {
        Ok(SpanReader::new(self.file()?.file, span, piece, self.cancellation.clone()))
    }

    /// Facts that the index does not have yet.
    pub(super) fn new_facts(self) -> Option<(Uid, Facts)> {
        let uid = self.entry.uid;
        self.facts.filter(|_| self.has_new_facts).map(|facts| (uid, facts))
    }

    fn facts(&mut self) -> Result<&Facts, StoreError> {
        if self.facts.is_none() {
            self.index()?;
        }
        Ok(self.facts.get_or_insert_with(|| Facts {
            size: 0,
            received: 0,
            structure: Vec::new(),
            file: FileStamp::default(),
        }))
    }

    fn file(&mut self) -> Result<OpenFile, StoreError> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        let stored = self.mailbox.read(&self.entry)?;
        let file = OpenFile {
            file: Arc::new(stored.file),
            stored_size: stored.stored_size,
            size: stored.size,
            received: seconds(stored.received),
            stamp: stored.stamp,
        };
        Ok(self.file.insert(file).clone())
    }

    /// Reads the whole file and collects all facts that the index can keep.
    fn index(&mut self) -> Result<(), StoreError> {
        let file = self.file()?;
        let mut indexer = Indexer::new();
        let mut piece = vec![0; PIECE];
        let mut at = 0;
        loop {
            self.cancellation.check()?;
            let read = read_at_most(&file.file, &mut piece, at).map_err(|error| self.read_error(error))?;
            if read == 0 {
                break;
            }
            indexer.push(&piece[..read]);
            at += read as u64;
        }
        self.octets_read += at;
        let outline = indexer.finish();
        self.facts = Some(Facts {
            size: outline.octets(),
            received: file.received,
            structure: outline.encode(),
            file: file.stamp,
        });
        self.has_new_facts = true;
        self.outline = Some(outline);
        // Another program may have appended to the file after it was opened.
        self.file = Some(OpenFile { stored_size: at, ..file });
        Ok(())
    }

    fn read_error(&self, source: std::io::Error) -> StoreError {
        StoreError::Disk { step: "read", path: self.entry.file.path(), source }
    }
}

/// Fills the buffer, or as much of it as the file has octets for.
fn read_at_most(file: &File, buffer: &mut [u8], start: u64) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], start + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
