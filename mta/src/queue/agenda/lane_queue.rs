//! The messages that are ready in one lane, and the turns of lanes.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use super::AttemptKind;
use crate::queue::MailId;
use crate::queue::lane::Lane;

/// One lane: the messages that are ready, the earliest first, and its workers.
#[derive(Debug, Default)]
pub(super) struct LaneQueue {
    first: BTreeSet<(Instant, MailId)>,
    retry: BTreeSet<(Instant, MailId)>,
    pub(super) workers: usize,
    /// Is set once the destination has answered a worker of the lane.
    pub(super) is_reachable: bool,
    pub(super) listed: Listed,
}

/// The kinds of attempts for which a lane waits for its turn. A lane is in each queue of turns once.
#[derive(Debug, Default)]
pub(super) struct Listed {
    first: bool,
    retry: bool,
}

impl LaneQueue {
    /// The number of workers that the lane may have now. A destination that does not answer gets no second one.
    pub(super) fn max_workers(&self, lane: &Lane) -> usize {
        match lane {
            Lane::Remote(_) if !self.is_reachable => 1,
            lane => lane.max_workers(),
        }
    }

    pub(super) fn push(&mut self, kind: AttemptKind, at: Instant, id: MailId) {
        self.ready_mut(kind).insert((at, id));
    }

    pub(super) fn remove(&mut self, kind: AttemptKind, at: Instant, id: MailId) {
        self.ready_mut(kind).remove(&(at, id));
    }

    pub(super) fn has(&self, kind: AttemptKind) -> bool {
        match kind {
            AttemptKind::First => !self.first.is_empty(),
            AttemptKind::Retry => !self.retry.is_empty(),
        }
    }

    /// The earliest message of a kind.
    pub(super) fn pop_kind(&mut self, kind: AttemptKind) -> Option<MailId> {
        self.ready_mut(kind).pop_first().map(|(_, id)| id)
    }

    /// The earliest first attempt, or else the earliest retry.
    pub(super) fn pop(&mut self) -> Option<(AttemptKind, MailId)> {
        [AttemptKind::First, AttemptKind::Retry]
            .into_iter()
            .find_map(|kind| Some((kind, self.pop_kind(kind)?)))
    }

    pub(super) fn drain(&mut self) -> Vec<MailId> {
        let (first, retry) = (std::mem::take(&mut self.first), std::mem::take(&mut self.retry));
        first.into_iter().chain(retry).map(|(_, id)| id).collect()
    }

    /// True if the lane has neither messages nor workers, so that nothing about it has to be kept.
    pub(super) fn is_idle(&self) -> bool {
        self.workers == 0 && self.first.is_empty() && self.retry.is_empty()
    }

    fn ready_mut(&mut self, kind: AttemptKind) -> &mut BTreeSet<(Instant, MailId)> {
        match kind {
            AttemptKind::First => &mut self.first,
            AttemptKind::Retry => &mut self.retry,
        }
    }
}

impl Listed {
    /// Returns true when the kind was not listed before.
    pub(super) fn insert(&mut self, kind: AttemptKind) -> bool {
        !std::mem::replace(self.of(kind), true)
    }

    pub(super) fn remove(&mut self, kind: AttemptKind) {
        *self.of(kind) = false;
    }

    fn of(&mut self, kind: AttemptKind) -> &mut bool {
        match kind {
            AttemptKind::First => &mut self.first,
            AttemptKind::Retry => &mut self.retry,
        }
    }
}

/// The lanes that wait for a worker, in the order of their turns, for each kind of attempt.
#[derive(Debug, Default)]
pub(super) struct Turns {
    first: VecDeque<Lane>,
    retry: VecDeque<Lane>,
}

impl Turns {
    pub(super) fn push(&mut self, kind: AttemptKind, lane: Lane) {
        self.of(kind).push_back(lane);
    }

    pub(super) fn next(&mut self, kind: AttemptKind) -> Option<Lane> {
        self.of(kind).pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty() && self.retry.is_empty()
    }

    fn of(&mut self, kind: AttemptKind) -> &mut VecDeque<Lane> {
        match kind {
            AttemptKind::First => &mut self.first,
            AttemptKind::Retry => &mut self.retry,
        }
    }
}
