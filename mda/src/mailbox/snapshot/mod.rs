//! A view of a mailbox that never changes.
//!
//! A session works on one snapshot and moves on to the next when the protocol allows it; the client is then sent the
//! [`Difference`] of the two. Snapshots share all runs of messages in which they do not differ, so the cost of a new
//! one is that of the changes, not of the mailbox.

mod chunk;
mod difference;
mod edit;

use std::ops::RangeInclusive;
use std::sync::Arc;

pub use chunk::{MessageEntry, ModSeq};
pub use difference::Difference;

use chunk::Chunk;

use crate::maildir::{Flags, Keywords, Uid, UidValidity};

/// A mailbox at one moment, with messages in the order of their UIDs.
#[derive(Debug, Clone)]
pub struct Snapshot {
    uid_validity: UidValidity,
    /// The UID that the next message gets; `None` when all are used up.
    uid_next: Option<Uid>,
    highest_mod_seq: ModSeq,
    keywords: Arc<Keywords>,
    /// Ascending; no run is empty.
    chunks: Vec<Arc<Chunk>>,
    /// Number of messages before each run; as long as `chunks`.
    starts: Vec<u32>,
    /// Counts the snapshots of one mailbox in this process.
    version: u64,
}

impl Snapshot {
    /// UIDVALIDITY.
    pub fn uid_validity(&self) -> UidValidity {
        self.uid_validity
    }

    /// UIDNEXT. When all UIDs are used up it is the number after the last.
    pub fn uid_next(&self) -> u32 {
        self.uid_next.map_or(u32::MAX, Uid::value)
    }

    /// HIGHESTMODSEQ (RFC 7162 §3.1.2.1).
    pub fn highest_mod_seq(&self) -> ModSeq {
        self.highest_mod_seq
    }

    /// The names of the keywords that the messages' flags refer to.
    pub fn keywords(&self) -> &Keywords {
        &self.keywords
    }

    /// The names of one message's keywords.
    pub fn keywords_of<'a>(&'a self, entry: &MessageEntry) -> impl Iterator<Item = &'a str> + use<'a> {
        entry.flags.keyword_indexes().filter_map(|index| self.keywords.name(index))
    }

    /// Returns true if the mailbox can add a keyword that it does not know.
    pub fn has_room_for_keywords(&self) -> bool {
        // Most have few names, which saves looking at the messages.
        self.keywords.names().count() < Flags::MAX_LETTERS || {
            let flags = self.entries().map(|entry| entry.flags);
            self.keywords.has_room(flags.fold(Flags::NONE, |all, flags| all | flags))
        }
    }

    /// Number of messages.
    pub fn len(&self) -> u32 {
        match (self.starts.last(), self.chunks.last()) {
            (Some(start), Some(chunk)) => start + chunk.entries.len() as u32,
            _ => 0,
        }
    }

    /// Returns true if there is no message.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Number of messages that are not `\Seen`.
    pub fn unseen(&self) -> u32 {
        self.chunks.iter().map(|chunk| chunk.unseen).sum()
    }

    /// The sequence number of the first message that is not `\Seen`.
    pub fn first_unseen(&self) -> Option<u32> {
        let (chunk, start) = self.chunks.iter().zip(&self.starts).find(|(chunk, _)| chunk.unseen > 0)?;
        let index = chunk.entries.iter().position(|entry| !entry.flags.contains(Flags::SEEN))?;
        Some(start + index as u32 + 1)
    }

    /// Number of messages that no session has claimed as `\Recent` yet.
    pub fn unclaimed(&self) -> u32 {
        self.chunks.iter().map(|chunk| chunk.unclaimed).sum()
    }

    /// The message with this sequence number; the first is 1.
    pub fn by_number(&self, number: u32) -> Option<&MessageEntry> {
        let index = number.checked_sub(1)?;
        let chunk = self.starts.partition_point(|start| *start <= index).checked_sub(1)?;
        self.chunks[chunk].entries.get((index - self.starts[chunk]) as usize)
    }

    /// The message with this UID, and its sequence number.
    pub fn by_uid(&self, uid: Uid) -> Option<(u32, &MessageEntry)> {
        let (chunk, index) = self.position_of(uid).ok()?;
        Some((self.starts[chunk] + index as u32 + 1, &self.chunks[chunk].entries[index]))
    }

    /// All messages.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &MessageEntry> {
        self.chunks.iter().flat_map(|chunk| &chunk.entries)
    }

    /// The messages with these sequence numbers, each with its own; numbers beyond the end are skipped.
    pub fn numbers(&self, range: RangeInclusive<u32>) -> impl Iterator<Item = (u32, &MessageEntry)> {
        let (first, last) = (*range.start().max(&1), *range.end());
        let chunk = self.starts.partition_point(|start| *start < first).saturating_sub(1);
        self.since_chunk(chunk)
            .skip_while(move |(number, _)| *number < first)
            .take_while(move |(number, _)| *number <= last)
    }

    /// The messages whose UIDs lie in the range, each with its sequence number.
    pub fn uids(&self, range: RangeInclusive<Uid>) -> impl Iterator<Item = (u32, &MessageEntry)> {
        let (first, last) = (*range.start(), *range.end());
        let chunk = self.chunks.partition_point(|chunk| chunk.last() < Some(first));
        self.since_chunk(chunk)
            .skip_while(move |(_, entry)| entry.uid < first)
            .take_while(move |(_, entry)| entry.uid <= last)
    }

    /// The messages from a run on, each with its sequence number.
    fn since_chunk(&self, chunk: usize) -> impl Iterator<Item = (u32, &MessageEntry)> {
        let runs = self.chunks.iter().zip(&self.starts).skip(chunk);
        runs.flat_map(|(chunk, start)| (start + 1..).zip(&chunk.entries))
    }

    /// The run, and the position in it, where the UID is or would be.
    fn position_of(&self, uid: Uid) -> Result<(usize, usize), (usize, usize)> {
        let chunk = self.chunks.partition_point(|chunk| chunk.last() < Some(uid));
        let Some(run) = self.chunks.get(chunk) else { return Err((chunk, 0)) };
        match run.entries.binary_search_by_key(&uid, |entry| entry.uid) {
            Ok(index) => Ok((chunk, index)),
            Err(index) => Err((chunk, index)),
        }
    }

    /// The changes that a client of `self` must be sent to reach `newer`.
    pub fn difference(&self, newer: &Self) -> Difference {
        Difference::of(self, newer)
    }
}

#[cfg(test)]
mod tests;
