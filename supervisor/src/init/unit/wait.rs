//! How long to wait before a daemon that ended by itself is started again.

use std::time::Duration;

/// The first restart comes almost at once, for one crash must not cost a minute of mail. Not quite at once, so
/// that the log of a daemon that dies and dies again can be read.
const FIRST: Duration = Duration::from_millis(100);
/// A run that was ready for longer than its successor waits was a good one: the next failure begins to count from
/// nothing.
pub(super) const STABLE_AFTER: Duration = FIRST;
/// No daemon that comes up waits longer, however soon it falls again: it serves somebody in between, and whoever calls
/// meanwhile waits in a queue that is not endless. Once a second wears out neither the processor nor the log.
const LONGEST_OF_ONE_THAT_COMES_UP: Duration = Duration::from_secs(1);
/// What the second one of a daemon that does not come up waits; each further one twice as long as the one before.
const SECOND: Duration = Duration::from_secs(1);
/// No wait is longer: once a minute, whatever was wrong may have passed.
const LONGEST: Duration = Duration::from_secs(60);

/// Whether the daemon has a fault that the next start would have too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    /// It was ready, or killed from outside before it could be.
    CameUp,
    /// It ended before it was ready.
    NeverReady,
}

/// The wait after so many failures in a row before this one.
pub(super) fn after(failures: u32, run: Run) -> Duration {
    let Some(before) = failures.checked_sub(1) else { return FIRST };
    match run {
        Run::CameUp => (FIRST * (failures.min(100) + 1)).min(LONGEST_OF_ONE_THAT_COMES_UP),
        // 2^6 seconds are above the cap already.
        Run::NeverReady => (SECOND * (1 << before.min(6))).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(run: Run) -> Vec<u128> {
        (0..12).map(|failures| after(failures, run).as_millis()).collect()
    }

    #[test]
    fn the_wait_doubles_from_a_second_to_a_minute_after_a_quick_first_try() {
        let expected = [100, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000, 60000, 60000];
        assert_eq!(waits(Run::NeverReady), expected);
        assert_eq!(after(u32::MAX, Run::NeverReady), LONGEST);
    }

    #[test]
    fn what_comes_up_and_falls_is_started_at_least_once_a_second() {
        let expected = [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1000, 1000];
        assert_eq!(waits(Run::CameUp), expected);
        assert_eq!(after(u32::MAX, Run::CameUp), LONGEST_OF_ONE_THAT_COMES_UP);
    }
}
