//! The hosts that accept a destination's mail, in their order (RFC 5321 §5).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use address::{Domain, Host};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RData;

use super::source_name::Standing;
use super::{Destination, OutboundSettings, own, path};
use crate::outcome::{Outcome, Status};
use crate::resolver::{Resolver, query_name};

/// Hosts of one domain that are tried in one attempt: "the SMTP client SHOULD try at least two addresses"
/// (RFC 5321 §5.1); dozens of them would only cost time.
const MAX_HOSTS: usize = 5;

/// Addresses of one host that are tried, the first ones of [`in_order`]: when all are silent, an attempt ends within
/// five minutes.
const MAX_ADDRESSES: usize = 2;

/// A host to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NextHop {
    /// The host name, or its address in brackets.
    pub(super) name: String,
    pub(super) addresses: Vec<SocketAddr>,
}

/// The MX records of a domain, evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exchanges {
    /// The hosts, best first.
    Hosts(Vec<Domain>),
    /// A null MX: the domain never accepts mail (RFC 7505).
    NullMx,
    /// This host is the best of them.
    ThisHost,
}

/// The hosts to try, in their order, with their addresses.
pub(super) async fn next_hops(outbound: &OutboundSettings, host: &Host) -> Result<Vec<NextHop>, Outcome> {
    match host {
        Host::Literal(ip) => {
            Ok(vec![NextHop { name: literal(*ip), addresses: vec![SocketAddr::new(*ip, outbound.port)] }])
        }
        Host::Domain(domain) => domain_next_hops(outbound, domain).await,
    }
}

async fn domain_next_hops(outbound: &OutboundSettings, domain: &Domain) -> Result<Vec<NextHop>, Outcome> {
    let destination = Destination::Host(Host::Domain(domain.clone()));
    let (hosts, implicit) = match exchanges(outbound, domain).await? {
        Some(Exchanges::Hosts(hosts)) => (hosts, false),
        Some(Exchanges::NullMx) => {
            return Err(Outcome::failed(
                Status::new(5, 1, 10),
                format!("the domain {domain} does not accept mail (null MX)"),
            ));
        }
        Some(Exchanges::ThisHost) => return Err(own::loop_detected(&destination)),
        // "If an empty list of MXs is returned, the address is treated as if it was associated with an implicit MX
        // RR, with a preference of 0, pointing to that host."
        None => (vec![domain.clone()], true),
    };
    let mut next_hops = Vec::new();
    let mut unanswered = None;
    for host in hosts.into_iter().take(MAX_HOSTS) {
        match addresses(&outbound.resolver, &host).await {
            Ok(ips) if ips.is_empty() => {}
            Ok(ips) => {
                let ordered = in_order(ips, outbound.port, has_route);
                let standing =
                    async |source| outbound.source_names.standing(&outbound.resolver, source).await;
                let mut addresses = acceptable(ordered, path::source_towards, standing).await;
                addresses.truncate(MAX_ADDRESSES);
                next_hops.push(NextHop { name: host.to_string(), addresses });
            }
            Err(outcome) => unanswered = Some(outcome),
        }
    }
    match unanswered {
        _ if !next_hops.is_empty() => Ok(next_hops),
        Some(outcome) => Err(outcome),
        None if implicit => Err(Outcome::failed(
            Status::new(5, 1, 2),
            format!("the domain {domain} has neither MX nor address records"),
        )),
        None => Err(no_address(&destination)),
    }
}

/// The outcome when none of the hosts that a domain names has an address.
pub(super) fn no_address(destination: &Destination) -> Outcome {
    Outcome::failed(Status::new(5, 4, 4), format!("no mail exchange of {destination} has an address record"))
}

/// Looks up the exchanges of a domain; `None` when it exists and has no MX record.
async fn exchanges(outbound: &OutboundSettings, domain: &Domain) -> Result<Option<Exchanges>, Outcome> {
    let lookup = match outbound.resolver.inner().mx_lookup(query_name(domain)).await {
        Ok(lookup) => lookup,
        Err(error) if is_negative_answer(&error, ResponseCode::NXDomain) => {
            return Err(Outcome::failed(
                Status::new(5, 1, 2),
                format!("the domain {domain} does not exist: check the recipient's address"),
            ));
        }
        Err(error) if is_negative_answer(&error, ResponseCode::NoError) => return Ok(None),
        Err(error) => return Err(dns_failure(domain, &error)),
    };
    let records = lookup.answers().iter().filter_map(|record| match &record.data {
        RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii())),
        _ => None,
    });
    let records: Vec<_> = records.collect();
    if records.is_empty() {
        return Ok(None);
    }
    Ok(Some(select(records, &outbound.hostname, shuffle)))
}

/// Orders the exchanges: by preference, and randomly among equals, to spread the load (RFC 5321 §5.1). Exchanges that
/// are not better than this host are left out, so that mail never loops.
fn select(
    mut records: Vec<(u16, String)>,
    hostname: &Domain,
    mut shuffle: impl FnMut(&mut [Domain]),
) -> Exchanges {
    if records.iter().all(|(_, exchange)| exchange == ".") {
        return Exchanges::NullMx;
    }
    records.sort_by_key(|(preference, _)| *preference);
    let is_own = |exchange: &str| Domain::parse(exchange).is_ok_and(|exchange| exchange == *hostname);
    let own = records.iter().find(|(_, exchange)| is_own(exchange)).map(|(preference, _)| *preference);
    let better = records
        .chunk_by(|one, other| one.0 == other.0)
        .take_while(|group| own.is_none_or(|own| group[0].0 < own));
    let mut hosts = Vec::new();
    for group in better {
        // An exchange that is not a host name, such as an address, cannot be looked up.
        let mut equals: Vec<_> =
            group.iter().filter_map(|(_, exchange)| Domain::parse(exchange).ok()).collect();
        shuffle(&mut equals);
        hosts.extend(equals);
    }
    if hosts.is_empty() && own.is_some() { Exchanges::ThisHost } else { Exchanges::Hosts(hosts) }
}

fn shuffle(hosts: &mut [Domain]) {
    for last in (1..hosts.len()).rev() {
        hosts.swap(last, crate::jitter::below(last + 1));
    }
}

/// The order in which a host's addresses are tried. The families alternate, as in RFC 8305 §4, so that the silent
/// addresses of one do not hide the other; within a family the order is that of DNS. IPv4 begins: mail that leaves over
/// IPv6 from a rented machine more often has no reverse name, and is then refused by the large receivers. Addresses to
/// which this machine has no route come last: they fail at once, and do not count in the alternation.
pub(super) fn in_order(
    ips: Vec<IpAddr>,
    port: u16,
    has_route: impl Fn(SocketAddr) -> bool,
) -> Vec<SocketAddr> {
    let targets = ips.into_iter().map(|ip| SocketAddr::new(ip, port));
    let (near, far): (Vec<_>, Vec<_>) = targets.partition(|target| has_route(*target));
    let mut ordered = alternate_families(near);
    ordered.extend(alternate_families(far));
    ordered
}

fn alternate_families(targets: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let (v4, v6): (Vec<_>, Vec<_>) = targets.into_iter().partition(SocketAddr::is_ipv4);
    let mut ordered: Vec<(usize, SocketAddr)> =
        v4.into_iter().enumerate().chain(v6.into_iter().enumerate()).collect();
    // The sort is stable: of two addresses at the same rank, IPv4 comes first.
    ordered.sort_by_key(|(rank, _)| *rank);
    ordered.into_iter().map(|(_, target)| target).collect()
}

/// The addresses of a host that accept mail from us: of both families, when our IPv6 address has a reverse name;
/// otherwise those of IPv4, unless there is no route to any. While it is not known if it has one, IPv4 comes first.
async fn acceptable(
    mut ordered: Vec<SocketAddr>,
    source_towards: impl Fn(SocketAddr) -> Option<IpAddr>,
    standing: impl AsyncFnOnce(Ipv6Addr) -> Standing,
) -> Vec<SocketAddr> {
    let source_of = |is_of_family: fn(&SocketAddr) -> bool| {
        ordered.iter().copied().filter(is_of_family).find_map(&source_towards)
    };
    if let (Some(_), Some(IpAddr::V6(source))) =
        (source_of(SocketAddr::is_ipv4), source_of(SocketAddr::is_ipv6))
    {
        match standing(source).await {
            Standing::Named => {}
            Standing::Nameless => ordered.retain(SocketAddr::is_ipv4),
            Standing::Unknown => ordered.sort_by_key(SocketAddr::is_ipv6),
        }
    }
    ordered
}

/// True if this machine has a route to an address.
pub(super) fn has_route(target: SocketAddr) -> bool {
    path::source_towards(target).is_some()
}

/// All addresses of a host; an empty list when it has none.
pub(super) async fn addresses(resolver: &Resolver, host: &Domain) -> Result<Vec<IpAddr>, Outcome> {
    let resolver = resolver.inner();
    let (four, six) =
        tokio::join!(resolver.ipv4_lookup(query_name(host)), resolver.ipv6_lookup(query_name(host)));
    let mut ips = Vec::new();
    let mut failure = None;
    for lookup in [four, six] {
        match lookup {
            Ok(lookup) => ips.extend(lookup.answers().iter().filter_map(|record| record.data.ip_addr())),
            Err(error) if error.is_no_records_found() => {}
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) if ips.is_empty() => Err(dns_failure(host, &error)),
        _ => Ok(ips),
    }
}

/// An address where a host's name is expected.
pub(super) fn literal(ip: IpAddr) -> String {
    Host::Literal(ip).to_string()
}

/// True if the answer was that there is no such name, or no such record.
fn is_negative_answer(error: &NetError, how: ResponseCode) -> bool {
    matches!(error, NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == how)
}

fn dns_failure(name: &Domain, error: &NetError) -> Outcome {
    Outcome::deferred(Status::new(4, 4, 3), format!("DNS lookup of {name} failed: {error}"))
}

#[cfg(test)]
mod tests;
