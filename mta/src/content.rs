//! One message's octets: written once while they arrive, then read as often as needed.
//!
//! The header section of a whole message is held in memory, because fields are put on top of it and removed from it; a
//! long one counts in the whole server's budget, and is in a file while it arrives. The body is held in memory while it
//! is small and the budget has room, and otherwise in an unlinked file, so that no crash leaves anything behind.
//! Content is not yet durable: [`crate::queue`] and the MDA make it so.

mod chunks;
mod spool;

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

pub use chunks::Chunks;
pub use spool::{Incoming, Spool, SpoolError};

/// The longest header section that is accepted. Mail in the wild stays under 100 KiB even with many signatures and
/// hundreds of addresses; a longer one only serves to use up memory.
pub const MAX_HEADER: usize = 512 * 1024;

/// A whole message: header section, empty line, body, all lines ended by CRLF, no dot-stuffing.
#[derive(Clone, Debug)]
pub struct Content {
    /// All fields and, if there is one, the empty line after them. Shared by the clones: a message is cloned for each
    /// task that reads it.
    header: Arc<Vec<u8>>,
    body: Arc<Body>,
    /// The share of the budget that a long header section uses.
    _budget: Option<Arc<OwnedSemaphorePermit>>,
}

/// The octets after the empty line.
#[derive(Debug)]
enum Body {
    Memory {
        octets: Bytes,
        _budget: Option<OwnedSemaphorePermit>,
    },
    /// `length` octets from `start` on, in a file that does not change.
    File {
        file: File,
        start: u64,
        length: u64,
    },
}

impl Content {
    /// A message that is complete in memory, such as a report of our own.
    pub fn from_octets(mut octets: Vec<u8>) -> Self {
        let body = octets.split_off(message::field::header_length(&octets));
        let body = Body::Memory { octets: body.into(), _budget: None };
        Self { header: Arc::new(octets), body: Arc::new(body), _budget: None }
    }

    /// The message in a file of the queue. Reads its header section.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let whole = file.metadata()?.len();
        // Our own trace fields and signatures came on top of a header section that was within the limit.
        let header = read_header(&file, 2 * MAX_HEADER)?;
        let start = header.len() as u64;
        let body = Body::File { file, start, length: whole.saturating_sub(start) };
        Ok(Self { header: Arc::new(header), body: Arc::new(body), _budget: None })
    }

    /// The header section, with the empty line that ends it.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// The size of the whole message in octets.
    pub fn len(&self) -> u64 {
        self.header.len() as u64 + self.body.len()
    }

    /// True if the message has no octets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts whole fields, each ended by CRLF, on top.
    pub fn prepend(&mut self, fields: &[u8]) {
        debug_assert!(fields.is_empty() || fields.ends_with(b"\r\n"), "a field ends with CRLF");
        Arc::make_mut(&mut self.header).splice(0..0, fields.iter().copied());
    }

    /// Removes parts of the header section: whole fields, in their order, without duplicates.
    pub fn remove(&mut self, fields: &[Range<usize>]) {
        if fields.is_empty() {
            return;
        }
        // In one pass: a message may have thousands of them.
        let mut kept = Vec::with_capacity(self.header.len());
        let mut at = 0;
        for field in fields {
            kept.extend_from_slice(&self.header[at..field.start]);
            at = field.end;
        }
        kept.extend_from_slice(&self.header[at..]);
        self.header = Arc::new(kept);
    }

    /// The whole message in pieces, for sending.
    pub fn chunks(&self) -> Chunks {
        Chunks::new(self.clone())
    }

    /// Writes the whole message. Blocks, so it must not run in a task of the runtime.
    pub fn copy_to(&self, writer: &mut impl Write) -> io::Result<()> {
        writer.write_all(&self.header)?;
        self.copy_body_to(writer)
    }

    /// Writes the body alone. Blocks as well.
    pub fn copy_body_to(&self, writer: &mut impl Write) -> io::Result<()> {
        let mut at = 0;
        while let Some(chunk) = self.body.chunk(at)? {
            writer.write_all(&chunk)?;
            at += chunk.len() as u64;
        }
        Ok(())
    }
}

impl Body {
    /// Octets per read: enough to make the calls cheap, few enough for a thousand sessions.
    const CHUNK: usize = 64 * 1024;

    fn len(&self) -> u64 {
        match self {
            Self::Memory { octets, .. } => octets.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// The piece that begins at `at`; `None` at the end. Blocks when the body is a file.
    fn chunk(&self, at: u64) -> io::Result<Option<Bytes>> {
        let left = self.len().saturating_sub(at);
        if left == 0 {
            return Ok(None);
        }
        let wanted = usize::try_from(left).map_or(Self::CHUNK, |left| left.min(Self::CHUNK));
        match self {
            Self::Memory { octets, .. } => {
                let from = octets.len() - usize::try_from(left).unwrap_or(octets.len());
                Ok(Some(octets.slice(from..from + wanted)))
            }
            Self::File { file, start, .. } => {
                let mut chunk = vec![0; wanted];
                file.read_exact_at(&mut chunk, start + at)?;
                Ok(Some(chunk.into()))
            }
        }
    }
}

/// Reads the header section at the beginning of a file, at most `limit` octets of it.
fn read_header(file: &File, limit: usize) -> io::Result<Vec<u8>> {
    const STEP: usize = 16 * 1024;
    let mut octets = Vec::with_capacity(STEP);
    loop {
        let filled = octets.len();
        octets.resize(filled + STEP, 0);
        let read = file.read_at(&mut octets[filled..], filled as u64)?;
        octets.truncate(filled + read);
        let length = message::field::header_length(&octets);
        if length < octets.len() || read == 0 || octets.len() >= limit {
            octets.truncate(length);
            return Ok(octets);
        }
    }
}

#[cfg(test)]
mod tests;
