//! The addresses under which others reach this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses of both families.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Addresses {
    pub(super) v4: Vec<Ipv4Addr>,
    pub(super) v6: Vec<Ipv6Addr>,
}

impl Addresses {
    /// The demo's: it can be reached from nowhere else.
    pub(super) fn of_loopback() -> Self {
        Self { v4: vec![Ipv4Addr::LOCALHOST], v6: Vec::new() }
    }

    /// Those of the interfaces that others can reach. None behind a router that translates addresses: then only
    /// its owner knows them.
    pub(super) fn of_this_machine() -> Self {
        let interfaces = nix::ifaddrs::getifaddrs().into_iter().flatten();
        Self::public_ones(interfaces.filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
        }))
    }

    fn public_ones(all: impl Iterator<Item = IpAddr>) -> Self {
        let mut addresses = Self { v4: Vec::new(), v6: Vec::new() };
        for address in all {
            match address {
                IpAddr::V4(v4) if is_public_v4(v4) => addresses.v4.push(v4),
                IpAddr::V6(v6) if is_public_v6(v6) => addresses.v6.push(v6),
                _ => {}
            }
        }
        addresses.v4.sort_unstable();
        addresses.v4.dedup();
        addresses.v6.sort_unstable();
        addresses.v6.dedup();
        addresses
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    // 100.64.0.0/10 is for providers' own translators (RFC 6598).
    let is_shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_multicast()
        || is_shared)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // 2000::/3 is all that has been given to the world (RFC 4291 §2.4).
    address.segments()[0] & 0xe000 == 0x2000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_others_can_reach_are_published() {
        let all = [
            "127.0.0.1",
            "10.1.2.3",
            "172.17.0.1",
            "192.168.1.5",
            "169.254.1.1",
            "100.64.3.4",
            "198.51.100.7",
            "198.51.100.7",
            "::1",
            "fe80::1",
            "fd00::1",
            "2001:db8::7",
        ];
        let addresses = Addresses::public_ones(all.iter().map(|address| address.parse().unwrap()));
        assert_eq!(addresses.v4, ["198.51.100.7".parse::<Ipv4Addr>().unwrap()]);
        assert_eq!(addresses.v6, ["2001:db8::7".parse::<Ipv6Addr>().unwrap()]);
    }
}
