//! The bound on notes to users about mail that failed: one a day for each forward or mailbox.
//!
//! A note goes to a user in place of a sender whose address may be forged. Anyone can cause such failures, so they must
//! not become a flood: further ones are counted, and the next note has their number. The record is in memory only, so
//! that a restart costs at most one more note for each forward.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use address::Address;

/// The time between two notes about the same forward.
const INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// Forwards and mailboxes that are recorded. Only the operator can add some, so a server stays below; beyond it, the
/// oldest record is forgotten.
const MAX_RECORDS: usize = 4_096;

/// The notes of the last day.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<HashMap<Route, Record>>);

/// The way of a message that failed: through an alias, if there is one, to a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Route {
    pub(super) alias: Option<Address>,
    pub(super) mailbox: Address,
}

#[derive(Debug)]
struct Record {
    last: Instant,
    /// Failures since then.
    unreported: u64,
}

impl Notes {
    /// The number of failures that were not reported, if a note is due now; otherwise `None`.
    pub(super) fn due(&self, route: &Route, now: Instant) -> Option<u64> {
        match self.records().get(route) {
            None => Some(0),
            Some(record) if now.saturating_duration_since(record.last) >= INTERVAL => Some(record.unreported),
            Some(_) => None,
        }
    }

    /// Records that a note is queued.
    pub(super) fn record(&self, route: Route, now: Instant) {
        let mut records = self.records();
        if records.len() >= MAX_RECORDS && !records.contains_key(&route) {
            let oldest = records.iter().min_by_key(|(_, record)| record.last).map(|(route, _)| route.clone());
            oldest.map(|route| records.remove(&route));
        }
        records.insert(route, Record { last: now, unreported: 0 });
    }

    /// Counts a failure for which no note is due.
    pub(super) fn count(&self, route: &Route) {
        if let Some(record) = self.records().get_mut(route) {
            record.unreported += 1;
        }
    }

    fn records(&self) -> MutexGuard<'_, HashMap<Route, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(alias: &str) -> Route {
        let address = |text: &str| Address::parse(text).unwrap();
        Route { alias: Some(address(alias)), mailbox: address("far@example.net") }
    }

    #[test]
    fn a_note_is_due_once_a_day_and_has_the_number_of_the_others() {
        let (notes, now) = (Notes::default(), Instant::now());
        let (list, team) = (route("list@example.org"), route("team@example.org"));
        assert_eq!(notes.due(&list, now), Some(0));
        // A note that could not be queued is still due.
        assert_eq!(notes.due(&list, now), Some(0));
        notes.record(list.clone(), now);
        for _ in 0..3 {
            assert_eq!(notes.due(&list, now + INTERVAL / 2), None);
            notes.count(&list);
        }
        assert_eq!(notes.due(&team, now), Some(0));
        assert_eq!(notes.due(&list, now + INTERVAL), Some(3));
        notes.record(list.clone(), now + INTERVAL);
        assert_eq!(notes.due(&list, now + INTERVAL * 2), Some(0));
    }

    #[test]
    fn the_records_are_bounded() {
        let (notes, now) = (Notes::default(), Instant::now());
        for number in 0..=MAX_RECORDS {
            notes.record(route(&format!("a{number}@example.org")), now + Duration::from_secs(number as u64));
        }
        assert_eq!(notes.records().len(), MAX_RECORDS);
        assert_eq!(notes.due(&route("a0@example.org"), now), Some(0));
        assert_eq!(notes.due(&route("a1@example.org"), now), None);
    }
}
