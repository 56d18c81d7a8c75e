use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::eviction::{self, Candidate};
use crate::pace::{Expiry, Fill, Pace, TimeLimits};
use crate::{Peer, SharedAddresses};

/// The limits on simultaneous connections, in total and from one network, and on the time that each gets. Shared by all
/// listeners that use the same resources.
#[derive(Debug)]
pub struct Limits {
    open: Mutex<Open>,
    /// Addresses that count towards the total only.
    shared_addresses: SharedAddresses,
    /// Signals that a connection was admitted, so that there are sessions to check.
    admitted: Notify,
    is_watched: AtomicBool,
}

#[derive(Debug)]
struct Open {
    total_limit: usize,
    network_limit: usize,
    time_limits: TimeLimits,
    /// The number without those that were evicted and have not ended yet.
    total: usize,
    /// The number by network. Has no more entries than there are connections.
    by_network: HashMap<IpAddr, usize>,
    sessions: HashMap<u64, Session>,
    last_key: u64,
}

/// One admitted connection.
#[derive(Debug)]
struct Session {
    peer: Peer,
    /// Its network, if that identifies the peer.
    network: Option<IpAddr>,
    pace: Pace,
    /// True if it was evicted.
    is_evicted: bool,
}

/// The reason why a connection was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The total limit is reached.
    Total,
    /// The limit for this address is reached.
    Address,
}

/// The admission of one connection; released when dropped.
#[derive(Debug)]
pub struct Permit {
    limits: Arc<Limits>,
    key: u64,
    pace: Pace,
    /// The peer of the session that was evicted for this one.
    evicted: Option<Peer>,
}

/// The time between checks of the sessions.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

impl Limits {
    /// At most `total` connections, and at most `per_address` from one IPv4 address or one IPv6 network of 64
    /// bits, which is what one customer of a provider has. 0 is no limit.
    pub fn new(total: usize, per_address: usize) -> Arc<Self> {
        Self::with_shared_addresses(SharedAddresses::default(), total, per_address)
    }

    /// The same, except that shared addresses have no limit of their own.
    pub fn with_shared_addresses(
        shared_addresses: SharedAddresses,
        total: usize,
        per_address: usize,
    ) -> Arc<Self> {
        let open = Open {
            total_limit: total,
            network_limit: per_address,
            time_limits: TimeLimits::for_own_processes(),
            total: 0,
            by_network: HashMap::new(),
            sessions: HashMap::new(),
            last_key: 0,
        };
        let (admitted, is_watched) = (Notify::new(), AtomicBool::new(false));
        Arc::new(Self { open: Mutex::new(open), shared_addresses, admitted, is_watched })
    }

    /// Sets other limits, after a reload. Connected peers stay.
    pub fn change(&self, total: usize, per_address: usize) {
        let mut open = self.lock();
        (open.total_limit, open.network_limit) = (total, per_address);
    }

    /// Sets the time limits of sessions.
    pub fn set_time_limits(&self, time_limits: TimeLimits) {
        self.lock().time_limits = time_limits;
    }

    /// The addresses that many clients may share.
    pub(crate) fn shared_addresses(&self) -> &SharedAddresses {
        &self.shared_addresses
    }

    /// Admits one more connection, or returns the limit that it would exceed. At the total limit, the slowest session
    /// of the network with the most sessions may be evicted.
    pub fn admit(self: &Arc<Self>, peer: Peer) -> Result<Permit, Refusal> {
        let mut open = self.lock();
        let network = peer.ip().filter(|ip| !self.shared_addresses.contains(*ip)).map(network);
        let own = open.sessions_of(network).unwrap_or(0);
        let is_full = open.total_limit != 0 && open.total >= open.total_limit;
        if !is_full && network.is_some() && open.network_limit != 0 && own >= open.network_limit {
            return Err(Refusal::Address);
        }
        let evicted = match is_full {
            true => Some(open.evict_for(own, Instant::now()).ok_or(Refusal::Total)?),
            false => None,
        };
        open.total += 1;
        if let Some(network) = network {
            *open.by_network.entry(network).or_default() += 1;
        }
        open.last_key += 1;
        let (key, pace) = (open.last_key, Pace::new(&open.time_limits));
        open.sessions.insert(key, Session { peer, network, pace: pace.clone(), is_evicted: false });
        drop(open);
        self.admitted.notify_one();
        Ok(Permit { limits: Arc::clone(self), key, pace, evicted })
    }

    /// Ends the sessions that have exceeded a time limit.
    fn end_expired(&self, now: Instant) {
        let open = self.lock();
        let fill = Fill::of(open.total, open.total_limit);
        for session in open.sessions.values() {
            let expiry = session.pace.with_timing(|timing| timing.expiry(&open.time_limits, fill, now));
            if let Some(expiry) = expiry.filter(|_| !session.pace.has_ended()) {
                tracing::debug!(peer = %session.peer, ?expiry, "session ended");
                session.pace.end(expiry);
            }
        }
    }

    /// Starts to check the sessions. Only the first call for these limits has an effect.
    pub(crate) fn start_watching(self: &Arc<Self>) {
        if !self.is_watched.swap(true, Ordering::Relaxed) {
            let limits = Arc::clone(self);
            tokio::spawn(async move {
                loop {
                    if limits.lock().sessions.is_empty() {
                        limits.admitted.notified().await;
                    }
                    tokio::time::sleep(CHECK_INTERVAL).await;
                    limits.end_expired(Instant::now());
                }
            });
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().expect("no code panics while it holds this lock")
    }
}

impl Open {
    /// The number of sessions of a network. `None` if the address stands for many clients.
    fn sessions_of(&self, network: Option<IpAddr>) -> Option<usize> {
        network.map(|network| self.by_network.get(&network).copied().unwrap_or(0))
    }

    /// Evicts a session for a new one whose network holds `own`; returns the evicted peer.
    fn evict_for(&mut self, own: usize, now: Instant) -> Option<Peer> {
        // An evicted session needs a moment to end: at most this many may be ending at one time.
        if self.sessions.len() - self.total > self.total_limit / 4 {
            return None;
        }
        let mut users: Vec<(u64, String)> = Vec::new();
        let mut candidates = Vec::new();
        for (key, session) in &self.sessions {
            if session.is_evicted || session.peer == Peer::Unix {
                continue;
            }
            let of_network = self.sessions_of(session.network).unwrap_or(1);
            session.pace.with_timing(|timing| {
                if timing.is_waiting() {
                    let ((held, rate), idle) = (timing.rate(now), timing.idle(now));
                    users.extend(timing.user().map(|user| (*key, user.to_owned())));
                    candidates.push(Candidate { key: *key, of_network, held, rate, idle, user: None });
                }
            });
        }
        let users: HashMap<u64, String> = users.into_iter().collect();
        for candidate in &mut candidates {
            candidate.user = users.get(&candidate.key).map(String::as_str);
        }
        let victim = eviction::victim(&candidates, own, self.total_limit);
        let session = self.sessions.get_mut(&victim?)?;
        session.is_evicted = true;
        session.pace.end(Expiry::Evicted);
        let (peer, network) = (session.peer, session.network);
        self.release(network);
        Some(peer)
    }

    /// Removes one session from the counts.
    fn release(&mut self, network: Option<IpAddr>) {
        self.total -= 1;
        if let Some(network) = network
            && let Some(of_one) = self.by_network.get_mut(&network)
        {
            *of_one -= 1;
            if *of_one == 0 {
                self.by_network.remove(&network);
            }
        }
    }
}

impl Permit {
    /// The pace of the session.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// The peer whose session was evicted for this one.
    pub(crate) fn evicted(&self) -> Option<Peer> {
        self.evicted
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.limits.lock();
        if let Some(session) = open.sessions.remove(&self.key)
            && !session.is_evicted
        {
            open.release(session.network);
        }
    }
}

/// The part of an address that is counted as one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests;
