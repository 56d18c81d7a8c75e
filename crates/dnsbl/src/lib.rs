//! DNS blocklists (RFC 5782): the name to query, and the meaning of an answer. Pure: the caller sends the query.

use std::net::{IpAddr, Ipv4Addr};

use address::Domain;

/// An address that every list has an entry for (RFC 5782 §5).
pub const LISTED_TEST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// An address that no list has an entry for (RFC 5782 §5).
pub const UNLISTED_TEST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The longest name, in octets without the root (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;

/// The meaning of the address records at the name of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The address is not in the list.
    Absent,
    /// The address is in the list; the codes say why, each list in its own way.
    Listed(Vec<Ipv4Addr>),
    /// The list does not answer this resolver.
    Refused(Refusal),
    /// Not an answer of a list: the resolver invents answers, or the zone has another owner by now.
    Invented,
}

/// The reason why a list does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The zone is written wrong.
    WrongZone,
    /// The query came through a large public resolver, or from a network that has to register.
    PublicResolver,
    /// There were too many queries.
    TooManyQueries,
    /// The list does not say.
    Unspecified,
}

/// The name to query for an address, with the root at its end: the address in reverse before the zone, with octets for
/// IPv4 and nibbles for IPv6 (RFC 5782 §2.1, §2.4). `None` if it would be too long.
pub fn query_name(zone: &Domain, address: IpAddr) -> Option<String> {
    let reversed: String = match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets().iter().rev().map(|octet| format!("{octet}.")).collect(),
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().flat_map(|octet| [octet & 0xf, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}.")).collect()
        }
    };
    let name = format!("{reversed}{zone}");
    (name.len() <= MAX_NAME).then(|| name + ".")
}

impl Entry {
    /// Reads the addresses at a name; none if the name does not exist.
    ///
    /// An entry is in 127.0.0.0/8 (RFC 5782 §2.1). Lists refuse a query by 127.255.255.0/24, or by 127.0.0.1, which no
    /// entry should have (§5).
    pub fn read(addresses: &[Ipv4Addr]) -> Self {
        if let Some(refusal) = addresses.iter().find_map(|address| Refusal::of(*address)) {
            return Self::Refused(refusal);
        }
        let (codes, others): (Vec<Ipv4Addr>, Vec<Ipv4Addr>) =
            addresses.iter().partition(|address| address.is_loopback());
        match (codes.is_empty(), others.is_empty()) {
            (true, true) => Self::Absent,
            (false, true) => Self::Listed(codes),
            (_, false) => Self::Invented,
        }
    }
}

impl Refusal {
    fn of(address: Ipv4Addr) -> Option<Self> {
        match address.octets() {
            [127, 255, 255, 252] => Some(Self::WrongZone),
            [127, 255, 255, 254] => Some(Self::PublicResolver),
            [127, 255, 255, 255] => Some(Self::TooManyQueries),
            [127, 255, 255, _] | [127, 0, 0, 1] => Some(Self::Unspecified),
            _ => None,
        }
    }

    /// The reason, after "the list does not answer: ".
    pub fn reason(self) -> &'static str {
        match self {
            Self::WrongZone => "the zone is written wrong",
            Self::PublicResolver => "it refuses large public resolvers",
            Self::TooManyQueries => "it has had too many queries from this resolver",
            Self::Unspecified => "it refuses this resolver",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    #[test]
    fn an_address_is_queried_in_reverse() {
        for (address, name) in [
            ("192.0.2.99", "99.2.0.192.bl.example.com."),
            ("::ffff:192.0.2.99", "99.2.0.192.bl.example.com."),
            (
                "2001:db8:1:2:3:4:567:89ab",
                "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bl.example.com.",
            ),
        ] {
            assert_eq!(query_name(&domain("bl.example.com"), address.parse().unwrap()).unwrap(), name);
        }
    }

    #[test]
    fn a_zone_may_be_too_long_for_addresses() {
        let label = "a".repeat(60);
        let zone = domain(&format!("{label}.{label}.{label}.{label}.a"));
        assert!(query_name(&zone, "1.2.3.4".parse().unwrap()).is_some());
        assert_eq!(query_name(&zone, "2001:db8::1".parse().unwrap()), None);
    }

    #[test]
    fn answers_and_their_meaning() {
        let read = |text: &str| {
            let addresses: Vec<Ipv4Addr> =
                text.split_whitespace().map(|address| address.parse().unwrap()).collect();
            Entry::read(&addresses)
        };
        assert_eq!(read(""), Entry::Absent);
        assert_eq!(
            read("127.0.0.2 127.0.0.11"),
            Entry::Listed(vec![LISTED_TEST, Ipv4Addr::new(127, 0, 0, 11)])
        );
        assert_eq!(read("127.255.255.252"), Entry::Refused(Refusal::WrongZone));
        assert_eq!(read("127.0.0.4 127.255.255.254"), Entry::Refused(Refusal::PublicResolver));
        assert_eq!(read("127.255.255.255"), Entry::Refused(Refusal::TooManyQueries));
        assert_eq!(read("127.255.255.7"), Entry::Refused(Refusal::Unspecified));
        assert_eq!(read("127.0.0.1"), Entry::Refused(Refusal::Unspecified));
        assert_eq!(read("192.0.2.1"), Entry::Invented);
        assert_eq!(read("127.0.0.2 192.0.2.1"), Entry::Invented);
    }
}
