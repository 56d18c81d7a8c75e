use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::bucket::{ACCOUNT, Bucket, HOME, PARTY, Policy, SITE};
use super::{party, site};

/// Who tries what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    /// From where.
    pub(crate) address: IpAddr,
    /// Whether anybody may be there: it is this machine, or its gateway.
    pub(crate) is_anybody: bool,
    /// A keyed hash of the account's name, whether there is such an account or not.
    pub(crate) account: u64,
    /// A keyed hash of the name and the password.
    pub(crate) password: u64,
}

/// What an attempt gets.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is looked at after this time, and charged to these when it is wrong.
    After(Duration, Charged),
    /// It is not looked at.
    Refused,
}

/// What an attempt is charged to, and by which measure.
pub(super) type Charged = Vec<(Entry, &'static Policy)>;

/// What things are charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Entry {
    Party(IpAddr),
    Site(IpAddr),
    Account(u64),
    /// An account's owner at home.
    Home(u64, IpAddr),
}

/// All that is charged, and who is known.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    buckets: HashMap<Entry, Bucket>,
    /// When an account's owner last logged in from a network.
    known: HashMap<(u64, IpAddr), Instant>,
}

/// A hundred octets each, in each daemon. More guessers at one time than this are forgotten early, each after a guess
/// or two.
pub(super) const MOST_BUCKETS: usize = 8192;
/// Looking for the quietest takes a while, so it is done for many at a time.
const FORGOTTEN_AT_ONCE: usize = MOST_BUCKETS / 16;
/// Owners and their networks; a few for each user.
pub(super) const MOST_KNOWN: usize = 4096;
/// Whoever comes home from a month's holiday is a stranger for one login.
pub(super) const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

impl Ledger {
    /// Whether an attempt may be made, and when. One that may counts as under way until [`Ledger::conclude`].
    pub(super) fn admit(&mut self, caller: &Caller, now: Instant) -> Verdict {
        let charged = self.charged(caller, now);
        let mut wait = Duration::ZERO;
        for (entry, policy) in &charged {
            match self.buckets.get(entry).map_or(Some(Duration::ZERO), |bucket| bucket.delay(policy, now)) {
                Some(delay) => wait = wait.max(delay),
                None => return Verdict::Refused,
            }
        }
        for (entry, _) in &charged {
            self.bucket(*entry, now).begin();
        }
        Verdict::After(wait, charged)
    }

    /// An attempt has ended, with this outcome or with none. It is charged to what it was admitted by, though the caller
    /// may have become known meanwhile.
    pub(super) fn conclude(
        &mut self,
        caller: &Caller,
        charged: &Charged,
        outcome: Option<super::Outcome>,
        now: Instant,
    ) {
        for (entry, policy) in charged {
            // It may be gone when there was no room; then there is nothing to correct.
            let Some(bucket) = self.buckets.get_mut(entry) else { continue };
            bucket.end();
            if outcome == Some(super::Outcome::Wrong) {
                bucket.charge(caller.password, policy, now);
            } else if bucket.is_idle(policy, now) {
                self.buckets.remove(entry);
            }
        }
        if outcome == Some(super::Outcome::Right) {
            self.know((caller.account, party(caller.address)), now);
        }
    }

    /// What an attempt is charged to, and by which measure.
    fn charged(&self, caller: &Caller, now: Instant) -> Charged {
        let party = party(caller.address);
        let home = self.known.get(&(caller.account, party));
        let is_known = home.is_some_and(|last| now.saturating_duration_since(*last) < KNOWN_FOR);
        match (is_known, caller.is_anybody) {
            (true, false) => vec![(Entry::Home(caller.account, party), &HOME)],
            (true, true) => vec![(Entry::Home(caller.account, party), &ACCOUNT)],
            (false, true) => vec![(Entry::Account(caller.account), &ACCOUNT)],
            (false, false) => {
                let mut charged =
                    vec![(Entry::Party(party), &PARTY), (Entry::Account(caller.account), &ACCOUNT)];
                charged.extend(site(caller.address).map(|site| (Entry::Site(site), &SITE)));
                charged
            }
        }
    }

    fn bucket(&mut self, entry: Entry, now: Instant) -> &mut Bucket {
        if self.buckets.len() >= MOST_BUCKETS && !self.buckets.contains_key(&entry) {
            self.make_room(now);
        }
        self.buckets.entry(entry).or_insert_with(|| Bucket::new(now))
    }

    /// Forgets what is forgiven, and if that is nothing, what has been quiet for longest.
    fn make_room(&mut self, now: Instant) {
        self.buckets.retain(|entry, bucket| !bucket.is_idle(entry.policy(), now));
        if self.buckets.len() < MOST_BUCKETS {
            return;
        }
        let quiet = self.buckets.iter().filter(|(_, bucket)| !bucket.is_in_use());
        let mut quiet: Vec<_> = quiet.map(|(entry, bucket)| (bucket.charged_at(), *entry)).collect();
        quiet.sort_unstable_by_key(|(charged_at, _)| *charged_at);
        for (_, entry) in quiet.into_iter().take(FORGOTTEN_AT_ONCE) {
            self.buckets.remove(&entry);
        }
    }

    fn know(&mut self, home: (u64, IpAddr), now: Instant) {
        if self.known.len() >= MOST_KNOWN
            && !self.known.contains_key(&home)
            && let Some(oldest) = self.known.iter().min_by_key(|(_, last)| **last).map(|(home, _)| *home)
        {
            self.known.remove(&oldest);
        }
        self.known.insert(home, now);
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        (self.buckets.len(), self.known.len())
    }
}

impl Entry {
    /// The measure by which it is forgotten. That of a home where anybody may be forgets sooner; so it is kept a little
    /// longer than it must.
    fn policy(self) -> &'static Policy {
        match self {
            Self::Party(_) => &PARTY,
            Self::Home(..) => &HOME,
            Self::Site(_) => &SITE,
            Self::Account(_) => &ACCOUNT,
        }
    }
}
