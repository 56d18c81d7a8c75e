//! The wait before a daemon that ended by itself is restarted.

use std::time::Duration;

/// The first restart comes almost at once, for one crash must not cost a minute of mail. Not quite at once, so that the
/// log of a daemon that dies again and again can be read.
const FIRST: Duration = Duration::from_millis(100);
/// A run that was ready for longer than its successor waits was stable: the count of failures is reset.
pub(super) const STABLE_AFTER: Duration = FIRST;
/// A daemon that becomes ready never waits longer, however soon it dies again: it serves some clients in between, and
/// others meanwhile wait in a queue of limited length. One restart a second wears out neither the processor nor the
/// log.
const MAX_OF_ONE_THAT_COMES_UP: Duration = Duration::from_secs(1);
/// The second wait of a daemon that does not become ready; each further one is twice as long as the one before.
const SECOND: Duration = Duration::from_secs(1);
/// No wait is longer: after a minute, the problem may have passed.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The kind of run, which shows if the next start would fail too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunKind {
    /// It was ready, or killed from outside before it could be.
    CameUp,
    /// It ended before it was ready.
    NeverReady,
}

/// The wait after this many failures in a row before this one.
pub(super) fn restart_delay(failures: u32, run: RunKind) -> Duration {
    let Some(before) = failures.checked_sub(1) else { return FIRST };
    match run {
        RunKind::CameUp => (FIRST * (failures.min(100) + 1)).min(MAX_OF_ONE_THAT_COMES_UP),
        // 2^6 seconds are above the cap already.
        RunKind::NeverReady => (SECOND * (1 << before.min(6))).min(MAX_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(run: RunKind) -> Vec<u128> {
        (0..12).map(|failures| restart_delay(failures, run).as_millis()).collect()
    }

    #[test]
    fn the_wait_doubles_from_a_second_to_a_minute_after_a_quick_first_try() {
        let expected = [100, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000, 60000, 60000];
        assert_eq!(waits(RunKind::NeverReady), expected);
        assert_eq!(restart_delay(u32::MAX, RunKind::NeverReady), MAX_WAIT);
    }

    #[test]
    fn a_daemon_that_was_ready_restarts_within_a_second() {
        let expected = [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1000, 1000];
        assert_eq!(waits(RunKind::CameUp), expected);
        assert_eq!(restart_delay(u32::MAX, RunKind::CameUp), MAX_OF_ONE_THAT_COMES_UP);
    }
}
