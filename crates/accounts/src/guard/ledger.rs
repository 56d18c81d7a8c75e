use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::bucket::{ACCOUNT, Bucket, KNOWN_NETWORK, NETWORK, Policy, SHARED, SITE};
use super::known_networks::UserNetwork;
use super::{network_of, site_of};
use crate::check_queue::Rank;

/// An attempt to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoginAttempt {
    /// The peer's address.
    pub(crate) address: IpAddr,
    /// True if many clients share the address: it is this machine, or its gateway.
    pub(crate) is_shared: bool,
    /// A keyed hash of the account's name, whether the account exists or not.
    pub(crate) account: u64,
    /// A keyed hash of the name and the password.
    pub(crate) password: u64,
    /// The account and the network.
    pub(crate) network: UserNetwork,
    /// True if the account's user has logged in from that network recently.
    pub(crate) is_known: bool,
}

/// The decision about an attempt.
#[derive(Debug)]
pub(super) enum Admission {
    /// The password is checked after this time, in the order of this rank, and a failure is charged to these.
    After(Duration, Rank, Charged),
    /// The attempt is refused without a check.
    Refused,
}

/// The entries that an attempt is charged to, with their policies.
pub(super) type Charged = Vec<(BucketKey, &'static Policy)>;

/// The key of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum BucketKey {
    Network(IpAddr),
    Site(IpAddr),
    Account(u64),
    /// An account, from addresses that many clients share.
    Shared(u64),
    /// An account in a network from which its owner has logged in.
    KnownNetwork(UserNetwork),
}

/// All buckets.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    buckets: HashMap<BucketKey, Bucket>,
}

/// A hundred octets each, in each daemon. With more simultaneous guessers than this, each is forgotten early, after a
/// guess or two.
pub(super) const MAX_BUCKETS: usize = 8192;
/// Finding the longest idle takes a while, so many are removed at a time.
const FORGOTTEN_AT_ONCE: usize = MAX_BUCKETS / 16;

impl Ledger {
    /// Decides whether an attempt is admitted, and when. An admitted one is pending until [`Ledger::conclude`].
    pub(super) fn admit(&mut self, caller: &LoginAttempt, now: Instant) -> Admission {
        let charged = charged(caller);
        let mut wait = Duration::ZERO;
        for (entry, policy) in &charged {
            match self.buckets.get(entry).map_or(Some(Duration::ZERO), |bucket| bucket.delay(policy, now)) {
                Some(delay) => wait = wait.max(delay),
                None => return Admission::Refused,
            }
        }
        // The first is the network, or the entry in its place.
        let first = charged.first().and_then(|(entry, policy)| Some((self.buckets.get(entry)?, policy)));
        let failures = first.map_or(0, |(bucket, policy)| bucket.load(policy, now));
        let rank = match caller.is_known {
            true => Rank { is_from_unknown_network: false, failures: 0 },
            false => Rank { is_from_unknown_network: true, failures },
        };
        for (entry, _) in &charged {
            self.bucket(*entry, now).begin();
        }
        Admission::After(wait, rank, charged)
    }

    /// Ends an attempt, with an outcome or without. It is charged to the entries it was admitted by, even if the
    /// caller's network has become known meanwhile.
    pub(super) fn conclude(
        &mut self,
        caller: &LoginAttempt,
        charged: &Charged,
        outcome: Option<super::Outcome>,
        now: Instant,
    ) {
        for (entry, policy) in charged {
            // It may have been removed to make room; then there is nothing to correct.
            let Some(bucket) = self.buckets.get_mut(entry) else { continue };
            bucket.end();
            if outcome == Some(super::Outcome::Wrong) {
                bucket.charge(caller.password, policy, now);
            } else if bucket.is_idle(policy, now) {
                self.buckets.remove(entry);
            }
        }
    }

    fn bucket(&mut self, entry: BucketKey, now: Instant) -> &mut Bucket {
        if self.buckets.len() >= MAX_BUCKETS && !self.buckets.contains_key(&entry) {
            self.make_room(now);
        }
        self.buckets.entry(entry).or_insert_with(|| Bucket::new(now))
    }

    /// Removes forgiven entries, or else those that have been idle for longest.
    fn make_room(&mut self, now: Instant) {
        self.buckets.retain(|entry, bucket| !bucket.is_idle(entry.policy(), now));
        if self.buckets.len() < MAX_BUCKETS {
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

impl BucketKey {
    /// The policy by which the entry is forgotten. The one of a known network behind a shared address forgets sooner,
    /// so it is kept a little longer than necessary.
    fn policy(self) -> &'static Policy {
        match self {
            Self::Network(_) => &NETWORK,
            Self::KnownNetwork(_) => &KNOWN_NETWORK,
            Self::Site(_) => &SITE,
            Self::Account(_) | Self::Shared(_) => &ACCOUNT,
        }
    }
}

/// The entries that an attempt is charged to, with their policies: first the network, or the entry in its place.
fn charged(caller: &LoginAttempt) -> Charged {
    match (caller.is_known, caller.is_shared) {
        (true, false) => vec![(BucketKey::KnownNetwork(caller.network), &KNOWN_NETWORK)],
        (true, true) => vec![(BucketKey::KnownNetwork(caller.network), &SHARED)],
        (false, true) => vec![(BucketKey::Shared(caller.account), &SHARED)],
        (false, false) => {
            let network = network_of(caller.address);
            let mut charged =
                vec![(BucketKey::Network(network), &NETWORK), (BucketKey::Account(caller.account), &ACCOUNT)];
            charged.extend(site_of(caller.address).map(|site| (BucketKey::Site(site), &SITE)));
            charged
        }
    }
}
