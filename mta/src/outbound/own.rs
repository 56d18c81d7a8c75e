//! Recognition of this host among others: mail must not loop.

use std::net::SocketAddr;

use super::{Destination, path};
use crate::outcome::{Outcome, Status};

/// The addresses where this process accepts mail from other hosts.
#[derive(Clone, Debug, Default)]
pub struct OwnAddresses(Vec<SocketAddr>);

impl OwnAddresses {
    /// The addresses that the process listens on.
    pub fn new(addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self(addresses.into_iter().collect())
    }

    /// True if a connection to this address would reach this process.
    pub(super) fn contains(&self, target: SocketAddr) -> bool {
        let ip = target.ip().to_canonical();
        let target = SocketAddr::new(ip, target.port());
        self.0.iter().filter(|own| own.port() == target.port()).any(|own| {
            let own = own.ip().to_canonical();
            own == ip || (own.is_unspecified() && is_local_address(target))
        })
    }
}

/// True if an address belongs to this machine: the kernel then sends from the address itself. Binding it would prove
/// nothing, since `ip_nonlocal_bind` allows to bind any address, and is set where an address moves between machines.
/// The route is looked up each time, so that addresses may come and go.
fn is_local_address(target: SocketAddr) -> bool {
    let ip = target.ip();
    ip.is_unspecified() || ip.is_loopback() || path::source_towards(target) == Some(ip)
}

/// The error of RFC 5321 §5.1: mail of which we are the only exchange, and for which we are not responsible, cannot be
/// delivered. A relay that is this host is a mistake of the operator, which must not lose mail.
pub(super) fn loop_detected(destination: &Destination) -> Outcome {
    match destination {
        Destination::Host(host) => Outcome::failed(
            Status::new(5, 4, 6),
            format!("mail for {host} loops back to this host, which does not accept mail for it"),
        ),
        Destination::Relay(relay) => {
            Outcome::deferred(Status::new(4, 3, 5), format!("the relay {relay} is this host itself"))
        }
    }
}

#[cfg(test)]
mod tests;
