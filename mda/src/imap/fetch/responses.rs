//! The responses to one FETCH, made a piece at a time, so that neither a mailbox nor a message is ever held in memory and
//! other sessions get their turn between two pieces. Everything here blocks.

use std::collections::VecDeque;
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;

use imap_proto::command::fetch::{FetchItem, Section};
use imap_proto::response::fetch::Recent;
use imap_proto::{Flag, Keyword, SequenceNumber};

use super::rendering::{Known, Rendering};
use crate::imap::contents::Contents;
use crate::index::Facts;
use crate::mailbox::{Entry, Mailbox, Snapshot, StoreError};
use crate::maildir::{Flags, Uid};

/// How many messages one batch has: what the index is asked for, and told, at a time.
const BATCH: usize = 100;

/// How many octets of messages one batch has, about, when their contents are sent: with a batch the messages become
/// `\Seen`, and what the client never got should not.
const BATCH_OCTETS: u64 = 1024 * 1024;

/// About how much is sent at a time.
const PIECE: usize = 128 * 1024;

/// What is told of which messages.
#[derive(Debug)]
pub(super) struct Responses {
    mailbox: Mailbox,
    snapshot: Arc<Snapshot>,
    recent: Arc<[Uid]>,
    items: Vec<FetchItem>,
    keywords: Vec<Option<Flag>>,
    /// The sequence numbers that no batch has yet.
    rest: VecDeque<RangeInclusive<u32>>,
    batch: VecDeque<Asked>,
    facts: VecDeque<(Uid, Facts)>,
    learned: Vec<(Uid, Facts)>,
    current: Option<Rendering>,
    /// How many messages could not be told of, since they are gone.
    pub(super) missing: u32,
}

/// A message of the batch.
#[derive(Debug)]
struct Asked {
    number: u32,
    uid: Uid,
    /// Did it become `\Seen` by being fetched?
    newly_seen: bool,
}

impl Responses {
    /// `numbers` ascend. `recent` are the UIDs that are `\Recent` in the session, ascending.
    pub(super) fn new(
        mailbox: Mailbox,
        snapshot: Arc<Snapshot>,
        recent: Arc<[Uid]>,
        items: Vec<FetchItem>,
        numbers: Vec<RangeInclusive<u32>>,
    ) -> Self {
        let keyword = |place| snapshot.keywords().name(place).and_then(|name| Keyword::new(name.as_bytes()));
        let keywords = (0..Flags::MOST_KEYWORDS).map(|place| keyword(place).map(Flag::Keyword)).collect();
        Self {
            mailbox,
            snapshot,
            recent,
            items,
            keywords,
            rest: numbers.into(),
            batch: VecDeque::new(),
            facts: VecDeque::new(),
            learned: Vec::new(),
            current: None,
            missing: 0,
        }
    }

    /// Begins the next batch, if messages are left, and gives the UIDs in it that are not `\Seen`.
    pub(super) fn next_batch(&mut self) -> Option<Vec<Uid>> {
        let contents = self.items.iter().any(FetchItem::marks_seen);
        let mut unseen = Vec::new();
        let mut octets = 0;
        while self.batch.len() < BATCH && octets < BATCH_OCTETS {
            let Some(number) = self.next_number() else { break };
            let Some(entry) = self.snapshot.by_number(number) else { continue };
            if contents {
                octets += entry.size().unwrap_or(BATCH_OCTETS / 10);
            }
            if !entry.flags.contains(Flags::SEEN) {
                unseen.push(entry.uid);
            }
            self.batch.push_back(Asked { number, uid: entry.uid, newly_seen: false });
        }
        (!self.batch.is_empty()).then_some(unseen)
    }

    fn next_number(&mut self) -> Option<u32> {
        loop {
            match self.rest.front_mut()?.next() {
                Some(number) => return Some(number),
                None => drop(self.rest.pop_front()),
            }
        }
    }

    /// The batch's messages that were not `\Seen` are so now, and their responses tell it (RFC 3501 §6.4.5).
    pub(super) fn mark_seen(&mut self) {
        let unseen = |uid| {
            let entry = self.snapshot.by_uid(uid);
            entry.is_some_and(|(_, entry)| !entry.flags.contains(Flags::SEEN))
        };
        for asked in &mut self.batch {
            asked.newly_seen = unseen(asked.uid);
        }
    }

    /// Asks the index what it remembers of the batch.
    fn recall(&mut self) {
        let known_size = |asked: &Asked| {
            let entry = self.snapshot.by_number(asked.number);
            entry.is_some_and(|entry| entry.size().is_some())
        };
        let needed = |item: &FetchItem| match item {
            FetchItem::Flags | FetchItem::Uid => false,
            FetchItem::Rfc822Size | FetchItem::Rfc822 => !self.batch.iter().all(known_size),
            FetchItem::Section { section, .. } if *section == Section::default() => {
                !self.batch.iter().all(known_size)
            }
            _ => true,
        };
        if let (Some(first), Some(last)) = (self.batch.front(), self.batch.back())
            && self.items.iter().any(needed)
        {
            // A batch that is scattered over the mailbox is asked for one by one.
            let dense = last.number - first.number < 4 * BATCH as u32;
            self.facts = if dense {
                self.mailbox.facts(first.uid..=last.uid).into()
            } else {
                self.batch.iter().flat_map(|asked| self.mailbox.facts(asked.uid..=asked.uid)).collect()
            };
        }
    }

    /// The next piece of the batch's responses; empty when all of them were made. An error means that the connection has
    /// to end.
    pub(super) fn next_piece(&mut self) -> io::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(PIECE / 8);
        if self.current.is_none() && self.facts.is_empty() {
            self.recall();
        }
        while out.len() < PIECE {
            if let Some(current) = &mut self.current {
                current.send(PIECE, &mut out)?;
                if current.is_sent() {
                    self.current = None;
                }
            } else if let Some(asked) = self.batch.pop_front() {
                self.current = self.render(&asked);
            } else {
                self.facts.clear();
                break;
            }
        }
        if self.batch.is_empty() && !self.learned.is_empty() {
            self.mailbox.remember(&std::mem::take(&mut self.learned));
        }
        Ok(out)
    }

    fn render(&mut self, asked: &Asked) -> Option<Rendering> {
        let entry = self.snapshot.by_number(asked.number)?;
        let facts = remembered(&mut self.facts, asked.uid);
        let mut contents = Contents::new(&self.mailbox, entry, facts);
        let rendering = Rendering::new(self.known(asked, entry)?, &mut contents, self.items_for(asked).as_ref());
        self.learned.extend(contents.learned());
        match rendering {
            Ok(rendering) => Some(rendering),
            Err(error) => {
                if !matches!(error, StoreError::MessageGone) {
                    tracing::warn!(uid = asked.uid.value(), %error, "message not readable");
                }
                self.missing += 1;
                None
            }
        }
    }

    /// A message that became `\Seen` is told with its flags, asked for or not.
    fn items_for(&self, asked: &Asked) -> std::borrow::Cow<'_, [FetchItem]> {
        if asked.newly_seen && !self.items.contains(&FetchItem::Flags) {
            let mut items = self.items.clone();
            items.push(FetchItem::Flags);
            items.into()
        } else {
            self.items.as_slice().into()
        }
    }

    fn known(&self, asked: &Asked, entry: &Entry) -> Option<Known<'_>> {
        let seen = if asked.newly_seen { Flags::SEEN } else { Flags::NONE };
        let recent = self.recent.binary_search(&asked.uid).is_ok();
        Some(Known {
            number: SequenceNumber::new(asked.number)?,
            uid: imap_proto::Uid::new(asked.uid.value())?,
            flags: flags(entry.flags | seen, &self.keywords),
            recent: if recent { Recent::Yes } else { Recent::No },
        })
    }
}

/// What was remembered of this message. Both ascend, so what comes before it is not asked for any more.
fn remembered(facts: &mut VecDeque<(Uid, Facts)>, uid: Uid) -> Option<Facts> {
    while facts.front().is_some_and(|(other, _)| *other < uid) {
        facts.pop_front();
    }
    facts.front().is_some_and(|(other, _)| *other == uid).then(|| facts.pop_front()).flatten().map(|(_, facts)| facts)
}

fn flags(flags: Flags, keywords: &[Option<Flag>]) -> Vec<&Flag> {
    const SYSTEM: [(Flags, Flag); 5] = [
        (Flags::ANSWERED, Flag::Answered),
        (Flags::FLAGGED, Flag::Flagged),
        (Flags::DELETED, Flag::Deleted),
        (Flags::SEEN, Flag::Seen),
        (Flags::DRAFT, Flag::Draft),
    ];
    static TABLE: [(Flags, Flag); 5] = SYSTEM;
    let system = TABLE.iter().filter(|(bit, _)| flags.contains(*bit)).map(|(_, flag)| flag);
    let words = flags.keyword_places().filter_map(|place| keywords.get(place)?.as_ref());
    system.chain(words).collect()
}
