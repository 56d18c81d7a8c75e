use std::fmt;

use crate::maildir::{FileName, Flags, Uid};

/// A modification sequence (RFC 7162 §3.1): greater than all that the mailbox had before.
///
/// Its value is the time in microseconds, increased where needed so that no value repeats. So it grows even when the
/// record of earlier values is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModSeq(pub(crate) u64);

impl ModSeq {
    /// The number, within the 63 bits of RFC 7162.
    pub fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ModSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One message of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageEntry {
    /// Its identifier.
    pub uid: Uid,
    /// Its flags; the snapshot has the keywords' names.
    pub flags: Flags,
    /// The last change of its flags, or its arrival.
    pub mod_seq: ModSeq,
    /// True if no session has claimed it as `\Recent` yet.
    pub is_unclaimed: bool,
    /// Its file.
    pub file: FileName,
}

impl MessageEntry {
    /// The size with CRLF at the end of each line (RFC822.SIZE), as the file's name has it. It is right if the file has
    /// the size that its name claims ([`FileName::virtual_size`]). `None` if only reading the message shows it.
    pub fn size(&self) -> Option<u64> {
        self.file.claimed_virtual_size()
    }
}

/// Consecutive messages of a snapshot. Snapshots share the chunks in which they do not differ.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunk {
    pub(super) entries: Vec<MessageEntry>,
    /// Number of messages that are not `\Seen`.
    pub(super) unseen: u32,
    /// Number of messages that are unclaimed.
    pub(super) unclaimed: u32,
}

impl Chunk {
    /// The usual number of messages; a chunk with more than twice as many is split. A change copies one chunk and the
    /// list of chunks; this length keeps both short for a mailbox of 100,000 messages.
    pub(super) const LENGTH: usize = 256;

    pub(super) fn new(entries: Vec<MessageEntry>) -> Self {
        let mut chunk = Self { entries, unseen: 0, unclaimed: 0 };
        chunk.recount();
        chunk
    }

    /// Counts again after a change of entries.
    pub(super) fn recount(&mut self) {
        self.unseen = self.entries.iter().filter(|entry| !entry.flags.contains(Flags::SEEN)).count() as u32;
        self.unclaimed = self.entries.iter().filter(|entry| entry.is_unclaimed).count() as u32;
    }

    pub(super) fn last(&self) -> Option<Uid> {
        self.entries.last().map(|entry| entry.uid)
    }
}
