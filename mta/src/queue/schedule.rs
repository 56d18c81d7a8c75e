//! When to try again, and when to give up.

use std::time::Duration;

use crate::timestamp::Timestamp;

/// The times of retries. A function of numbers: the clock and the chance are passed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    /// The wait after the first attempt. Five minutes by default: a peer that greylists takes it by then.
    pub(super) first: Duration,
    /// No wait is longer.
    pub(super) longest: Duration,
    /// After this, it is given up: "generally at least 4-5 days" (RFC 5321 §4.5.4.1).
    pub(super) expire: Duration,
}

/// A host that comes back after a night's outage gets its mail within the morning.
const LONGEST: Duration = Duration::from_secs(4 * 3600);

/// The MDA is on this machine: when it is back, it is back.
const LONGEST_LOCAL: Duration = Duration::from_secs(10 * 60);

/// How much chance adds to or takes from a wait, so that what failed together is not tried together for ever.
const JITTER: f64 = 0.2;

impl Schedule {
    /// For other hosts.
    pub(super) fn remote(first: Duration, expire: Duration) -> Self {
        Self { first, longest: LONGEST.max(first), expire }
    }

    /// For the MDA.
    pub(super) fn local(first: Duration, expire: Duration) -> Self {
        Self { first: first.min(LONGEST_LOCAL), longest: LONGEST_LOCAL, expire }
    }

    /// When to try again after so many attempts (at least one), of which the last was `now`; none when that was the
    /// last. `chance` is from 0 up to 1.
    pub(super) fn retry(
        &self,
        created: Timestamp,
        attempts: u32,
        now: Timestamp,
        chance: f64,
    ) -> Option<Timestamp> {
        let deadline = created.after(self.expire);
        if now >= deadline {
            return None;
        }
        // One last attempt is made when time is up, however long the wait before it.
        Some(now.after(self.wait(attempts, chance)).min(deadline))
    }

    /// Doubles with each attempt.
    fn wait(&self, attempts: u32, chance: f64) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1).min(30)));
        let wait = doubled.min(self.longest).mul_f64(1.0 - JITTER + 2.0 * JITTER * chance);
        // The queue's clock counts seconds; without a wait it would spin.
        wait.max(Duration::from_secs(1))
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

    fn created() -> Timestamp {
        Timestamp::new(std::time::UNIX_EPOCH + Duration::from_secs(1_795_370_399))
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut now = created();
        let mut waits = Vec::new();
        for attempts in 1..=9 {
            let next = schedule().retry(created(), attempts, now, 0.5).unwrap();
            waits.push(next.since(now).as_secs() / MINUTE);
            now = next;
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 240, 240, 240]);
    }

    #[test]
    fn chance_spreads_a_wait_by_a_fifth() {
        let wait =
            |chance| schedule().retry(created(), 1, created(), chance).unwrap().since(created()).as_secs();
        assert_eq!((wait(0.0), wait(0.5), wait(1.0)), (240, 300, 360));
    }

    #[test]
    fn the_last_attempt_is_made_when_time_is_up() {
        let deadline = created().after(Duration::from_secs(5 * DAY));
        let just_before = created().after(Duration::from_secs(5 * DAY - 1));
        assert_eq!(schedule().retry(created(), 40, just_before, 0.5), Some(deadline));
        assert_eq!(schedule().retry(created(), 41, deadline, 0.5), None);
    }

    #[test]
    fn the_mda_is_never_left_waiting_for_long() {
        let local = Schedule::local(Duration::from_secs(5 * MINUTE), Duration::from_secs(5 * DAY));
        let next = local.retry(created(), 20, created(), 1.0).unwrap();
        assert_eq!(next.since(created()).as_secs(), 12 * MINUTE);
    }

    #[test]
    fn no_number_of_attempts_overflows_or_spins() {
        let schedule = Schedule::remote(Duration::ZERO, Duration::from_secs(u64::MAX));
        for attempts in [0, 1, 100, u32::MAX] {
            assert!(schedule.retry(created(), attempts, created(), 0.0).unwrap() > created());
        }
    }
}
