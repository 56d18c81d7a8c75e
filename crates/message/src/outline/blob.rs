//! The outline as a blob for the mailbox index: a version octet, the envelope, the parts.
//!
//! Numbers are little-endian groups of seven bits, with the high bit set when more follow; octet strings are preceded
//! by their length; an optional one by its length plus one, or by zero if it is missing. Children's offsets are written
//! relative to their parent's, so most numbers take a byte or two. The blob is a cache: one that does not decode, by
//! its version or because it is damaged, is rebuilt from the message.

mod decode;
mod encode;

use thiserror::Error;

use super::Outline;
use crate::Envelope;

/// Changes whenever the format of the blob or the results of the indexer change: old blobs then no longer
/// decode.
pub const VERSION: u8 = 3;

/// The reason why a blob does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BlobError {
    /// Written by another version.
    #[error("an outline blob of version {0}, not {VERSION}")]
    Version(u8),
    /// The blob is cut short, or numbers in it contradict each other.
    #[error("a damaged outline blob")]
    Damaged,
}

impl Outline {
    /// Encodes the outline in a compact form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        encode::outline(self, &mut out);
        out
    }

    /// Decodes a blob of [`Outline::encode`].
    pub fn decode(blob: &[u8]) -> Result<Self, BlobError> {
        let mut reader = decode::Reader::new(blob)?;
        let outline = reader.outline()?;
        reader.end()?;
        Ok(outline)
    }

    /// Decodes the envelope alone, which is first in the blob: listing a mailbox needs no more.
    pub fn decode_envelope(blob: &[u8]) -> Result<Envelope, BlobError> {
        decode::Reader::new(blob)?.envelope()
    }
}
