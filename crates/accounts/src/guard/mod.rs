//! Slows down password guessing, and lets the account's owner in meanwhile.
//!
//! Every failed login is charged to the network it came from and to the account that it named. Charges expire with
//! time; those that remain delay the next attempt, longer with each, until attempts are refused without a check of
//! their password.
//!
//! | attempt from | is charged and slowed as | refused |
//! |---|---|---|
//! | a network that is not known to the account | the network (an IPv4 address, 64 bits of IPv6), its 48 bits of IPv6, and the account | by the networks alone |
//! | a network from which the account's owner logged in recently | that network at that account, and nothing else | by that alone |
//! | an address that many clients share: this machine, its gateway | the account, or itself at that account where it is known | when eight attempts wait already |
//!
//! Guessers at an account slow down only networks from which its owner never logged in, and lock out none of them: the
//! attempts that may wait are counted by network, and a wait on the account's behalf ends after eight seconds. When
//! more passwords are to be checked than memory allows, the networks with the fewest failures are served first
//! ([`crate::check_queue`]). A device that repeats the same old password is not a guesser: a password that was wrong
//! before is not charged again.
//!
//! [`Ledger`] is pure: the time is a parameter, and it holds only keyed hashes of names and passwords. It holds a
//! bounded number of entries; when it is full, the longest idle are evicted. The networks from which users logged in
//! are kept on disk ([`KnownNetworksFile`]), so a restart in the middle of an attack lets the owners in as before.

mod bucket;
mod known_networks;
mod known_networks_file;
mod ledger;

use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use ipnet::IpNet;

use crate::Password;
use crate::check_queue::Rank;
use known_networks_file::KnownNetworksFile;
pub(crate) use ledger::LoginAttempt;
use ledger::{Admission, Charged, Ledger};

/// The guard, shared by all sessions.
pub(crate) struct Guard {
    ledger: Mutex<Ledger>,
    known_networks: KnownNetworksFile,
    shared_networks: RwLock<Vec<IpNet>>,
    key: hmac::Key,
}

/// The admission of an attempt, which is pending until this is dropped.
pub(crate) struct PendingAttempt<'g> {
    guard: &'g Guard,
    attempt: LoginAttempt,
    charged: Charged,
    /// The wait before the password is checked.
    pub(crate) delay: Duration,
    /// The rank among the attempts that wait for a check.
    pub(crate) rank: Rank,
    outcome: Option<Outcome>,
}

/// The outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Right,
    Wrong,
}

impl Guard {
    pub(crate) fn new() -> Self {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .expect("the kernel's random numbers never fail once the system runs");
        let guard = Self {
            ledger: Mutex::default(),
            known_networks: KnownNetworksFile::new(),
            shared_networks: RwLock::default(),
            key,
        };
        guard.set_shared_networks(
            &["127.0.0.0/8", "::1/128"].map(|network| network.parse().expect("a network")),
        );
        guard
    }

    /// Keeps the networks of logins in this file from now on.
    pub(crate) fn persist_in(&self, path: &Path) {
        self.known_networks.persist_in(path);
    }

    /// Writes that file if there are changes. Blocks.
    pub(crate) fn save(&self) {
        self.known_networks.save();
    }

    pub(crate) fn set_shared_networks(&self, networks: &[IpNet]) {
        *self.shared_networks.write().unwrap_or_else(PoisonError::into_inner) = networks.to_vec();
    }

    /// An attempt as the ledger counts it, with hashes in place of the name and the password.
    pub(crate) fn attempt(&self, peer: IpAddr, name: &str, password: &Password) -> LoginAttempt {
        let address = peer.to_canonical();
        let shared_networks = self.shared_networks.read().unwrap_or_else(PoisonError::into_inner);
        let is_shared = shared_networks.iter().any(|network| network.contains(&address));
        // A name cannot contain a NUL, so name and password cannot run into each other.
        let account = tag(&self.key, &[b"account", &[0], name.as_bytes()]);
        let password = tag(&self.key, &[b"password", &[0], name.as_bytes(), &[0], password.octets()]);
        let network = self.known_networks.user_network(name, address);
        let is_known = self.known_networks.knows(network);
        LoginAttempt { address, is_shared, account, password, network, is_known }
    }

    /// Admits an attempt, with the wait before it; `None` when it is refused.
    pub(crate) fn admit(&self, caller: LoginAttempt, now: Instant) -> Option<PendingAttempt<'_>> {
        match self.ledger().admit(&caller, now) {
            Admission::After(delay, rank, charged) => {
                Some(PendingAttempt { guard: self, attempt: caller, charged, delay, rank, outcome: None })
            }
            Admission::Refused => None,
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Counts remain valid after a panic.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PendingAttempt<'_> {
    /// Records that the password was checked. Without this, as when a client has disconnected, the client has learnt
    /// nothing, and nothing is charged.
    pub(crate) fn conclude(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for PendingAttempt<'_> {
    fn drop(&mut self) {
        self.guard.ledger().conclude(&self.attempt, &self.charged, self.outcome, Instant::now());
        if self.outcome == Some(Outcome::Right) {
            self.guard.known_networks.record(self.attempt.network);
        }
    }
}

/// The beginning of a keyed hash: enough to distinguish a few thousand entries, and too little to recover its input
/// without the key.
fn tag(key: &hmac::Key, parts: &[&[u8]]) -> u64 {
    let mut context = hmac::Context::with_key(key);
    parts.iter().for_each(|part| context.update(part));
    let tag = context.sign();
    tag.as_ref().iter().take(8).fold(0, |number, octet| number << 8 | u64::from(*octet))
}

/// The part of an address that counts as one client: an IPv4 address, or 64 bits of an IPv6 address, which is the least
/// that a provider assigns to a customer.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    mask(address, 64)
}

/// The part of an address that is often one customer as well: 48 bits of an IPv6 address.
pub(crate) fn site_of(address: IpAddr) -> Option<IpAddr> {
    address.to_canonical().is_ipv6().then(|| mask(address, 48))
}

fn mask(address: IpAddr, bits: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - bits))).into(),
    }
}

#[cfg(test)]
mod tests;
