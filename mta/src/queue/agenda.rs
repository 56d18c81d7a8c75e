//! Who is due next: which message to which destination, and how many at a time.
//!
//! ```text
//!           add                 due                  take, next
//!  nothing ─────> waiting ─────────────> ready ─────────────────> under way
//!                    ▲    (its time has come)  (its lane has room)     │
//!                    └──────────────────────────────── add again ──────┘
//! ```
//!
//! A lane is the line of messages for one destination. It has few workers at a time, so that no host is flooded and
//! one that hangs holds up only its own; lanes take turns, so that one with thousands of messages does not hold up
//! the others. No clock and no disk in here.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::MailId;
use crate::outbound::Destination;
use crate::timestamp::Timestamp;

/// Where a message goes: to the MDA, or to other hosts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Lane {
    /// Over LMTP.
    Local,
    /// Over SMTP.
    Remote(Destination),
}

impl Lane {
    /// Workers of one lane at a time.
    fn room(&self) -> usize {
        match self {
            // More would only wait for the same disk.
            Self::Local => 4,
            // More than a few connections from one host look like an attack.
            Self::Remote(Destination::Host(_)) => 3,
            // It is ours, and it takes everything.
            Self::Remote(Destination::Relay(_)) => 8,
        }
    }
}

/// Workers in all. Each may hold a connection with its TLS state, some 100 KiB.
const MOST_WORKERS: usize = 40;

/// The agenda of the queue.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    waiting: BTreeSet<(Timestamp, MailId, Lane)>,
    lanes: HashMap<Lane, Line>,
    /// The lanes that have somebody ready, in the order of their turns.
    turns: VecDeque<Lane>,
    workers: usize,
}

#[derive(Debug, Default)]
struct Line {
    ready: VecDeque<MailId>,
    /// The same, for finding.
    known: HashSet<MailId>,
    workers: usize,
    /// Whether the lane waits for its turn.
    listed: bool,
}

impl Agenda {
    /// A message is to be tried at `next`.
    pub(super) fn add(&mut self, id: MailId, lane: Lane, next: Timestamp) {
        self.waiting.insert((next, id, lane));
    }

    /// Forgets all that is not under way.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.turns.clear();
        self.lanes.retain(|_, line| {
            line.ready.clear();
            line.known.clear();
            line.listed = false;
            line.workers > 0
        });
    }

    /// Begins the work of a lane that has a turn: its next message. The worker asks on with [`Agenda::next`] and ends
    /// with [`Agenda::finish`].
    pub(super) fn take(&mut self, now: Timestamp) -> Option<(Lane, MailId)> {
        self.wake(now);
        if self.workers >= MOST_WORKERS {
            return None;
        }
        for _ in 0..self.turns.len() {
            let lane = self.turns.pop_front()?;
            let Some(line) = self.lanes.get_mut(&lane) else { continue };
            line.listed = false;
            if line.workers >= lane.room() {
                // It is listed again when one of its workers ends.
                continue;
            }
            let Some(id) = line.pop() else { continue };
            line.workers += 1;
            self.workers += 1;
            self.list(lane.clone());
            return Some((lane, id));
        }
        None
    }

    /// The next message of a lane for a worker that has ended one.
    pub(super) fn next(&mut self, lane: &Lane, now: Timestamp) -> Option<MailId> {
        self.wake(now);
        self.lanes.get_mut(lane)?.pop()
    }

    /// All messages of a lane that are ready: what kept one of them keeps all of them.
    pub(super) fn next_all(&mut self, lane: &Lane) -> Vec<MailId> {
        let Some(line) = self.lanes.get_mut(lane) else { return Vec::new() };
        line.known.clear();
        line.ready.drain(..).collect()
    }

    /// A worker of a lane has ended.
    pub(super) fn finish(&mut self, lane: &Lane) {
        self.workers = self.workers.saturating_sub(1);
        if let Some(line) = self.lanes.get_mut(lane) {
            line.workers = line.workers.saturating_sub(1);
            if line.workers == 0 && line.ready.is_empty() {
                self.lanes.remove(lane);
            }
        }
        self.list(lane.clone());
    }

    /// When somebody who waits is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(next, ..)| *next)
    }

    /// Moves those who are due into their lanes.
    fn wake(&mut self, now: Timestamp) {
        while let Some((next, ..)) = self.waiting.first()
            && *next <= now
        {
            let Some((_, id, lane)) = self.waiting.pop_first() else { return };
            let line = self.lanes.entry(lane.clone()).or_default();
            if line.known.insert(id) {
                line.ready.push_back(id);
            }
            self.list(lane);
        }
    }

    /// Gives a lane a turn, if it has somebody ready and none yet.
    fn list(&mut self, lane: Lane) {
        if let Some(line) = self.lanes.get_mut(&lane)
            && !line.ready.is_empty()
            && !line.listed
        {
            line.listed = true;
            self.turns.push_back(lane);
        }
    }
}

impl Line {
    fn pop(&mut self) -> Option<MailId> {
        let id = self.ready.pop_front()?;
        self.known.remove(&id);
        Some(id)
    }
}

#[cfg(test)]
mod tests;
