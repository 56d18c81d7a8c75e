use std::fs::File;
use std::sync::Arc;

use message::Span;

use super::read_at_most;
use crate::imap::cancellation::CancellationToken;
use crate::mailbox::StoreError;

/// A stretch of a message as it is stored, read one piece at a time until the work is abandoned.
#[derive(Debug)]
pub(in crate::imap) struct SpanReader {
    file: Arc<File>,
    at: u64,
    end: u64,
    start: u64,
    piece: Vec<u8>,
    cancellation: CancellationToken,
}

impl SpanReader {
    pub(super) fn new(file: Arc<File>, span: Span, piece: usize, cancellation: CancellationToken) -> Self {
        let piece = vec![0; piece.min(usize::try_from(span.stored()).unwrap_or(piece))];
        Self { file, at: span.start, end: span.end, start: span.start, piece, cancellation }
    }

    /// The next octets, or `None` at the end.
    pub(in crate::imap) fn next(&mut self) -> Result<Option<&[u8]>, StoreError> {
        self.cancellation.check()?;
        let wanted = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(self.piece.len());
        let piece = &mut self.piece[..wanted];
        let read = read_at_most(&self.file, piece, self.at).map_err(|source| StoreError::Disk {
            step: "read",
            path: "a message's file".into(),
            source,
        })?;
        self.at += read as u64;
        Ok((read > 0).then_some(&self.piece[..read]))
    }

    /// Number of octets read.
    pub(in crate::imap) fn octets_read(&self) -> u64 {
        self.at - self.start
    }
}
