use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time between log lines about refused connections. A client that opens one after the other must not
/// be able to push everything else out of the log; the metrics count each of them.
const PAUSE: Duration = Duration::from_secs(60);

/// The time of the last log line about a refused connection, and the number of refusals since.
#[derive(Debug, Default)]
pub(super) struct RefusedConnections(Mutex<Option<(Instant, u64)>>);

impl RefusedConnections {
    /// Counts a refusal. Returns the number of refusals that were not logged when it is time to log one.
    pub(super) fn count(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            Some((last, unlogged)) if now.duration_since(*last) < PAUSE => {
                *unlogged += 1;
                None
            }
            other => other.replace((now, 0)).map_or(Some(0), |(_, unlogged)| Some(unlogged)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_minute_with_its_sum() {
        let (refused, begin) = (RefusedConnections::default(), Instant::now());
        assert_eq!(refused.count(begin), Some(0));
        for second in 0..59 {
            assert_eq!(refused.count(begin + Duration::from_secs(second)), None);
        }
        assert_eq!(refused.count(begin + PAUSE), Some(59));
        assert_eq!(refused.count(begin + PAUSE + Duration::from_secs(1)), None);
        assert_eq!(refused.count(begin + 3 * PAUSE), Some(1));
    }
}
