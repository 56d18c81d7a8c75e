//! The times of retries and of expiry.

use std::time::Duration;

/// The times of retries. A pure function: age and randomness are passed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    /// The wait after the first attempt. Five minutes by default: a peer that greylists accepts the mail by then.
    pub(super) first: Duration,
    /// The upper bound of every wait.
    pub(super) max_wait: Duration,
    /// The age at which a message expires: "generally at least 4-5 days" (RFC 5321 §4.5.4.1).
    pub(super) expire: Duration,
}

/// A host that comes back after a night's outage gets its mail within the morning.
const MAX_WAIT_REMOTE: Duration = Duration::from_secs(4 * 3600);

/// No recipient waits longer than this for its next attempt, whatever the clock and the envelope have.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(5 * 3600);

/// A message does not expire before this many attempts: the server may have been off for days, or its clock behind.
const MIN_ATTEMPTS: u32 = 3;

/// The file of an envelope has a resolution of seconds; without a wait the queue would spin.
const MIN_WAIT: Duration = Duration::from_secs(1);

/// The MDA is on this machine: once it is back, mail need not wait for it any longer.
const MAX_WAIT_LOCAL: Duration = Duration::from_secs(10 * 60);

/// The random share that is added to or subtracted from a wait, so that messages that failed together are not always
/// retried together.
const JITTER: f64 = 0.2;

impl Schedule {
    /// The schedule for other hosts.
    pub(super) fn remote(first: Duration, expire: Duration) -> Self {
        Self { first, max_wait: MAX_WAIT_REMOTE.max(first), expire }
    }

    /// The schedule for the MDA.
    pub(super) fn local(first: Duration, expire: Duration) -> Self {
        Self { first: first.min(MAX_WAIT_LOCAL), max_wait: MAX_WAIT_LOCAL, expire }
    }

    /// The wait after this many attempts (at least one) for a message of that age; `None` when the message expires.
    /// `random` is from 0 up to 1.
    pub(super) fn wait(&self, age: Duration, attempts: u32, random: f64) -> Option<Duration> {
        let wait = self.back_off(attempts, random);
        if attempts < MIN_ATTEMPTS {
            return Some(wait);
        }
        let left = self.expire.checked_sub(age).filter(|left| !left.is_zero())?;
        // One last attempt is made when the message expires, however long the wait before it.
        Some(wait.min(left.max(MIN_WAIT)))
    }

    /// The wait without regard to expiry: doubles with each attempt.
    fn back_off(&self, attempts: u32, random: f64) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1).min(30)));
        doubled.min(self.max_wait).mul_f64(1.0 - JITTER + 2.0 * JITTER * random).max(MIN_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;
    const HOUR: u64 = 3600;
    const DAY: u64 = 24 * HOUR;

    fn schedule() -> Schedule {
        Schedule::remote(Duration::from_secs(5 * MINUTE), Duration::from_secs(5 * DAY))
    }

    #[test]
    fn waits_double_up_to_the_maximum() {
        let mut age = Duration::ZERO;
        let mut waits = Vec::new();
        for attempts in 1..=9 {
            let wait = schedule().wait(age, attempts, 0.5).unwrap();
            waits.push(wait.as_secs() / MINUTE);
            age += wait;
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 240, 240, 240]);
    }

    #[test]
    fn randomness_spreads_a_wait_by_a_fifth() {
        let wait = |random| schedule().wait(Duration::ZERO, 1, random).unwrap().as_secs();
        assert_eq!((wait(0.0), wait(0.5), wait(1.0)), (240, 300, 360));
    }

    #[test]
    fn the_last_attempt_is_made_at_expiry() {
        let just_before = Duration::from_secs(5 * DAY - 10);
        assert_eq!(schedule().wait(just_before, 40, 0.5), Some(Duration::from_secs(10)));
        assert_eq!(schedule().wait(Duration::from_secs(5 * DAY), 41, 0.5), None);
        assert_eq!(schedule().wait(Duration::MAX, 41, 0.5), None);
    }

    #[test]
    fn a_message_expires_only_after_a_few_attempts() {
        let long_off = Duration::from_secs(6 * DAY);
        assert_eq!(schedule().wait(long_off, 2, 0.5), Some(Duration::from_secs(10 * MINUTE)));
        assert_eq!(schedule().wait(long_off, 3, 0.5), None);
    }

    #[test]
    fn local_deliveries_are_retried_soon() {
        let local = Schedule::local(Duration::from_secs(5 * MINUTE), Duration::from_secs(5 * DAY));
        assert_eq!(local.wait(Duration::ZERO, 20, 1.0).unwrap().as_secs(), 12 * MINUTE);
    }

    #[test]
    fn any_number_of_attempts_gives_a_bounded_wait() {
        let schedule = Schedule::remote(Duration::ZERO, Duration::from_secs(u64::MAX));
        for attempts in [0, 1, 100, u32::MAX] {
            assert!(schedule.wait(Duration::ZERO, attempts, 0.0).unwrap() >= Duration::from_secs(1));
        }
    }

    #[test]
    fn no_wait_exceeds_the_maximum() {
        for attempts in [1, 7, 100] {
            assert!(schedule().wait(Duration::ZERO, attempts, 1.0).unwrap() <= MAX_WAIT);
        }
    }
}
