//! The time for which this process has seen a file unchanged, by a monotonic clock.
//!
//! A file's own time comes from another clock: that of a file server, or of a machine whose clock was not set yet. A
//! lock that is dated in the future would be respected until that time. So the process's own observations count too.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The observed files of this process: one for each mailbox whose lock is waited for. A file beyond the limit
/// counts as new each time.
static OBSERVED: Mutex<Option<Observations>> = Mutex::new(None);
const MAX_OBSERVATIONS: usize = 1024;

/// The time for which the file at a path has been observed to be the same and unchanged.
pub(super) fn unchanged_for(path: &Path, found: &Metadata, now: Instant) -> Duration {
    let mut observed = OBSERVED.lock().unwrap_or_else(PoisonError::into_inner);
    observed.get_or_insert_default().unchanged_for(path, FileState::of(found), now)
}

/// Forgets a file that is no longer waited for.
pub(super) fn forget(path: &Path) {
    if let Some(observed) = &mut *OBSERVED.lock().unwrap_or_else(PoisonError::into_inner) {
        observed.0.remove(path);
    }
}

#[derive(Debug, Default)]
struct Observations(HashMap<PathBuf, Observation>);

#[derive(Debug)]
struct Observation {
    state: FileState,
    since: Instant,
    last: Instant,
}

/// The values that change when a file is written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileState {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
}

impl FileState {
    fn of(found: &Metadata) -> Self {
        Self {
            file: (found.dev(), found.ino()),
            size: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
        }
    }
}

impl Observations {
    fn unchanged_for(&mut self, path: &Path, state: FileState, now: Instant) -> Duration {
        if let Some(known) = self.0.get_mut(path).filter(|known| known.state == state) {
            known.last = now;
            return now.saturating_duration_since(known.since);
        }
        if self.0.len() >= MAX_OBSERVATIONS
            && let Some(oldest) =
                self.0.iter().min_by_key(|(_, known)| known.last).map(|(path, _)| path.clone())
        {
            self.0.remove(&oldest);
        }
        self.0.insert(path.to_owned(), Observation { state, since: now, last: now });
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: FileState = FileState { file: (1, 2), size: 3, modified: (4, 5) };

    #[test]
    fn a_file_counts_from_the_last_change_that_was_seen() {
        let mut observed = Observations::default();
        let begin = Instant::now();
        let path = Path::new("/mail/lock");
        let mut after = |seconds, state| {
            observed.unchanged_for(path, state, begin + Duration::from_secs(seconds)).as_secs()
        };
        assert_eq!([after(0, STATE), after(60, STATE), after(121, STATE)], [0, 60, 121]);
        let changes = [
            FileState { file: (1, 3), ..STATE },
            FileState { size: 4, ..STATE },
            FileState { modified: (4, 6), ..STATE },
        ];
        for changed in changes {
            assert_eq!([after(200, changed), after(230, changed), after(240, STATE)], [0, 30, 0]);
        }
    }

    #[test]
    fn observations_are_limited_and_recent_ones_stay() {
        let mut observed = Observations::default();
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let waited_for = Path::new("/waited-for");
        for (seconds, number) in (0..).zip(0..2 * MAX_OBSERVATIONS) {
            observed.unchanged_for(waited_for, STATE, at(seconds));
            observed.unchanged_for(&PathBuf::from(format!("/{number}")), STATE, at(seconds));
        }
        assert_eq!(observed.0.len(), MAX_OBSERVATIONS);
        assert_eq!(observed.unchanged_for(waited_for, STATE, at(5000)).as_secs(), 5000);
    }
}
