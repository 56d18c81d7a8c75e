//! Addresses that many clients may share: this machine's own, and its gateway's.
//!
//! In a container, an engine that cannot pass on client addresses shows all clients under the gateway's address. A rule
//! that judges a peer by its address would then judge all of them at once: so such an address has no limit of its own,
//! proves nothing, and is not trusted. That it happens is logged once, and reported to process 1 while it continues.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use handover::Concern;
use handover::notice::{GATEWAY, GATEWAY_CLIENTS, GATEWAY_COUNT, Notifier};
use ipnet::IpNet;
use tokio::sync::Notify;

use crate::{Peer, StopSignal};

/// The shared addresses, and a count of the connections from the gateway. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct SharedAddresses(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    known: Mutex<Known>,
    /// A connection came from the gateway.
    connected: Notify,
}

#[derive(Debug, Default)]
struct Known {
    networks: Vec<IpNet>,
    clients: u64,
    /// The time of the last one.
    last: Option<Instant>,
}

/// Fewer connections than this may be the operator on the machine itself, testing it.
const FEW: u64 = 4;

/// The time after the last connection for which the state is reported: a single test from the host must not be a
/// concern forever.
const RECENT: Duration = Duration::from_secs(3600);
/// The least time between reports, and the time after which one is repeated: a notice may be lost.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
const REPORT_AGAIN: Duration = Duration::from_secs(60);

impl SharedAddresses {
    /// The addresses in these networks.
    pub fn new(networks: &[IpNet]) -> Self {
        let addresses = Self::default();
        addresses.change(networks);
        addresses
    }

    /// Replaces the networks.
    pub fn change(&self, networks: &[IpNet]) {
        self.known().networks = networks.to_vec();
    }

    /// True if many clients may share an address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.known().networks.iter().any(|network| network.contains(&address))
    }

    /// True if an address is the gateway's, and not this machine's own.
    pub fn is_gateway(&self, address: IpAddr) -> bool {
        !address.to_canonical().is_loopback() && self.contains(address)
    }

    /// Records a connection.
    pub(crate) fn record_connection(&self, service: &'static str, peer: Peer) {
        let Some(address) = peer.ip().filter(|address| self.is_gateway(*address)) else { return };
        let mut known = self.known();
        known.clients += 1;
        known.last = Some(Instant::now());
        if known.clients == FEW {
            let Concern { problem, fix } = &GATEWAY_CLIENTS;
            tracing::warn!(service, gateway = %address, %problem, %fix, "connections come from the gateway's address");
        }
        self.0.connected.notify_one();
    }

    /// Reports to process 1 that connections come from the gateway, for as long as they do.
    pub async fn report(self, notifier: Arc<Notifier>, mut stop: StopSignal) {
        loop {
            let (clients, wrong) = self.state(Instant::now());
            notifier.send_fact(GATEWAY_COUNT, clients);
            notifier.report_concern(GATEWAY, wrong.as_ref());
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(REPORT_AGAIN) => {}
                () = async { tokio::time::sleep(REPORT_INTERVAL).await; self.0.connected.notified().await } => {}
            }
        }
    }

    fn state(&self, now: Instant) -> (u64, Option<Concern>) {
        let known = self.known();
        let lately = known.last.is_some_and(|last| now.saturating_duration_since(last) < RECENT);
        (known.clients, (lately && known.clients >= FEW).then_some(GATEWAY_CLIENTS))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::Limits;

    fn gateway_addresses() -> SharedAddresses {
        SharedAddresses::new(
            &["127.0.0.0/8", "::1/128", "172.18.0.1/32", "fd00::1/128"].map(|text| text.parse().unwrap()),
        )
    }

    fn peer(text: &str) -> Peer {
        SocketAddr::new(text.parse().unwrap(), 9).into()
    }

    #[test]
    fn the_gateway_is_logged_once_and_this_machine_never() {
        let addresses = gateway_addresses();
        for others in ["192.0.2.1", "127.0.0.1", "::1", "fd00::2"] {
            addresses.record_connection("smtp", peer(others));
        }
        assert_eq!(addresses.state(Instant::now()), (0, None));
        addresses.record_connection("smtp", peer("::ffff:172.18.0.1"));
        addresses.record_connection("imaps", peer("fd00::1"));
        assert_eq!(addresses.state(Instant::now()), (2, None), "a few connections may be a test");
        addresses.record_connection("smtp", peer("172.18.0.1"));
        addresses.record_connection("smtp", peer("172.18.0.1"));
        assert_eq!(addresses.state(Instant::now()), (4, Some(GATEWAY_CLIENTS)));
        assert_eq!(addresses.state(Instant::now() + RECENT), (4, None), "long after the last connection");
        addresses.change(&[]);
        assert!(!addresses.contains("172.18.0.1".parse().unwrap()));
    }

    #[test]
    fn a_shared_address_has_no_limit_and_counts_towards_the_total() {
        let limits = Limits::with_shared_addresses(gateway_addresses(), 4, 1);
        let _many = ["172.18.0.1", "172.18.0.1", "127.0.0.1"].map(|text| limits.admit(peer(text)).unwrap());
        let _one = limits.admit(peer("192.0.2.1")).unwrap();
        assert_eq!(limits.admit(peer("172.18.0.1")).unwrap_err(), crate::Refusal::Total);
    }
}
