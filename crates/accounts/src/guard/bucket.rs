use std::time::{Duration, Instant};

/// How one kind of entry is charged and slowed. The numbers are those of people: somebody who has forgotten which of
/// three passwords it was gets through without noticing, and a program that tries a list does not get far.
#[derive(Debug)]
pub(super) struct Policy {
    /// So many failures cost nothing.
    free: f64,
    /// The first wait; it doubles with every failure.
    first: Duration,
    /// The longest wait.
    longest: Duration,
    /// From so many failures on nothing is looked at.
    refuse: f64,
    /// Whether an attempt that is under way counts as one that has failed, so that asking many at once is no way around.
    counts_pending: bool,
    /// Once what is free is used up, so many attempts may be under way at one time.
    crowd: u32,
    /// One failure is forgotten in this time.
    forget: Duration,
}

/// A stranger's IPv4 address or 64 bits of IPv6: a dozen guesses, then one in five minutes.
pub(super) const PARTY: Policy = Policy {
    free: 4.0,
    first: Duration::from_secs(1),
    longest: Duration::from_secs(16),
    refuse: 12.0,
    counts_pending: true,
    crowd: u32::MAX,
    forget: Duration::from_secs(300),
};

/// The same for one account where its owner has been: there, mail programs open a dozen connections at once.
pub(super) const HOME: Policy = Policy { counts_pending: false, ..PARTY };

/// 48 bits of IPv6, in which there are 65,536 of those: as much as eight of them.
pub(super) const SITE: Policy = Policy {
    free: 32.0,
    first: Duration::from_secs(1),
    longest: Duration::from_secs(16),
    refuse: 96.0,
    counts_pending: true,
    crowd: u32::MAX,
    forget: Duration::from_secs(40),
};

/// An account, guessed at from everywhere: strangers wait, up to eight seconds. It refuses none for what others have done,
/// and has no bound on the number that wait: each network has places of its own, by its own measure, so a crowd of
/// guessers cannot take the owner's.
pub(super) const ACCOUNT: Policy = Policy {
    free: 8.0,
    first: Duration::from_millis(500),
    longest: Duration::from_secs(8),
    refuse: f64::INFINITY,
    counts_pending: false,
    crowd: u32::MAX,
    forget: Duration::from_secs(60),
};

/// The same account from where networks cannot be told apart. Eight wait at one time, which is a guess a second at most.
pub(super) const SHARED: Policy = Policy { crowd: 8, ..ACCOUNT };

/// Above what makes wait for longest there is nothing to be gained by counting on.
const MOST: f64 = 128.0;

/// Wrong passwords that are recognised when they come again.
const SEEN: usize = 8;

/// What is charged to one entry.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Failures, as of the time below.
    level: f64,
    at: Instant,
    /// Attempts under way.
    pending: u32,
    /// The last wrong passwords' hashes, the oldest overwritten first.
    seen: [u64; SEEN],
    next: usize,
}

impl Bucket {
    pub(super) fn new(now: Instant) -> Self {
        Self { level: 0.0, at: now, pending: 0, seen: [0; SEEN], next: 0 }
    }

    /// How long an attempt has to wait; nothing when it is refused.
    pub(super) fn delay(&self, policy: &Policy, now: Instant) -> Option<Duration> {
        // What is forgotten in part is not forgotten: a long wait is not to be a guess more.
        let failed = self.level(policy, now).ceil();
        let level = if policy.counts_pending { failed + f64::from(self.pending) } else { failed };
        let is_crowded = failed >= policy.free && self.pending >= policy.crowd;
        if level >= policy.refuse || is_crowded {
            return None;
        }
        let steps = level - policy.free;
        if steps < 0.0 {
            return Some(Duration::ZERO);
        }
        Some(policy.longest.min(policy.first.mul_f64(steps.min(16.0).exp2())))
    }

    /// Failures that count now, with the attempts that are under way.
    pub(super) fn load(&self, policy: &Policy, now: Instant) -> u32 {
        // Bounded by `MOST`, so nothing is cut off.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and MOST")]
        let failed = self.level(policy, now).ceil() as u32;
        failed.saturating_add(self.pending)
    }

    pub(super) fn begin(&mut self) {
        self.pending += 1;
    }

    pub(super) fn end(&mut self) {
        self.pending = self.pending.saturating_sub(1);
    }

    /// Charges a wrong password, unless it is one of those that were wrong already.
    pub(super) fn charge(&mut self, password: u64, policy: &Policy, now: Instant) {
        let level = self.level(policy, now);
        let is_new = !self.seen.contains(&password);
        self.level = if is_new { (level + 1.0).min(MOST) } else { level };
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

    /// Whether it can be forgotten.
    pub(super) fn is_idle(&self, policy: &Policy, now: Instant) -> bool {
        self.pending == 0 && self.level(policy, now) == 0.0
    }

    /// Whether somebody waits by it.
    pub(super) fn is_in_use(&self) -> bool {
        self.pending > 0
    }

    /// When something was last charged to it.
    pub(super) fn charged_at(&self) -> Instant {
        self.at
    }
}
