//! Telling this host from others: mail must not go round in circles.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use super::Destination;
use crate::outcome::{Outcome, Status};

/// Where this process takes mail from other hosts.
#[derive(Clone, Debug, Default)]
pub struct OwnAddresses(Vec<SocketAddr>);

impl OwnAddresses {
    /// The addresses that the process listens on.
    pub fn new(addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self(addresses.into_iter().collect())
    }

    /// Whether a connection to this address would reach ourselves.
    pub(super) fn contain(&self, target: SocketAddr) -> bool {
        let ip = target.ip().to_canonical();
        self.0.iter().filter(|own| own.port() == target.port()).any(|own| {
            let own = own.ip().to_canonical();
            own == ip || (own.is_unspecified() && is_of_this_machine(ip))
        })
    }
}

/// Whether an address belongs to an interface of this machine: only such a one can be bound.
fn is_of_this_machine(ip: IpAddr) -> bool {
    ip.is_unspecified() || ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok()
}

/// The error of RFC 5321 §5.1: what nobody but us would take, and we do not take, cannot be delivered. A relay that is
/// ourselves is a mistake of the operator's, for which no mail is lost.
pub(super) fn loop_found(destination: &Destination) -> Outcome {
    match destination {
        Destination::Host(host) => Outcome::failed(
            Status::new(5, 4, 6),
            format!("mail for {host} loops back to this host, which is not responsible for it"),
        ),
        Destination::Relay(relay) => {
            Outcome::deferred(Status::new(4, 3, 5), format!("the relay {relay} is this host itself"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_address_is_one_on_which_we_listen() {
        let own = OwnAddresses::new(["[::]:25".parse().unwrap(), "192.0.2.1:2525".parse().unwrap()]);
        for (target, ours) in [
            ("127.0.0.1:25", true),
            ("0.0.0.0:25", true),
            ("[::1]:25", true),
            ("[::ffff:127.0.0.1]:25", true),
            ("127.0.0.1:26", false),
            ("192.0.2.1:2525", true),
            ("192.0.2.1:25", false),
            ("192.0.2.2:2525", false),
        ] {
            assert_eq!(own.contain(target.parse().unwrap()), ours, "{target}");
        }
    }
}
