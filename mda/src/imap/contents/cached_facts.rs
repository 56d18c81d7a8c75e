//! The facts that the index has of a batch of messages, read in one query.

use std::collections::VecDeque;

use crate::index::Facts;
use crate::mailbox::{Mailbox, MessageEntry};
use crate::maildir::Uid;

/// Facts of messages whose UIDs ascend.
#[derive(Debug, Default)]
pub(in crate::imap) struct CachedFacts(VecDeque<(Uid, Facts)>);

impl CachedFacts {
    /// Reads the facts of these messages, which ascend, from the index. Blocks.
    pub(in crate::imap) fn read<'a>(
        mailbox: &Mailbox,
        entries: impl Iterator<Item = &'a MessageEntry> + Clone,
    ) -> Self {
        let (Some(first), Some(last)) = (entries.clone().next(), entries.clone().last()) else {
            return Self::default();
        };
        // UIDs have gaps. Where most of a range is not requested, each message is looked up alone.
        let count = u32::try_from(entries.clone().count()).unwrap_or(u32::MAX);
        if last.uid.value().saturating_sub(first.uid.value()) / 16 <= count {
            Self(mailbox.facts(first.uid..=last.uid).into())
        } else {
            Self(entries.flat_map(|entry| mailbox.facts(entry.uid..=entry.uid)).collect())
        }
    }

    /// The facts of this message. Drops those of earlier messages, which are not requested any more.
    pub(in crate::imap) fn take(&mut self, uid: Uid) -> Option<Facts> {
        while self.0.front().is_some_and(|(other, _)| *other < uid) {
            self.0.pop_front();
        }
        if self.0.front().is_some_and(|(other, _)| *other == uid) {
            return self.0.pop_front().map(|(_, facts)| facts);
        }
        None
    }
}
