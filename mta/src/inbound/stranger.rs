//! Strangers who come under the address of the container's gateway: an engine that forwards connections without the client's
//! address makes all of them one. SPF, blocklists and limits then judge the gateway, so somebody has to be told.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use handover::config::Login;
use handover::notice::{GATEWAY, GATEWAY_CLIENTS, Notifier};

/// So many times it may be a person on the machine itself, who tries it out.
const FEW: u64 = 4;

/// Counts them.
#[derive(Debug, Clone)]
pub(crate) struct Strangers {
    gateways: Arc<[IpAddr]>,
    seen: Arc<AtomicU64>,
    notifier: Arc<Notifier>,
}

impl Strangers {
    /// The gateways are those from which anybody may seem to come, this machine itself left out: the heartbeat comes
    /// from there.
    pub(crate) fn new(login: &Login, notifier: Arc<Notifier>) -> Self {
        let addresses = login.anybody.iter().map(ipnet::IpNet::addr);
        let gateways = addresses.filter(|address| !address.is_loopback()).collect();
        Self { gateways, seen: Arc::default(), notifier }
    }

    /// Somebody has come to port 25. Process 1 is told at first and then ever more seldom: a notice may be lost.
    pub(crate) fn meet(&self, peer: Option<IpAddr>) {
        if self.count(peer).is_some_and(|count| count >= FEW && count.is_power_of_two()) {
            tracing::warn!("{GATEWAY_CLIENTS}");
            self.notifier.concern(GATEWAY, Some(GATEWAY_CLIENTS));
        }
    }

    /// The how many-th it is, when it is one.
    fn count(&self, peer: Option<IpAddr>) -> Option<u64> {
        let is_one = peer.is_some_and(|peer| self.gateways.contains(&peer));
        is_one.then(|| self.seen.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_comes_as_the_gateway_is_counted() {
        let mut login = Login::default();
        login.anybody.push("172.17.0.1/32".parse().unwrap());
        let strangers = Strangers::new(&login, Arc::default());
        let met = |peer: &str| strangers.count(Some(peer.parse().unwrap()));
        assert_eq!(met("172.17.0.1"), Some(1));
        assert_eq!(met("198.51.100.7"), None);
        assert_eq!(met("127.0.0.1"), None, "the heartbeat was taken for a stranger");
        assert_eq!(strangers.count(None), None);
        assert_eq!(met("172.17.0.1"), Some(2));
    }
}
