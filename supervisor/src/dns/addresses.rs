//! The addresses at which other hosts reach this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses of both families.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// IPv4.
    pub v4: Vec<Ipv4Addr>,
    /// IPv6.
    pub v6: Vec<Ipv6Addr>,
    /// True if an interface has a private IPv4 address, behind which a router may translate a public one.
    pub private_v4: bool,
    /// The same for IPv6 (RFC 4193).
    pub private_v6: bool,
}

impl Addresses {
    /// The address of a demo, which is reachable only from the same machine.
    pub fn of_loopback() -> Self {
        Self { v4: vec![Ipv4Addr::LOCALHOST], ..Self::default() }
    }

    /// Returns true if no address is known.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Returns true if a public address of that family may lead here although no interface has one: most clouds
    /// translate IPv4.
    pub fn may_be_translated(&self, is_v4: bool) -> bool {
        match is_v4 {
            true => self.v4.is_empty() && (self.private_v4 || self.v6.is_empty()),
            false => self.v6.is_empty() && self.private_v6,
        }
    }

    /// All addresses.
    pub fn all(&self) -> impl Iterator<Item = IpAddr> {
        let v4 = self.v4.iter().copied().map(IpAddr::V4);
        v4.chain(self.v6.iter().copied().map(IpAddr::V6))
    }

    /// Returns true if an address is among them.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.all().any(|ours| ours == address)
    }

    /// The public addresses of the interfaces. There are none behind NAT: then only the router knows them.
    pub fn of_this_machine() -> Self {
        let interfaces = nix::ifaddrs::getifaddrs().into_iter().flatten();
        let passing = unpublishable(&std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default());
        Self::public_ones(interfaces.filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
            let v6 = || address.as_sockaddr_in6().map(|address| address.ip());
            v4.or_else(|| v6().filter(|v6| !passing.contains(v6)).map(IpAddr::V6))
        }))
    }

    fn public_ones(all: impl Iterator<Item = IpAddr>) -> Self {
        let mut addresses = Self::default();
        for address in all {
            match address {
                IpAddr::V4(v4) if is_public_v4(v4) => addresses.v4.push(v4),
                IpAddr::V6(v6) if is_public_v6(v6) => addresses.v6.push(v6),
                IpAddr::V4(v4) => addresses.private_v4 |= !v4.is_loopback(),
                IpAddr::V6(v6) => addresses.private_v6 |= v6.is_unique_local(),
            }
        }
        addresses.v4.sort_unstable();
        addresses.v4.dedup();
        addresses.v6.sort_unstable();
        addresses.v6.dedup();
        addresses
    }
}

/// The IPv6 addresses that must not be published: temporary (RFC 8981) or deprecated. The lines are `address index
/// prefix scope flags name`, in hexadecimal.
fn unpublishable(table: &str) -> Vec<Ipv6Addr> {
    const TEMPORARY: u32 = 0x01;
    const DEPRECATED: u32 = 0x20;
    let read = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let address = u128::from_str_radix(fields.next()?, 16).ok()?;
        let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
        (flags & (TEMPORARY | DEPRECATED) != 0).then_some(Ipv6Addr::from(address))
    };
    table.lines().filter_map(read).collect()
}

/// Returns true if other hosts can reach an address.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    // 100.64.0.0/10 is for carrier-grade NAT (RFC 6598).
    let is_shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_multicast()
        || is_shared)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // 2000::/3 is the global unicast space assigned so far (RFC 4291 §2.4).
    address.segments()[0] & 0xe000 == 0x2000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_and_deprecated_addresses_are_recognized_by_their_flags() {
        let table = "20010db8000000000000000000000007 02 40 00 80     eth0\n\
                     20010db800000000abcdabcdabcdabcd 02 40 00 01     eth0\n\
                     20010db8000000000000000000000009 02 40 00 a0     eth0\n\
                     nonsense\n";
        let expected: Vec<Ipv6Addr> =
            ["2001:db8::abcd:abcd:abcd:abcd", "2001:db8::9"].map(|address| address.parse().unwrap()).into();
        assert_eq!(unpublishable(table), expected);
    }

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
        assert!(!addresses.may_be_translated(true) && !addresses.may_be_translated(false));
    }

    #[test]
    fn a_public_address_may_be_translated_if_interfaces_have_only_private_ones() {
        let of = |all: &[&str]| Addresses::public_ones(all.iter().map(|address| address.parse().unwrap()));
        let cloud = of(&["127.0.0.1", "10.0.0.4", "2001:db8::7"]);
        assert!(cloud.may_be_translated(true) && !cloud.may_be_translated(false));
        let bridged = of(&["172.18.0.2", "fd51:a1::2"]);
        assert!(bridged.may_be_translated(true) && bridged.may_be_translated(false));
        let v6_only = of(&["127.0.0.1", "2001:db8::7"]);
        assert!(!v6_only.may_be_translated(true) && !v6_only.may_be_translated(false));
    }
}
