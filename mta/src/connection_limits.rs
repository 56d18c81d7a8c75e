//! Limits on simultaneous connections.

use std::sync::Arc;

use handover::config::{Login, MtaLimits};
use serve::{Limits, SharedAddresses, TimeLimits, TrustedProxies};

use crate::inbound::ServiceKind;

/// Connection limits for peers and for users, counted separately: connections that fill port 25 keep no user from
/// sending, and a user's runaway client keeps no mail from coming in.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionLimits {
    peers: Arc<Limits>,
    users: Arc<Limits>,
    shared_addresses: SharedAddresses,
    proxies: TrustedProxies,
}

impl ConnectionLimits {
    pub(crate) fn new(limits: &MtaLimits, login: &Login) -> Self {
        let shared_addresses = SharedAddresses::new(&login.shared_networks);
        let counted = || {
            Limits::with_shared_addresses(
                shared_addresses.clone(),
                limits.connections,
                limits.connections_per_address,
            )
        };
        let proxies = TrustedProxies::new(&login.trusted_proxies);
        let connection_limits = Self { peers: counted(), users: counted(), shared_addresses, proxies };
        connection_limits.set_time_limits(limits);
        connection_limits
    }

    fn set_time_limits(&self, limits: &MtaLimits) {
        self.peers.set_time_limits(TimeLimits::for_hosts(&limits.timeouts));
        self.users.set_time_limits(TimeLimits::for_users(&limits.timeouts));
    }

    /// The addresses that many clients share, which therefore identify no client.
    pub(crate) fn shared_addresses(&self) -> &SharedAddresses {
        &self.shared_addresses
    }

    /// The proxies whose clients are served under their own addresses.
    pub(crate) fn proxies(&self) -> TrustedProxies {
        self.proxies.clone()
    }

    /// The limits of a service. Both submission services share one count.
    pub(crate) fn of(&self, service: ServiceKind) -> Arc<Limits> {
        match service {
            ServiceKind::Smtp => self.peers.clone(),
            ServiceKind::Submission | ServiceKind::Submissions => self.users.clone(),
        }
    }

    /// Replaces the limits.
    pub(crate) fn change(&self, limits: &MtaLimits, login: &Login) {
        self.shared_addresses.change(&login.shared_networks);
        self.proxies.change(&login.trusted_proxies);
        for counted in [&self.peers, &self.users] {
            counted.change(limits.connections, limits.connections_per_address);
        }
        self.set_time_limits(limits);
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use serve::Refusal;

    use super::*;

    #[test]
    fn peers_and_users_are_counted_separately() {
        let mut limits = MtaLimits { connections: 1, connections_per_address: 1, ..MtaLimits::default() };
        let connection_limits = ConnectionLimits::new(&limits, &Login::default());
        let peer = SocketAddr::from(([192, 0, 2, 1], 1)).into();
        let _peer = connection_limits.of(ServiceKind::Smtp).admit(peer).unwrap();
        assert_eq!(connection_limits.of(ServiceKind::Smtp).admit(peer).unwrap_err(), Refusal::Total);
        let _user = connection_limits.of(ServiceKind::Submission).admit(peer).unwrap();
        assert_eq!(connection_limits.of(ServiceKind::Submissions).admit(peer).unwrap_err(), Refusal::Total);
        (limits.connections, limits.connections_per_address) = (2, 2);
        connection_limits.change(&limits, &Login::default());
        let _another = connection_limits.of(ServiceKind::Submissions).admit(peer).unwrap();
        let _another = connection_limits.of(ServiceKind::Smtp).admit(peer).unwrap();
    }
}
