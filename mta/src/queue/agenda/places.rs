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

use super::Kind;
use crate::queue::lane::Lane;

/// The numbers of workers for other hosts.
#[derive(Clone, Copy, Debug)]
pub(in crate::queue) struct Workers {
    /// Workers whose destinations answer. Each may hold a connection with its TLS state, some 100 KiB.
    pub(in crate::queue) quick: usize,
    /// Workers that wait for slow destinations.
    pub(in crate::queue) slow: usize,
}

impl Default for Workers {
    fn default() -> Self {
        Self { quick: 40, slow: 160 }
    }
}

/// Messages of one worker while other lanes wait for a place: enough to make the connection worth its cost.
const QUANTUM: usize = 10;

/// A worker's place, and the lane it works for.
#[derive(Debug)]
pub(in crate::queue) struct Seat {
    pub(in crate::queue) lane: Lane,
    pub(super) kind: Kind,
    place: Place,
    /// Messages that the worker has started.
    taken: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The place of a worker whose lane does not compete with others for places.
    Outside,
    Quick,
    Slow,
}

#[derive(Debug, Default)]
pub(super) struct Places {
    workers: Workers,
    quick: usize,
    /// Quick places used for retries.
    retries: usize,
    slow: usize,
    /// The kind that had the last turn.
    last: Option<Kind>,
}

impl Seat {
    pub(super) fn outside_of_places(lane: Lane, kind: Kind) -> Self {
        Self { lane, kind, place: Place::Outside, taken: 1 }
    }

    pub(super) fn is_outside(&self) -> bool {
        self.place == Place::Outside
    }

    /// True if the worker has given up its quick place.
    pub(in crate::queue) fn is_slow(&self) -> bool {
        self.place == Place::Slow
    }
}

impl Places {
    pub(super) fn new(workers: Workers) -> Self {
        Self { workers, ..Self::default() }
    }

    /// The kinds of attempts for which there is a place, the one whose turn it is first.
    pub(super) fn free(&self) -> impl Iterator<Item = Kind> + use<> {
        let order = match self.last {
            Some(Kind::First) => [Kind::Retry, Kind::First],
            _ => [Kind::First, Kind::Retry],
        };
        let any = self.quick < self.workers.quick;
        let retries = self.retries < self.workers.quick.div_ceil(2);
        order.into_iter().filter(move |kind| any && (*kind == Kind::First || retries))
    }

    pub(super) fn occupy(&mut self, lane: Lane, kind: Kind) -> Seat {
        self.last = Some(kind);
        self.quick += 1;
        self.retries += usize::from(kind == Kind::Retry);
        Seat { lane, kind, place: Place::Quick, taken: 1 }
    }

    /// Decides if a worker may start another message of its lane. A slow one needs a quick place again.
    pub(super) fn may_continue(&mut self, seat: &mut Seat, others_wait: bool) -> bool {
        let is_full = self.quick >= self.workers.quick;
        if (others_wait && is_full && seat.taken >= QUANTUM) || (seat.place == Place::Slow && is_full) {
            return false;
        }
        if seat.place == Place::Slow {
            self.leave(seat);
            self.quick += 1;
            self.retries += usize::from(seat.kind == Kind::Retry);
            seat.place = Place::Quick;
        }
        seat.taken += 1;
        true
    }

    /// Moves a worker to a slow place. Returns false when all are occupied.
    pub(super) fn slow(&mut self, seat: &mut Seat) -> bool {
        if seat.place == Place::Quick {
            if self.slow >= self.workers.slow {
                return false;
            }
            self.leave(seat);
            self.slow += 1;
            seat.place = Place::Slow;
        }
        true
    }

    pub(super) fn leave(&mut self, seat: &Seat) {
        match seat.place {
            Place::Outside => {}
            Place::Quick => {
                self.quick -= 1;
                self.retries -= usize::from(seat.kind == Kind::Retry);
            }
            Place::Slow => self.slow -= 1,
        }
    }
}
