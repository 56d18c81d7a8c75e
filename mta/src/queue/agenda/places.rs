//! The places of workers that deliver to other hosts.
//!
//! | kind of place | number                  | held by                                          |
//! |---------------|-------------------------|--------------------------------------------------|
//! | quick         | 40, half of it retries  | a worker whose destination answers, or may        |
//! | slow          | 160                     | a worker that has waited for some seconds         |
//!
//! A worker that waits for a silent host costs a socket and no processor time, so it gives up its quick place after
//! some seconds. When the slow places are full as well, the worker that has waited longest for a connection ends, and
//! its message is retried later. So a quick place becomes free within seconds, whatever destinations do. Deliveries to
//! the MDA have workers of their own.

use super::AttemptKind;
use crate::queue::lane::Lane;

/// The numbers of workers for other hosts.
#[derive(Clone, Copy, Debug)]
pub(in crate::queue) struct WorkerLimits {
    /// Workers whose destinations answer. Each may hold a connection with its TLS state, some 100 KiB.
    pub(in crate::queue) quick: usize,
    /// Workers that wait for slow destinations.
    pub(in crate::queue) slow: usize,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self { quick: 40, slow: 160 }
    }
}

/// Messages of one worker while other lanes wait for a place: enough to make the connection worth its cost.
const QUANTUM: usize = 10;

/// A worker's place, and the lane it works for.
#[derive(Debug)]
pub(in crate::queue) struct WorkerPlace {
    pub(in crate::queue) lane: Lane,
    pub(super) kind: AttemptKind,
    pool: Pool,
    /// Messages that the worker has started.
    started: usize,
}

/// The kind of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pool {
    /// For a worker whose lane does not compete with others for places.
    Unlimited,
    Quick,
    Slow,
}

#[derive(Debug, Default)]
pub(super) struct Places {
    workers: WorkerLimits,
    quick: usize,
    /// Quick places used for retries.
    retries: usize,
    slow: usize,
    /// The kind that had the last turn.
    last: Option<AttemptKind>,
}

impl WorkerPlace {
    pub(super) fn unlimited(lane: Lane, kind: AttemptKind) -> Self {
        Self { lane, kind, pool: Pool::Unlimited, started: 1 }
    }

    pub(super) fn is_unlimited(&self) -> bool {
        self.pool == Pool::Unlimited
    }

    /// True if the worker has given up its quick place.
    pub(in crate::queue) fn is_slow(&self) -> bool {
        self.pool == Pool::Slow
    }
}

impl Places {
    pub(super) fn new(workers: WorkerLimits) -> Self {
        Self { workers, ..Self::default() }
    }

    /// The kinds of attempts for which there is a place, the one whose turn it is first.
    pub(super) fn free(&self) -> impl Iterator<Item = AttemptKind> + use<> {
        let order = match self.last {
            Some(AttemptKind::First) => [AttemptKind::Retry, AttemptKind::First],
            _ => [AttemptKind::First, AttemptKind::Retry],
        };
        let any = self.quick < self.workers.quick;
        let retries = self.retries < self.workers.quick.div_ceil(2);
        order.into_iter().filter(move |kind| any && (*kind == AttemptKind::First || retries))
    }

    pub(super) fn occupy(&mut self, lane: Lane, kind: AttemptKind) -> WorkerPlace {
        self.last = Some(kind);
        self.quick += 1;
        self.retries += usize::from(kind == AttemptKind::Retry);
        WorkerPlace { lane, kind, pool: Pool::Quick, started: 1 }
    }

    /// Decides if a worker may start another message of its lane. A slow one needs a quick place again.
    pub(super) fn may_continue(&mut self, place: &mut WorkerPlace, others_wait: bool) -> bool {
        let is_full = self.quick >= self.workers.quick;
        if (others_wait && is_full && place.started >= QUANTUM) || (place.pool == Pool::Slow && is_full) {
            return false;
        }
        if place.pool == Pool::Slow {
            self.leave(place);
            self.quick += 1;
            self.retries += usize::from(place.kind == AttemptKind::Retry);
            place.pool = Pool::Quick;
        }
        place.started += 1;
        true
    }

    /// Moves a worker to a slow place. Returns false when all are occupied.
    pub(super) fn move_to_slow_pool(&mut self, place: &mut WorkerPlace) -> bool {
        if place.pool == Pool::Quick {
            if self.slow >= self.workers.slow {
                return false;
            }
            self.leave(place);
            self.slow += 1;
            place.pool = Pool::Slow;
        }
        true
    }

    pub(super) fn leave(&mut self, place: &WorkerPlace) {
        match place.pool {
            Pool::Unlimited => {}
            Pool::Quick => {
                self.quick -= 1;
                self.retries -= usize::from(place.kind == AttemptKind::Retry);
            }
            Pool::Slow => self.slow -= 1,
        }
    }
}
