use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::bucket::{ACCOUNT, Bucket, HOME, PARTY, Policy, SHARED, SITE};
use super::known::Home;
use super::{party, site};
use crate::turns::Rank;

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
    /// The account and the network.
    pub(crate) home: Home,
    /// Whether the account's user has logged in from that network of late.
    pub(crate) is_known: bool,
}

/// What an attempt gets.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is looked at after this time, in an order by this rank, and charged to these when it is wrong.
    After(Duration, Rank, Charged),
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
    /// An account, from where networks cannot be told apart.
    Shared(u64),
    /// An account's owner at home.
    Home(Home),
}

/// All that is charged.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    buckets: HashMap<Entry, Bucket>,
}

/// A hundred octets each, in each daemon. More guessers at one time than this are forgotten early, each after a guess
/// or two.
pub(super) const MOST_BUCKETS: usize = 8192;
/// Looking for the quietest takes a while, so it is done for many at a time.
const FORGOTTEN_AT_ONCE: usize = MOST_BUCKETS / 16;

impl Ledger {
    /// Whether an attempt may be made, and when. One that may counts as under way until [`Ledger::conclude`].
    pub(super) fn admit(&mut self, caller: &Caller, now: Instant) -> Verdict {
        let charged = charged(caller);
        let mut wait = Duration::ZERO;
        for (entry, policy) in &charged {
            match self.buckets.get(entry).map_or(Some(Duration::ZERO), |bucket| bucket.delay(policy, now)) {
                Some(delay) => wait = wait.max(delay),
                None => return Verdict::Refused,
            }
        }
        // The first is the network, or what stands for it.
        let first = charged.first().and_then(|(entry, policy)| Some((self.buckets.get(entry)?, policy)));
        let failures = first.map_or(0, |(bucket, policy)| bucket.load(policy, now));
        let rank = match caller.is_known {
            true => Rank { is_stranger: false, failures: 0 },
            false => Rank { is_stranger: true, failures },
        };
        for (entry, _) in &charged {
            self.bucket(*entry, now).begin();
        }
        Verdict::After(wait, rank, charged)
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

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.buckets.len()
    }
}

impl Entry {
    /// The measure by which it is forgotten. That of a home where anybody may be forgets sooner; so it is kept a little
    /// longer than it must.
    fn policy(self) -> &'static Policy {
        match self {
            Self::Party(_) => &PARTY,
            Self::Home(_) => &HOME,
            Self::Site(_) => &SITE,
            Self::Account(_) | Self::Shared(_) => &ACCOUNT,
        }
    }
}

/// What an attempt is charged to, and by which measure: first the network, or what stands for it.
fn charged(caller: &Caller) -> Charged {
    match (caller.is_known, caller.is_anybody) {
        (true, false) => vec![(Entry::Home(caller.home), &HOME)],
        (true, true) => vec![(Entry::Home(caller.home), &SHARED)],
        (false, true) => vec![(Entry::Shared(caller.account), &SHARED)],
        (false, false) => {
            let party = party(caller.address);
            let mut charged = vec![(Entry::Party(party), &PARTY), (Entry::Account(caller.account), &ACCOUNT)];
            charged.extend(site(caller.address).map(|site| (Entry::Site(site), &SITE)));
            charged
        }
    }
}
