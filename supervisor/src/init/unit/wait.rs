//! How long to wait before a daemon that ended by itself is started again.

use std::time::Duration;

/// A run that was ready for this long was a good one: the next failure begins to count from nothing.
pub(super) const STABLE_AFTER: Duration = Duration::from_secs(60);

/// The first restart comes almost at once, for one crash must not cost a minute of mail. Not quite at once, so
/// that the log of a daemon that dies and dies again can be read.
const FIRST: Duration = Duration::from_millis(100);
/// What the second one waits; each further one twice as long as the one before.
const SECOND: Duration = Duration::from_secs(1);
/// No wait is longer: once a minute, whatever was wrong may have passed.
const LONGEST: Duration = Duration::from_secs(60);

/// The wait after so many failures in a row before this one.
pub(super) fn after(failures: u32) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else { return FIRST };
    // 2^6 seconds are above the cap already.
    (SECOND * (1 << doublings.min(6))).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_a_second_to_a_minute_after_a_quick_first_try() {
        let waits: Vec<u128> = (0..10).map(|failures| after(failures).as_millis()).collect();
        let seconds = [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000];
        assert_eq!(waits, [[100].as_slice(), &seconds].concat());
        assert_eq!(after(u32::MAX), LONGEST);
    }
}
