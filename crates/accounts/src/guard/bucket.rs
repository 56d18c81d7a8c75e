use std::time::{Duration, Instant};

/// The limits for one kind of entry. The numbers fit people: a user who has forgotten which of three passwords it was
/// can log in without noticing a delay, and a program that tries a list is stopped early.
#[derive(Debug)]
pub(super) struct Policy {
    /// The number of failures that cost nothing.
    free_failures: f64,
    /// The first wait; it doubles with every failure.
    first: Duration,
    /// The longest wait.
    longest: Duration,
    /// The number of failures from which attempts are refused.
    refused_from: f64,
    /// True if a pending attempt counts as a failure, so that parallel attempts do not bypass the limits.
    counts_pending: bool,
    /// Once the free failures are used up, the most attempts that may be pending at one time.
    most_pending: u32,
    /// The time in which one failure is forgotten.
    forget: Duration,
}

/// An IPv4 address or 64 bits of IPv6 that is not known: a dozen guesses, then one in five minutes.
pub(super) const NETWORK: Policy = Policy {
    free_failures: 4.0,
    first: Duration::from_secs(1),
    longest: Duration::from_secs(16),
    refused_from: 12.0,
    counts_pending: true,
    most_pending: u32::MAX,
    forget: Duration::from_secs(300),
};

/// The same for one account in a network from which its owner has logged in: there, mail programs open a dozen
/// connections at once.
pub(super) const KNOWN_NETWORK: Policy = Policy { counts_pending: false, ..NETWORK };

/// 48 bits of IPv6, which contain 65,536 networks of 64 bits: as much as eight of them.
pub(super) const SITE: Policy = Policy {
    free_failures: 32.0,
    first: Duration::from_secs(1),
    longest: Duration::from_secs(16),
    refused_from: 96.0,
    counts_pending: true,
    most_pending: u32::MAX,
    forget: Duration::from_secs(40),
};

/// An account, guessed at from everywhere: clients of unknown networks wait, up to eight seconds. It does not refuse a
/// client for the failures of others, and has no bound on the number that wait: each network is limited separately, so
/// any number of guessers cannot use up the owner's attempts.
pub(super) const ACCOUNT: Policy = Policy {
    free_failures: 8.0,
    first: Duration::from_millis(500),
    longest: Duration::from_secs(8),
    refused_from: f64::INFINITY,
    counts_pending: false,
    most_pending: u32::MAX,
    forget: Duration::from_secs(60),
};

/// The same account from addresses that many clients share. At most eight wait at one time, which is a guess a second.
pub(super) const SHARED: Policy = Policy { most_pending: 8, ..ACCOUNT };

/// Failures above the level of the longest wait need not be counted.
const MAX_LEVEL: f64 = 128.0;

/// The number of wrong passwords that are recognised when they are repeated.
const SEEN: usize = 8;

/// The failures charged to one entry.
#[derive(Debug)]
pub(super) struct Bucket {
    /// The failures at the time `at`.
    level: f64,
    at: Instant,
    /// The pending attempts.
    pending: u32,
    /// The last wrong passwords' hashes, the oldest overwritten first.
    seen: [u64; SEEN],
    next: usize,
}

impl Bucket {
    pub(super) fn new(now: Instant) -> Self {
        Self { level: 0.0, at: now, pending: 0, seen: [0; SEEN], next: 0 }
    }

    /// The wait before an attempt; `None` when it is refused.
    pub(super) fn delay(&self, policy: &Policy, now: Instant) -> Option<Duration> {
        // A partly forgotten failure still counts: a long wait must not allow one more guess.
        let failed = self.level(policy, now).ceil();
        let level = if policy.counts_pending { failed + f64::from(self.pending) } else { failed };
        let is_crowded = failed >= policy.free_failures && self.pending >= policy.most_pending;
        if level >= policy.refused_from || is_crowded {
            return None;
        }
        let steps = level - policy.free_failures;
        if steps < 0.0 {
            return Some(Duration::ZERO);
        }
        Some(policy.longest.min(policy.first.mul_f64(steps.min(16.0).exp2())))
    }

    /// The failures that still count, with the pending attempts.
    pub(super) fn load(&self, policy: &Policy, now: Instant) -> u32 {
        // Bounded by `MAX_LEVEL`, so the cast truncates nothing.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and MAX_LEVEL")]
        let failed = self.level(policy, now).ceil() as u32;
        failed.saturating_add(self.pending)
    }

    pub(super) fn begin(&mut self) {
        self.pending += 1;
    }

    pub(super) fn end(&mut self) {
        self.pending = self.pending.saturating_sub(1);
    }

    /// Charges a wrong password, unless it is among the last wrong ones.
    pub(super) fn charge(&mut self, password: u64, policy: &Policy, now: Instant) {
        let level = self.level(policy, now);
        let is_new = !self.seen.contains(&password);
        self.level = if is_new { (level + 1.0).min(MAX_LEVEL) } else { level };
        self.at = now;
        if is_new {
            self.seen[self.next] = password;
            self.next = (self.next + 1) % SEEN;
        }
    }

    fn level(&self, policy: &Policy, now: Instant) -> f64 {
        let forgotten = now.saturating_duration_since(self.at).as_secs_f64() / policy.forget.as_secs_f64();
        (self.level - forgotten).max(0.0)
    }

    /// True if it can be forgotten.
    pub(super) fn is_idle(&self, policy: &Policy, now: Instant) -> bool {
        self.pending == 0 && self.level(policy, now) == 0.0
    }

    /// True if attempts are pending.
    pub(super) fn is_in_use(&self) -> bool {
        self.pending > 0
    }

    /// The time of the last charge.
    pub(super) fn charged_at(&self) -> Instant {
        self.at
    }
}
