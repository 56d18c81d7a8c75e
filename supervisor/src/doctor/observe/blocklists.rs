//! Queries blocklists for our addresses, and for the two test entries of RFC 5782.

use std::net::IpAddr;

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
    let name = |address| Name::from_ascii(dnsbl::query_name(zone, address)?).ok();
    let query = async |address: IpAddr| match name(address) {
        Some(name) => lookup(resolver, name, RecordType::A, end).await,
        None => Answer::Failed("the name would be too long".to_owned()),
    };
    let (listed, unlisted, answers) = tokio::join!(
        query(dnsbl::LISTED_TEST.into()),
        query(dnsbl::UNLISTED_TEST.into()),
        join_all(own.iter().map(|address| query(*address))),
    );
    let own = own.iter().copied().zip(answers).collect();
    Blocklist { zone: zone.clone(), listed, unlisted, own }
}
