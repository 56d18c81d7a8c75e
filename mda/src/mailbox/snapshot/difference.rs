use std::sync::Arc;

use super::{MessageEntry, Snapshot};

/// The changes from one snapshot of a mailbox to a newer one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// The sequence numbers, in the *older* snapshot, of the messages that are gone, ascending. They are sent to a
    /// client from the last to the first, so that each number is right when it is read (RFC 3501 §7.4.1).
    pub expunged: Vec<u32>,
    /// The sequence numbers, in the *newer* snapshot, of the messages that existed before and whose flags changed,
    /// ascending.
    pub changed: Vec<u32>,
    /// Number of new messages, at the end of the newer snapshot.
    pub arrived: u32,
    /// True if keywords got names that the older snapshot does not know.
    pub keywords_changed: bool,
}

impl Difference {
    /// Returns true if a client need not be sent anything.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    pub(super) fn of(old: &Snapshot, new: &Snapshot) -> Self {
        let mut difference = Self { keywords_changed: old.keywords != new.keywords, ..Self::default() };
        // Letters that stand for another keyword now.
        let renamed = old.keywords.renamed_flags(&new.keywords);
        let (mut before, mut after) = (SnapshotCursor::new(old), SnapshotCursor::new(new));
        loop {
            if before.skip_shared(&mut after) {
                continue;
            }
            match (before.entry(), after.entry()) {
                (None, None) => return difference,
                (Some(gone), Some(kept)) if gone.uid < kept.uid => {
                    difference.expunged.push(before.number);
                    before.step();
                }
                (Some(_), None) => {
                    difference.expunged.push(before.number);
                    before.step();
                }
                (Some(was), Some(is)) if was.uid == is.uid => {
                    if was.flags != is.flags || !(is.flags & renamed).is_empty() {
                        difference.changed.push(after.number);
                    }
                    before.step();
                    after.step();
                }
                // UIDs ascend, so messages that the older snapshot lacks come after all that it has; a UID that turns
                // up late also counts as an arrival, since EXISTS announces messages only by their number.
                (_, Some(_)) => {
                    difference.arrived += 1;
                    after.step();
                }
            }
        }
    }
}

/// A position in a snapshot.
struct SnapshotCursor<'a> {
    snapshot: &'a Snapshot,
    chunk: usize,
    index: usize,
    /// The sequence number of the message at this position.
    number: u32,
}

impl<'a> SnapshotCursor<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, chunk: 0, index: 0, number: 1 }
    }

    fn entry(&self) -> Option<&'a MessageEntry> {
        self.snapshot.chunks.get(self.chunk)?.entries.get(self.index)
    }

    fn step(&mut self) {
        self.number += 1;
        self.index += 1;
        if self.snapshot.chunks.get(self.chunk).is_some_and(|chunk| self.index >= chunk.entries.len()) {
            self.chunk += 1;
            self.index = 0;
        }
    }

    /// Steps over a run that both share, if both are at its beginning.
    fn skip_shared(&mut self, other: &mut Self) -> bool {
        if self.index != 0 || other.index != 0 {
            return false;
        }
        match (self.snapshot.chunks.get(self.chunk), other.snapshot.chunks.get(other.chunk)) {
            (Some(mine), Some(theirs)) if Arc::ptr_eq(mine, theirs) => {
                let length = mine.entries.len() as u32;
                for walk in [self, other] {
                    walk.chunk += 1;
                    walk.number += length;
                }
                true
            }
            _ => false,
        }
    }
}
