use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Chunk, MessageEntry, ModSeq, Snapshot};
use crate::maildir::{FileName, Flags, Keywords, Uid, UidValidity};

/// Creation and editing of snapshots. Only the mailbox does this, on its own copy.
impl Snapshot {
    /// A mailbox without messages.
    pub(crate) fn empty(uid_validity: UidValidity, uid_next: Option<Uid>, keywords: Arc<Keywords>) -> Self {
        Self {
            uid_validity,
            uid_next,
            highest_mod_seq: now(),
            keywords,
            chunks: Vec::new(),
            starts: Vec::new(),
            version: 0,
        }
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Counts a change, and returns the modification sequence for everything that it touches.
    pub(crate) fn begin_change(&mut self) -> ModSeq {
        self.version += 1;
        self.highest_mod_seq = ModSeq(now().0.max(self.highest_mod_seq.0 + 1));
        self.highest_mod_seq
    }

    pub(crate) fn set_uid_next(&mut self, uid_next: Option<Uid>) {
        self.uid_next = uid_next;
    }

    pub(crate) fn set_keywords(&mut self, keywords: Arc<Keywords>) {
        self.keywords = keywords;
    }

    /// Adds messages, in any order. An existing UID stays as it is.
    pub(crate) fn insert(&mut self, mut entries: Vec<MessageEntry>) {
        entries.sort_unstable_by_key(|entry| entry.uid);
        let last = self.chunks.last().and_then(|chunk| chunk.last());
        let appended = entries.partition_point(|entry| Some(entry.uid) <= last);
        let behind = entries.split_off(appended);
        // UIDs ascend: late ones are rare, and are inserted one by one.
        for entry in entries {
            if let Err((chunk, index)) = self.position_of(entry.uid) {
                let mut run = self.chunks[chunk].entries.clone();
                run.insert(index, entry);
                self.replace(chunk, run);
            }
        }
        self.append(behind);
        self.recount();
    }

    fn append(&mut self, mut entries: Vec<MessageEntry>) {
        entries.dedup_by_key(|entry| entry.uid);
        let mut entries = entries.into_iter().peekable();
        if let Some(last) = self.chunks.last_mut().filter(|last| last.entries.len() < Chunk::LENGTH) {
            let last = Arc::make_mut(last);
            while last.entries.len() < Chunk::LENGTH
                && let Some(entry) = entries.next()
            {
                last.entries.push(entry);
            }
            last.recount();
        }
        while entries.peek().is_some() {
            let run = entries.by_ref().take(Chunk::LENGTH).collect();
            self.chunks.push(Arc::new(Chunk::new(run)));
        }
    }

    /// Replaces the entries of a chunk, and splits it when it has grown too long.
    fn replace(&mut self, chunk: usize, mut run: Vec<MessageEntry>) {
        let second = (run.len() > 2 * Chunk::LENGTH).then(|| run.split_off(Chunk::LENGTH));
        self.chunks[chunk] = Arc::new(Chunk::new(run));
        if let Some(second) = second {
            self.chunks.insert(chunk + 1, Arc::new(Chunk::new(second)));
        }
    }

    /// Removes messages. `gone` ascends.
    pub(crate) fn remove(&mut self, gone: &[Uid]) {
        let mut rest = gone;
        let mut emptied = false;
        while let Some(first) = rest.first() {
            let chunk = self.chunks.partition_point(|chunk| chunk.last() < Some(*first));
            let Some(last) = self.chunks.get(chunk).and_then(|chunk| chunk.last()) else { break };
            let (here, behind) = rest.split_at(rest.partition_point(|uid| *uid <= last));
            rest = behind;
            let old = &self.chunks[chunk].entries;
            let kept: Vec<_> =
                old.iter().filter(|entry| here.binary_search(&entry.uid).is_err()).cloned().collect();
            if kept.len() < old.len() {
                emptied |= kept.is_empty();
                // An empty run has no last UID, so it must not stay while others are looked up.
                if kept.is_empty() {
                    self.chunks.remove(chunk);
                } else {
                    self.chunks[chunk] = Arc::new(Chunk::new(kept));
                }
            }
        }
        if !gone.is_empty() || emptied {
            self.recount();
        }
    }

    /// Changes one message's file, and with it its flags. Sets the modification sequence if flags changed.
    pub(crate) fn set_file(&mut self, uid: Uid, file: FileName, flags: Flags, mod_seq: ModSeq) {
        self.edit(uid, |entry| {
            if flags != entry.flags {
                entry.flags = flags;
                entry.mod_seq = mod_seq;
            }
            entry.file = file;
        });
    }

    /// Records that a session claimed a message.
    pub(crate) fn set_claimed(&mut self, uid: Uid) {
        self.edit(uid, |entry| entry.is_unclaimed = false);
    }

    /// Restores the modification sequences of an earlier process, for messages whose flags have not changed since.
    pub(crate) fn restore_mod_seqs(&mut self, saved: &HashMap<Uid, (Flags, u64)>) {
        for (uid, (flags, mod_seq)) in saved {
            self.edit(*uid, |entry| {
                if entry.flags == *flags {
                    entry.mod_seq = ModSeq(*mod_seq);
                }
            });
        }
    }

    /// The messages that no session has claimed yet.
    pub(crate) fn unclaimed_entries(&self) -> Vec<MessageEntry> {
        let runs = self.chunks.iter().filter(|chunk| chunk.unclaimed > 0);
        runs.flat_map(|chunk| chunk.entries.iter().filter(|entry| entry.is_unclaimed).cloned()).collect()
    }

    fn edit(&mut self, uid: Uid, edit: impl FnOnce(&mut MessageEntry)) {
        if let Ok((chunk, index)) = self.position_of(uid) {
            let chunk = Arc::make_mut(&mut self.chunks[chunk]);
            let entry = &mut chunk.entries[index];
            let count = |entry: &MessageEntry| {
                (u32::from(!entry.flags.contains(Flags::SEEN)), u32::from(entry.is_unclaimed))
            };
            let before = count(entry);
            edit(entry);
            let after = count(entry);
            chunk.unseen = chunk.unseen - before.0 + after.0;
            chunk.unclaimed = chunk.unclaimed - before.1 + after.1;
        }
    }

    /// Recounts the messages before each run.
    fn recount(&mut self) {
        self.starts.clear();
        let mut before = 0;
        for chunk in &self.chunks {
            self.starts.push(before);
            before += chunk.entries.len() as u32;
        }
    }
}

/// The clock as a modification sequence.
pub(crate) fn now() -> ModSeq {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ModSeq(since.as_micros() as u64)
}
