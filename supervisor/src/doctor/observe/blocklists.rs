//! Queries blocklists for our addresses, and for the two test entries of RFC 5782.

use std::net::{IpAddr, Ipv4Addr};

use address::Domain;
use futures_util::future::join_all;
use hickory_proto::rr::{Name, RecordType};
use hickory_resolver::TokioResolver;
use tokio::time::Instant;

use super::super::observed::{Answer, Blocklist};
use super::lookup;

/// Queries each list.
pub(super) async fn query(
    resolver: &TokioResolver,
    zones: &[Domain],
    own: &[IpAddr],
    end: Instant,
) -> Vec<Blocklist> {
    join_all(zones.iter().map(|zone| of_list(resolver, zone, own, end))).await
}

async fn of_list(resolver: &TokioResolver, zone: &Domain, own: &[IpAddr], end: Instant) -> Blocklist {
    let query = async |address: IpAddr| match query_name(zone, address) {
        Some(name) => lookup(resolver, name, RecordType::A, end).await,
        None => Answer::Failed("the name would be too long".to_owned()),
    };
    let (listed, unlisted, answers) = tokio::join!(
        query(Ipv4Addr::new(127, 0, 0, 2).into()),
        query(Ipv4Addr::LOCALHOST.into()),
        join_all(own.iter().map(|address| query(*address))),
    );
    let own = own.iter().copied().zip(answers).collect();
    Blocklist { zone: zone.clone(), listed, unlisted, own }
}

/// The name to query: the address in reverse before the zone, with octets for IPv4 and nibbles for IPv6 (RFC 5782 §2.1,
/// §2.4).
fn query_name(zone: &Domain, address: IpAddr) -> Option<Name> {
    let reversed: String = match address {
        IpAddr::V4(v4) => v4.octets().iter().rev().map(|octet| format!("{octet}.")).collect(),
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().flat_map(|octet| [octet & 0xf, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}.")).collect()
        }
    };
    Name::from_ascii(format!("{reversed}{zone}.")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_queried_in_reverse() {
        let zone = Domain::parse("bl.example.com").unwrap();
        for (address, name) in [
            ("192.0.2.99", "99.2.0.192.bl.example.com."),
            (
                "2001:db8:1:2:3:4:567:89ab",
                "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bl.example.com.",
            ),
        ] {
            assert_eq!(query_name(&zone, address.parse().unwrap()).unwrap().to_string(), name);
        }
    }
}
