//! A search's keys, compiled for matching: strings decoded, keywords looked up, and of several conditions the cheapest
//! first.
//!
//! Conditions refer to their operands by index in one list, so nothing here recurses, however deep a client nests its
//! keys.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use imap_proto::command::search::SearchKey;
use imap_proto::{Date, Flag};
use message::Charset;

use super::indexed_field::is_indexed;
use super::scan::SearchString;
use super::strings::Needle;
use crate::mailbox::Snapshot;
use crate::maildir::{Flags, Keywords};

/// The index of a condition in the search's list.
pub(super) type ConditionIndex = usize;

/// A condition on a message.
#[derive(Debug)]
pub(super) enum Condition {
    /// All of these; true if there are none.
    All(Vec<ConditionIndex>),
    /// One of these; false if there are none.
    Any(Vec<ConditionIndex>),
    Not(ConditionIndex),
    /// Ascending, disjoint.
    Numbers(Vec<RangeInclusive<u32>>),
    /// Ascending, disjoint.
    Uids(Vec<RangeInclusive<u32>>),
    With(Flags),
    Recent,
    /// Larger or smaller than this many octets.
    Size(Ordering, u64),
    /// The day of its arrival.
    Received(Days),
    /// The day in its Date field.
    Sent(Days),
    /// A field contains the text. The name is in upper case.
    Field(String, Box<Needle>),
    /// The text contains the string at this index in the list of strings.
    Text(usize),
}

/// A set of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Days {
    Before(Date),
    On(Date),
    Since(Date),
}

impl Days {
    pub(super) fn contain(self, date: Date) -> bool {
        match self {
            Self::Before(day) => date < day,
            Self::On(day) => date == day,
            Self::Since(day) => date >= day,
        }
    }
}

/// All conditions of a search.
#[derive(Debug)]
pub(super) struct Conditions {
    list: Vec<(Condition, Cost)>,
    /// The strings to look for in the messages' texts.
    pub(super) strings: Vec<SearchString>,
    /// Conditions that are decided by the session's view alone. A message must meet all of them and all of the others.
    pub(super) cheap: Vec<ConditionIndex>,
    /// Conditions that need the index or the message.
    pub(super) expensive: Vec<ConditionIndex>,
}

impl Conditions {
    /// Conditions for these keys. Sequence numbers refer to this snapshot.
    pub(super) fn new(
        keys: &[SearchKey],
        charset: Charset,
        snapshot: &Snapshot,
        keywords: &Keywords,
    ) -> Self {
        let mut all =
            Self { list: Vec::new(), strings: Vec::new(), cheap: Vec::new(), expensive: Vec::new() };
        let mut operands: Vec<ConditionIndex> = Vec::new();
        for key in keys {
            let index = match key {
                SearchKey::Not => {
                    let operand = operands.pop();
                    operand.map(|operand| all.add(Condition::Not(operand)))
                }
                SearchKey::Or => {
                    let either = all.last(&mut operands, 2);
                    Some(all.add(Condition::Any(either)))
                }
                SearchKey::And(count) => {
                    let together = all.last(&mut operands, *count);
                    Some(all.add(Condition::All(together)))
                }
                key => Some(all.leaf(key, charset, snapshot, keywords)),
            };
            operands.extend(index);
        }
        // Conditions at the top level are divided by their cost.
        let outside = match operands.last().map(|index| &all.list[*index].0) {
            Some(Condition::All(together)) => together.clone(),
            _ => operands,
        };
        (all.cheap, all.expensive) =
            outside.into_iter().partition(|index| all.cost(*index) == Cost::Snapshot);
        all
    }

    /// The condition at this index.
    pub(super) fn at(&self, index: ConditionIndex) -> &Condition {
        &self.list[index].0
    }

    /// The cost of the most expensive condition.
    pub(super) fn highest_cost(&self) -> Cost {
        self.expensive.iter().map(|index| self.cost(*index)).max().unwrap_or(Cost::Snapshot)
    }

    fn cost(&self, index: ConditionIndex) -> Cost {
        self.list[index].1
    }

    /// The last operands, the cheapest first.
    fn last(&self, operands: &mut Vec<ConditionIndex>, count: usize) -> Vec<ConditionIndex> {
        let mut last = operands.split_off(operands.len().saturating_sub(count));
        last.sort_by_key(|index| self.cost(*index));
        last
    }

    fn add(&mut self, condition: Condition) -> ConditionIndex {
        let cost = match &condition {
            Condition::All(indexes) | Condition::Any(indexes) => {
                indexes.iter().map(|index| self.cost(*index)).max().unwrap_or(Cost::Snapshot)
            }
            Condition::Not(index) => self.cost(*index),
            Condition::Numbers(_) | Condition::Uids(_) | Condition::With(_) | Condition::Recent => {
                Cost::Snapshot
            }
            Condition::Size(..) => Cost::Size,
            Condition::Received(_) | Condition::Sent(_) => Cost::Index,
            Condition::Field(name, _) if is_indexed(name) => Cost::Envelope,
            Condition::Field(..) => Cost::Header,
            Condition::Text(_) => Cost::Body,
        };
        self.list.push((condition, cost));
        self.list.len() - 1
    }

    fn leaf(
        &mut self,
        key: &SearchKey,
        charset: Charset,
        snapshot: &Snapshot,
        keywords: &Keywords,
    ) -> ConditionIndex {
        let condition = match key {
            // Operators are not leaves.
            SearchKey::All | SearchKey::And(_) | SearchKey::Or | SearchKey::Not => Condition::All(Vec::new()),
            SearchKey::Numbers(set) => Condition::Numbers(set.ranges(snapshot.len())),
            SearchKey::Uids(set) => {
                let largest = snapshot.entries().next_back().map_or(0, |entry| entry.uid.value());
                Condition::Uids(set.ranges(largest))
            }
            SearchKey::With(flag) => flag_is_set(flag, keywords),
            SearchKey::Without(flag) => {
                let set = self.add(flag_is_set(flag, keywords));
                Condition::Not(set)
            }
            SearchKey::Recent => Condition::Recent,
            SearchKey::Old => Condition::Not(self.add(Condition::Recent)),
            SearchKey::New => {
                let seen = self.add(Condition::With(Flags::SEEN));
                let unseen = self.add(Condition::Not(seen));
                Condition::All(vec![unseen, self.add(Condition::Recent)])
            }
            SearchKey::Header { field, text } => {
                let name = String::from_utf8_lossy(field).to_ascii_uppercase();
                Condition::Field(name, Box::new(Needle::new(charset, text)))
            }
            SearchKey::Body(text) => self.text(Needle::new(charset, text), true),
            SearchKey::Text(text) => self.text(Needle::new(charset, text), false),
            SearchKey::Before(day) => Condition::Received(Days::Before(*day)),
            SearchKey::On(day) => Condition::Received(Days::On(*day)),
            SearchKey::Since(day) => Condition::Received(Days::Since(*day)),
            SearchKey::SentBefore(day) => Condition::Sent(Days::Before(*day)),
            SearchKey::SentOn(day) => Condition::Sent(Days::On(*day)),
            SearchKey::SentSince(day) => Condition::Sent(Days::Since(*day)),
            SearchKey::Larger(octets) => Condition::Size(Ordering::Greater, u64::from(*octets)),
            SearchKey::Smaller(octets) => Condition::Size(Ordering::Less, u64::from(*octets)),
        };
        self.add(condition)
    }

    fn text(&mut self, needle: Needle, only_in_body: bool) -> Condition {
        // Every text contains the empty string, even a missing text.
        if needle.is_empty() {
            return Condition::All(Vec::new());
        }
        self.strings.push(SearchString { needle, only_in_body });
        Condition::Text(self.strings.len() - 1)
    }
}

/// The condition that a flag is set. A keyword that the mailbox does not have is set on no message.
fn flag_is_set(flag: &Flag, keywords: &Keywords) -> Condition {
    match flag {
        Flag::Answered => Condition::With(Flags::ANSWERED),
        Flag::Flagged => Condition::With(Flags::FLAGGED),
        Flag::Deleted => Condition::With(Flags::DELETED),
        Flag::Seen => Condition::With(Flags::SEEN),
        Flag::Draft => Condition::With(Flags::DRAFT),
        Flag::Keyword(keyword) => {
            let known = keywords.flag(keyword.as_str());
            known.map_or(Condition::Any(Vec::new()), Condition::With)
        }
    }
}

/// The work needed to evaluate a condition, from the cheapest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cost {
    Snapshot,
    /// In the file's name, nearly always.
    Size,
    Index,
    Envelope,
    Header,
    Body,
}
