//! A search's keys in the form in which messages are held against them: strings decoded, keywords looked
//! up, and of several conditions the cheapest first.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use imap_proto::command::search::SearchKey;
use imap_proto::{Date, Flag};

use super::charset::{Charset, Needle};
use super::remembered::is_remembered;
use crate::mailbox::Snapshot;
use crate::maildir::{Flags, Keywords};

/// What a message must be.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// All of these; anything, if there are none.
    All(Vec<Condition>),
    /// One of these; nothing, if there are none.
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// Ascending, apart from each other.
    Numbers(Vec<RangeInclusive<u32>>),
    /// Ascending, apart from each other.
    Uids(Vec<RangeInclusive<u32>>),
    With(Flags),
    Recent,
    /// Larger or smaller than so many octets.
    Size(Ordering, u64),
    /// When it arrived.
    Received(Days),
    /// What its Date field says.
    Sent(Days),
    /// A field holds the text. The name is in upper case.
    Field(String, Needle),
    Body(Needle),
    /// Header or body holds the text.
    Text(Needle),
}

/// A set of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Days {
    Before(Date),
    On(Date),
    Since(Date),
}

impl Days {
    pub(super) fn have(self, date: Date) -> bool {
        match self {
            Self::Before(day) => date < day,
            Self::On(day) => date == day,
            Self::Since(day) => date >= day,
        }
    }
}

impl Condition {
    /// The key as a condition on the messages of that snapshot, whose numbers it means.
    pub(super) fn new(key: &SearchKey, charset: Charset, snapshot: &Snapshot, keywords: &Keywords) -> Self {
        let new = |key: &SearchKey| Self::new(key, charset, snapshot, keywords);
        let needle = |octets: &[u8]| charset.needle(octets);
        match key {
            SearchKey::All => Self::All(Vec::new()),
            SearchKey::And(keys) => Self::all(keys.iter().map(new).collect()),
            SearchKey::Or(one, other) => {
                let mut either = vec![new(one), new(other)];
                either.sort_by_key(Self::cost);
                Self::Any(either)
            }
            SearchKey::Not(key) => new(key).negated(),
            SearchKey::Numbers(set) => Self::Numbers(set.ranges(snapshot.len())),
            SearchKey::Uids(set) => {
                let largest = snapshot.entries().next_back().map_or(0, |entry| entry.uid.value());
                Self::Uids(set.ranges(largest))
            }
            SearchKey::With(flag) => Self::flag(flag, keywords),
            SearchKey::Without(flag) => Self::flag(flag, keywords).negated(),
            SearchKey::Recent => Self::Recent,
            SearchKey::Old => Self::Recent.negated(),
            SearchKey::New => Self::All(vec![Self::With(Flags::SEEN).negated(), Self::Recent]),
            SearchKey::Header { field, text } => {
                Self::Field(String::from_utf8_lossy(field).to_ascii_uppercase(), needle(text))
            }
            // Every text holds the empty one, even the one that is not there.
            SearchKey::Body(text) | SearchKey::Text(text) if text.is_empty() => Self::All(Vec::new()),
            SearchKey::Body(text) => Self::Body(needle(text)),
            SearchKey::Text(text) => Self::Text(needle(text)),
            SearchKey::Before(day) => Self::Received(Days::Before(*day)),
            SearchKey::On(day) => Self::Received(Days::On(*day)),
            SearchKey::Since(day) => Self::Received(Days::Since(*day)),
            SearchKey::SentBefore(day) => Self::Sent(Days::Before(*day)),
            SearchKey::SentOn(day) => Self::Sent(Days::On(*day)),
            SearchKey::SentSince(day) => Self::Sent(Days::Since(*day)),
            SearchKey::Larger(octets) => Self::Size(Ordering::Greater, u64::from(*octets)),
            SearchKey::Smaller(octets) => Self::Size(Ordering::Less, u64::from(*octets)),
        }
    }

    /// What can be known from the session's view alone, and the rest.
    pub(super) fn divided(self) -> (Self, Option<Self>) {
        match self {
            Self::All(conditions) => {
                let (cheap, dear): (Vec<_>, Vec<_>) =
                    conditions.into_iter().partition(|condition| condition.cost() == Cost::AtHand);
                (Self::All(cheap), (!dear.is_empty()).then_some(Self::All(dear)))
            }
            other if other.cost() == Cost::AtHand => (other, None),
            other => (Self::All(Vec::new()), Some(other)),
        }
    }

    fn all(mut conditions: Vec<Self>) -> Self {
        conditions.sort_by_key(Self::cost);
        Self::All(conditions)
    }

    fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// A keyword that the mailbox does not know is set on no message.
    fn flag(flag: &Flag, keywords: &Keywords) -> Self {
        match flag {
            Flag::Answered => Self::With(Flags::ANSWERED),
            Flag::Flagged => Self::With(Flags::FLAGGED),
            Flag::Deleted => Self::With(Flags::DELETED),
            Flag::Seen => Self::With(Flags::SEEN),
            Flag::Draft => Self::With(Flags::DRAFT),
            Flag::Keyword(keyword) => {
                let known = keywords.flag(keyword.as_str());
                known.map_or(Self::Any(Vec::new()), Self::With)
            }
        }
    }

    /// How dear it is to know: what the session has at hand, what the index remembers, what takes reading
    /// the message.
    pub(super) fn cost(&self) -> Cost {
        match self {
            Self::All(conditions) | Self::Any(conditions) => {
                conditions.iter().map(Self::cost).max().unwrap_or(Cost::AtHand)
            }
            Self::Not(condition) => condition.cost(),
            Self::Numbers(_) | Self::Uids(_) | Self::With(_) | Self::Recent => Cost::AtHand,
            Self::Size(..) => Cost::Size,
            Self::Received(_) | Self::Sent(_) => Cost::Remembered,
            Self::Field(name, _) if is_remembered(name) => Cost::Envelope,
            Self::Field(..) => Cost::Header,
            Self::Body(_) | Self::Text(_) => Cost::Body,
        }
    }
}

/// What it takes to know whether a condition holds, from the cheapest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cost {
    AtHand,
    /// In the file's name, nearly always.
    Size,
    Remembered,
    Envelope,
    Header,
    Body,
}
