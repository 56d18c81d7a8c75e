//! The agenda: the message that is due next in each lane, and the number of workers.
//!
//! ```text
//!            set              due        start_worker, next_message
//!  nothing ──────> Waiting ─────────> Ready ────────────────────────────> Claimed
//!                    ▲    (its time   (its lane and a place                  │
//!                    │     has come)   are free)                             │
//!                    └──────────────────── set, release ─────────────────────┘
//! ```
//!
//! A message has one slot for each lane in which a recipient waits. Slots are set from the envelope, all of a message
//! at once, whenever the envelope has been changed ([`super::entry`]); nothing else adds or removes one. A slot that a
//! worker has claimed stays until the envelope is changed, so a worker that ends early loses no recipient.
//!
//! A lane is the line of messages for one destination. It starts with one worker, and gets more once the destination
//! has answered. Lanes take turns, first attempts and retries in turn, so neither a destination with thousands of
//! messages nor any number of unreachable ones delays the others. This module uses neither clock nor disk.

mod lane_queue;
mod places;

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::MailId;
use super::lane::Lane;
use lane_queue::{LaneQueue, Turns};
use places::Places;
pub(super) use places::{WorkerLimits, WorkerPlace};

/// The next attempt of a message in one lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ScheduledAttempt {
    pub(super) lane: Lane,
    pub(super) at: Instant,
    pub(super) kind: AttemptKind,
    /// The number of recipients that wait for it.
    pub(super) recipients: usize,
}

/// The kind of an attempt. First attempts and retries get places alternately, so that retries to hosts that do not
/// answer never keep new mail waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AttemptKind {
    First,
    Retry,
}

#[derive(Debug)]
struct Slot {
    attempt: ScheduledAttempt,
    state: SlotState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SlotState {
    Waiting,
    Ready,
    Claimed,
}

/// The agenda of the queue.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    /// The slots of each message: the index below is derived from them.
    messages: HashMap<MailId, Vec<Slot>>,
    waiting: BTreeSet<(Instant, MailId, Lane)>,
    lanes: HashMap<Lane, LaneQueue>,
    turns: Turns,
    places: Places,
    /// Recipients of all slots.
    recipients: usize,
}

impl Agenda {
    pub(super) fn new(workers: WorkerLimits) -> Self {
        Self { places: Places::new(workers), ..Self::default() }
    }

    /// Replaces the slots of a message, one for each lane.
    pub(super) fn set(&mut self, id: MailId, attempts: Vec<ScheduledAttempt>) {
        let before = self.messages.remove(&id).unwrap_or_default();
        for slot in &before {
            self.recipients -= slot.attempt.recipients;
            self.unlist(id, slot);
        }
        let mut slots = Vec::with_capacity(attempts.len());
        for attempt in attempts {
            self.recipients += attempt.recipients;
            let claimed = |slot: &Slot| slot.state == SlotState::Claimed && slot.attempt.lane == attempt.lane;
            let state = if before.iter().any(claimed) {
                SlotState::Claimed
            } else {
                self.waiting.insert((attempt.at, id, attempt.lane.clone()));
                SlotState::Waiting
            };
            slots.push(Slot { attempt, state });
        }
        if !slots.is_empty() {
            self.messages.insert(id, slots);
        }
    }

    /// The slots of a message.
    pub(super) fn attempts_of(&self, id: MailId) -> impl Iterator<Item = &ScheduledAttempt> {
        self.messages.get(&id).into_iter().flatten().map(|slot| &slot.attempt)
    }

    /// The number of recipients that have a slot.
    pub(super) fn recipients(&self) -> usize {
        self.recipients
    }

    /// Starts a worker, if a lane has a message ready and there is a place. Returns its place and its first message.
    /// The worker gets others with [`Agenda::next_message`] and ends with [`Agenda::finish_worker`].
    pub(super) fn start_worker(&mut self, now: Instant) -> Option<(WorkerPlace, MailId)> {
        self.wake(now);
        for lane in [Lane::Settlement, Lane::Local] {
            if let Some(lane_queue) = self.lanes.get_mut(&lane)
                && lane_queue.workers < lane_queue.max_workers(&lane)
                && let Some((kind, id)) = lane_queue.pop()
            {
                lane_queue.workers += 1;
                self.claim(id, &lane);
                return Some((WorkerPlace::unlimited(lane, kind), id));
            }
        }
        for kind in self.places.free() {
            // A lane without room is listed again when one of its workers ends.
            while let Some(lane) = self.turns.next(kind) {
                let Some(lane_queue) = self.lanes.get_mut(&lane) else { continue };
                lane_queue.listed.remove(kind);
                if lane_queue.workers >= lane_queue.max_workers(&lane) {
                    continue;
                }
                let Some(id) = lane_queue.pop_kind(kind) else { continue };
                lane_queue.workers += 1;
                self.list(&lane);
                self.claim(id, &lane);
                return Some((self.places.occupy(lane, kind), id));
            }
        }
        None
    }

    /// The next message of the lane for a worker that has finished one. A worker in whose place another lane could
    /// start ends after a few messages.
    pub(super) fn next_message(&mut self, place: &mut WorkerPlace, now: Instant) -> Option<MailId> {
        self.wake(now);
        if place.is_unlimited() {
            let (_, id) = self.lanes.get_mut(&place.lane)?.pop()?;
            self.claim(id, &place.lane);
            return Some(id);
        }
        if !self.places.may_continue(place, !self.turns.is_empty()) {
            return None;
        }
        let id = self.lanes.get_mut(&place.lane)?.pop_kind(place.kind)?;
        self.claim(id, &place.lane);
        Some(id)
    }

    /// Claims all messages of a lane that are ready: a destination that cannot be reached cannot be reached for any of
    /// them.
    pub(super) fn claim_all_ready(&mut self, lane: &Lane) -> Vec<MailId> {
        let Some(lane_queue) = self.lanes.get_mut(lane) else { return Vec::new() };
        let ids = lane_queue.drain();
        ids.iter().for_each(|id| self.claim(*id, lane));
        ids
    }

    /// Returns a claim: if the message still has the slot, it waits again, until `at` at least.
    pub(super) fn release(&mut self, id: MailId, lane: &Lane, at: Instant) {
        if let Some(slot) = slot(&mut self.messages, id, lane)
            && slot.state == SlotState::Claimed
        {
            slot.state = SlotState::Waiting;
            slot.attempt.at = slot.attempt.at.max(at);
            self.waiting.insert((slot.attempt.at, id, lane.clone()));
        }
    }

    /// Notes that a lane's destination answers: it may have its full number of workers.
    pub(super) fn note_reachable(&mut self, lane: &Lane) {
        if let Some(lane_queue) = self.lanes.get_mut(lane) {
            lane_queue.is_reachable = true;
            self.list(lane);
        }
    }

    /// Notes that a worker waits for a slow destination, and frees its place for another lane. Returns false when there
    /// are too many slow ones already: one of them has to end first.
    pub(super) fn move_to_slow_pool(&mut self, place: &mut WorkerPlace) -> bool {
        self.places.move_to_slow_pool(place)
    }

    /// Ends a worker.
    pub(super) fn finish_worker(&mut self, place: &WorkerPlace) {
        self.places.leave(place);
        if let Some(lane_queue) = self.lanes.get_mut(&place.lane) {
            lane_queue.workers = lane_queue.workers.saturating_sub(1);
            if lane_queue.is_idle() {
                self.lanes.remove(&place.lane);
            }
        }
        self.list(&place.lane);
    }

    /// The time of the next slot that waits.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.first().map(|(at, ..)| *at)
    }

    /// Moves the slots that are due into their lanes.
    fn wake(&mut self, now: Instant) {
        while let Some((at, ..)) = self.waiting.first()
            && *at <= now
        {
            let Some((at, id, lane)) = self.waiting.pop_first() else { return };
            let Some(slot) = slot(&mut self.messages, id, &lane) else { continue };
            slot.state = SlotState::Ready;
            self.lanes.entry(lane.clone()).or_default().push(slot.attempt.kind, at, id);
            self.list(&lane);
        }
    }

    fn claim(&mut self, id: MailId, lane: &Lane) {
        if let Some(slot) = slot(&mut self.messages, id, lane) {
            slot.state = SlotState::Claimed;
        }
    }

    /// Removes a slot from the index.
    fn unlist(&mut self, id: MailId, slot: &Slot) {
        let ScheduledAttempt { lane, at, kind, .. } = &slot.attempt;
        match slot.state {
            SlotState::Waiting => _ = self.waiting.remove(&(*at, id, lane.clone())),
            SlotState::Ready => {
                if let Some(lane_queue) = self.lanes.get_mut(lane) {
                    lane_queue.remove(*kind, *at, id);
                    if lane_queue.is_idle() {
                        self.lanes.remove(lane);
                    }
                }
            }
            SlotState::Claimed => {}
        }
    }

    /// Lists a lane for its turns, if it has messages ready and is not listed for them yet.
    fn list(&mut self, lane: &Lane) {
        if matches!(lane, Lane::Remote(_))
            && let Some(lane_queue) = self.lanes.get_mut(lane)
        {
            for kind in [AttemptKind::First, AttemptKind::Retry] {
                if lane_queue.has(kind) && lane_queue.listed.insert(kind) {
                    self.turns.push(kind, lane.clone());
                }
            }
        }
    }
}

fn slot<'a>(messages: &'a mut HashMap<MailId, Vec<Slot>>, id: MailId, lane: &Lane) -> Option<&'a mut Slot> {
    messages.get_mut(&id)?.iter_mut().find(|slot| slot.attempt.lane == *lane)
}

#[cfg(test)]
mod tests;
