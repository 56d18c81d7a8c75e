//! One message of the queue, and the one way to change its envelope.
//!
//! An envelope is changed through [`Locked`] only, and when that is dropped, the message's slots on the agenda are
//! computed from the envelope. So every recipient that waits has a slot or a live attempt, whatever has happened in
//! between: an outcome, a new lane after a reload, a clock that was set, a worker that panicked.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::agenda::{AttemptKind, ScheduledAttempt};
use super::lane::{Lane, Routes};
use super::{Envelope, Queue};

/// One queued message. The lock is held while the envelope's file is written, so that the file is never older than the
/// state that other tasks have seen.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    queue: Queue,
    envelope: Arc<Mutex<Envelope>>,
}

/// A locked envelope. Puts the message on the agenda when it is dropped.
#[derive(Debug)]
pub(super) struct Locked {
    queue: Queue,
    envelope: OwnedMutexGuard<Envelope>,
}

impl Entry {
    pub(super) fn new(queue: Queue, envelope: Arc<Mutex<Envelope>>) -> Self {
        Self { queue, envelope }
    }

    pub(super) async fn lock(&self) -> Locked {
        Locked { queue: self.queue.clone(), envelope: self.envelope.clone().lock_owned().await }
    }

    /// The envelope, unless it is locked: then it will be put on the agenda soon.
    pub(super) fn try_lock(&self) -> Option<Locked> {
        let envelope = self.envelope.clone().try_lock_owned().ok()?;
        Some(Locked { queue: self.queue.clone(), envelope })
    }
}

impl Deref for Locked {
    type Target = Envelope;

    fn deref(&self) -> &Envelope {
        &self.envelope
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut Envelope {
        &mut self.envelope
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.queue.schedule(&self.envelope);
    }
}

/// The next attempt of a message in each lane.
pub(super) fn attempts(envelope: &Envelope, routes: &Routes) -> Vec<ScheduledAttempt> {
    let mut lanes: BTreeMap<Lane, ScheduledAttempt> = BTreeMap::new();
    let mut add = |lane: Lane, at: Instant, kind: AttemptKind| {
        let first = ScheduledAttempt { lane: lane.clone(), at, kind, recipients: 0 };
        let attempt = lanes.entry(lane).or_insert(first);
        attempt.at = attempt.at.min(at);
        attempt.kind = attempt.kind.min(kind);
        attempt.recipients += usize::from(attempt.lane != Lane::Settlement);
    };
    for recipient in &envelope.recipients {
        if let Some(at) = recipient.due() {
            let kind = if recipient.attempts == 0 { AttemptKind::First } else { AttemptKind::Retry };
            add(routes.lane(&recipient.address), at, kind);
        }
    }
    if let Some(at) = envelope.settle_at.0 {
        add(Lane::Settlement, at, AttemptKind::Retry);
    }
    lanes.into_values().collect()
}
