//! Looks up the reverse names of our addresses, and the addresses of those names.

use std::collections::BTreeMap;
use std::net::IpAddr;

use futures_util::future::join_all;
use hickory_proto::rr::{Name, RData, RecordType};
use hickory_resolver::TokioResolver;
use tokio::time::Instant;

use super::super::observed::{Answer, Reverse};
use super::lookup;
use crate::dns::record::address;

/// Limit of the names followed per address; more are never on purpose.
const MAX_NAMES: usize = 5;

/// Looks up each address.
pub(super) async fn query(
    resolver: &TokioResolver,
    own: &[IpAddr],
    end: Instant,
) -> BTreeMap<IpAddr, Reverse> {
    let pending = own.iter().map(async |address| (*address, of_address(resolver, *address, end).await));
    join_all(pending).await.into_iter().collect()
}

async fn of_address(resolver: &TokioResolver, own: IpAddr, end: Instant) -> Reverse {
    let names = lookup(resolver, Name::from(own), RecordType::PTR, end).await;
    let name = |data: &RData| match data {
        RData::PTR(name) => Some(name.0.clone()),
        _ => None,
    };
    let kind = if own.is_ipv4() { RecordType::A } else { RecordType::AAAA };
    let followed: Vec<Name> = names.records().iter().filter_map(name).take(MAX_NAMES).collect();
    let addresses = |answer: Answer| answer.records().iter().filter_map(address).collect::<Vec<_>>();
    let pending = followed.into_iter().map(async |name| {
        let answer = lookup(resolver, name.clone(), kind, end).await;
        (name, addresses(answer))
    });
    let forward = join_all(pending).await.into_iter().collect();
    Reverse { names, forward }
}
