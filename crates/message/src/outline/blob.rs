//! The outline as a blob for the mailbox index: a version octet, the envelope, the parts.
//!
//! Numbers are little-endian groups of seven bits, the high bit saying that more follow; octet strings
//! are their length and themselves; what may be missing is one more than its length, or zero. Children's
//! offsets are written relative to their parent's, so most numbers take a byte or two. The blob is a
//! cache: one that does not decode, by its version or by damage, is made anew from the message.

mod decode;
mod encode;

use thiserror::Error;

use super::Outline;
use crate::Envelope;

/// Changes whenever the form of the blob, or what the indexer finds, changes: old blobs then no longer
/// decode.
pub const VERSION: u8 = 3;

/// Why a blob is no outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BlobError {
    /// Written by another version.
    #[error("an outline blob of version {0}, not {VERSION}")]
    Version(u8),
    /// Cut short, or numbers in it contradict each other.
    #[error("a damaged outline blob")]
    Damaged,
}

impl Outline {
    /// A compact form of all that is known of the message.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        encode::outline(self, &mut out);
        out
    }

    /// The outline that [`Outline::encode`] was given.
    pub fn decode(blob: &[u8]) -> Result<Self, BlobError> {
        let mut reader = decode::Reader::new(blob)?;
        let outline = reader.outline()?;
        reader.end()?;
        Ok(outline)
    }

    /// The envelope alone, which comes first in the blob: listing a mailbox asks for no more.
    pub fn decode_envelope(blob: &[u8]) -> Result<Envelope, BlobError> {
        decode::Reader::new(blob)?.envelope()
    }
}
