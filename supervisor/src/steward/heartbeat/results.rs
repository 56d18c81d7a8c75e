use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{BeatFailure, Step};
use crate::steward::findings::Finding;

/// The result of a beat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::steward) struct Beat {
    /// The time of its end, in seconds since 1970.
    pub(in crate::steward) at: u64,
    /// Its duration.
    pub(in crate::steward) took: Duration,
    pub(in crate::steward) outcome: Result<(), BeatFailure>,
}

/// The results of all beats. Clones share them.
#[derive(Debug, Clone, Default)]
pub(in crate::steward) struct BeatResults(Arc<Mutex<BeatSnapshot>>);

/// A snapshot of the results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::steward) struct BeatSnapshot {
    /// The last beat.
    pub(in crate::steward) last: Option<Beat>,
    /// The last beat that succeeded.
    pub(in crate::steward) last_success: Option<Beat>,
    /// The number of beats that succeeded.
    pub(in crate::steward) successes: u64,
    /// The number of failed beats, by step.
    pub(in crate::steward) failures: BTreeMap<Step, u64>,
}

impl Beat {
    pub(super) fn new(outcome: Result<(), BeatFailure>, took: Duration) -> Self {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { at, took, outcome }
    }

    pub(super) fn is_success(&self) -> bool {
        self.outcome.is_ok()
    }

    pub(super) fn log(&self) {
        match &self.outcome {
            Ok(()) => tracing::debug!(milliseconds = self.took.as_millis(), "heartbeat"),
            Err(failure) => tracing::warn!(step = %failure.step, detail = failure.detail, "heartbeat failed"),
        }
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        self.outcome.as_ref().err().map(BeatFailure::finding).into_iter().collect()
    }
}

impl BeatResults {
    pub(super) fn note(&self, beat: Beat) {
        let mut beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &beat.outcome {
            Ok(()) => {
                beats.successes += 1;
                beats.last_success = Some(beat.clone());
            }
            Err(failure) => *beats.failures.entry(failure.step).or_default() += 1,
        }
        beats.last = Some(beat);
    }

    pub(in crate::steward) fn beats(&self) -> BeatSnapshot {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
