//! The queue's agenda: the one place where a message gets its next attempts, and the workers' access to it.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::agenda::{Agenda, WorkerPlace};
use super::entry::{self, Entry};
use super::lane::{Lane, Routes};
use super::slow::SlowWorkers;
use super::{Envelope, MailId, Queue, Reschedule};

impl Queue {
    /// Compares the agenda with the envelopes, schedules recipients that have neither a slot nor an attempt, and
    /// returns their number, which should always be zero.
    pub fn repair(&self) -> usize {
        let mut strays = 0;
        for id in self.ids() {
            // A locked envelope is put on the agenda when it is unlocked, as this one is.
            let Some(envelope) = self.entry(id).and_then(|entry| entry.try_lock()) else { continue };
            let missing = self.unscheduled_recipients(&envelope);
            if missing > 0 {
                tracing::error!(%id, recipients = missing, "scheduled recipients that had no next attempt");
                strays += missing;
            }
        }
        strays
    }

    /// Requests that everything is put on the agenda again: the routes may have changed.
    pub fn reschedule_all(&self, due: Reschedule) {
        let mut request = self.reschedule_request();
        *request = (*request).max(Some(due));
        self.shared.wake.notify_one();
    }

    pub(super) fn take_reschedule_request(&self) -> Option<Reschedule> {
        self.reschedule_request().take()
    }

    pub(super) fn reschedule_request(&self) -> MutexGuard<'_, Option<Reschedule>> {
        self.shared.reschedule_request.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn agenda(&self) -> MutexGuard<'_, Agenda> {
        self.shared.agenda.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn entry(&self, id: MailId) -> Option<Entry> {
        let envelope = self.entries().get(&id).cloned()?;
        Some(Entry::new(self.clone(), envelope))
    }

    pub(super) fn add(&self, envelope: Envelope) {
        let id = envelope.id;
        let attempts = entry::attempts(&envelope, self.routes());
        let mut entries = self.entries();
        self.agenda().set(id, attempts);
        entries.insert(id, Arc::new(tokio::sync::Mutex::new(envelope)));
        self.shared.length.send_replace(entries.len());
        drop(entries);
        self.shared.wake.notify_one();
    }

    pub(super) fn remove_entry(&self, id: MailId) {
        let mut entries = self.entries();
        entries.remove(&id);
        self.shared.length.send_replace(entries.len());
    }

    /// Sets the slots of a message as its envelope requires.
    pub(super) fn schedule(&self, envelope: &Envelope) {
        let attempts = entry::attempts(envelope, self.routes());
        let entries = self.entries();
        let attempts = if entries.contains_key(&envelope.id) { attempts } else { Vec::new() };
        self.agenda().set(envelope.id, attempts);
        drop(entries);
        self.shared.wake.notify_one();
    }

    /// The number of recipients that wait and have no slot.
    pub(super) fn unscheduled_recipients(&self, envelope: &Envelope) -> usize {
        let due: usize =
            entry::attempts(envelope, self.routes()).iter().map(|attempt| attempt.recipients).sum();
        let scheduled = self.agenda().attempts_of(envelope.id).map(|attempt| attempt.recipients).sum();
        due.saturating_sub(scheduled)
    }

    pub(super) fn routes(&self) -> &Routes {
        &self.shared.routes
    }

    /// Replaces the relay. [`Queue::reschedule_all`] moves the messages to their new lanes.
    pub(crate) fn set_relay(&self, relay: Option<&handover::config::Relay>) {
        self.routes().set_relay(relay);
    }

    pub(super) fn start_worker(&self) -> Option<(WorkerPlace, MailId)> {
        self.agenda().start_worker(Instant::now())
    }

    pub(super) fn next_message(&self, place: &mut WorkerPlace) -> Option<MailId> {
        self.agenda().next_message(place, Instant::now())
    }

    pub(super) fn claim_all_ready(&self, lane: &Lane) -> Vec<MailId> {
        self.agenda().claim_all_ready(lane)
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.agenda().next_due()
    }

    pub(super) fn release(&self, id: MailId, lane: &Lane, at: Instant) {
        self.agenda().release(id, lane, at);
        self.shared.wake.notify_one();
    }

    pub(super) fn note_reachable(&self, lane: &Lane) {
        self.agenda().note_reachable(lane);
        self.shared.wake.notify_one();
    }

    pub(super) fn finish_worker(&self, place: &WorkerPlace) {
        self.agenda().finish_worker(place);
        self.shared.wake.notify_one();
    }

    /// Gives up a worker's quick place. Returns false when all slow ones are occupied; then one of their workers is
    /// evicted.
    pub(super) fn move_to_slow_pool(&self, place: &mut WorkerPlace) -> bool {
        let is_moved = self.agenda().move_to_slow_pool(place);
        if is_moved {
            self.shared.wake.notify_one();
        } else {
            self.shared.slow.evict();
        }
        is_moved
    }

    pub(super) fn slow(&self) -> &SlowWorkers {
        &self.shared.slow
    }

    pub(super) fn slow_after(&self) -> Duration {
        self.shared.slow_after
    }

    pub(super) fn change_underway_count(&self, change: impl FnOnce(usize) -> usize) {
        let mut recipients = self.underway_count();
        *recipients = change(*recipients);
    }

    pub(super) fn underway_count(&self) -> MutexGuard<'_, usize> {
        self.shared.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
