//! A short connection to port 25 of another host: connect, read the greeting, quit.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use hickory_proto::rr::Name;
use hickory_resolver::TokioResolver;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::super::observed::{Family, Probe};
use crate::dns::record::address;
use crate::dns::resolver::describe;
use crate::settings::HostAndPort;

/// Timeout: a blocked port often does not answer at all.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Limit of the addresses tried.
const MAX_ADDRESSES: usize = 4;
/// Limit of a greeting's line, which has 512 octets at most (RFC 5321 §4.5.3.1.5).
const MAX_GREETING: u64 = 1024;

/// Connects to the host over each address family that this machine has; `None` if no host is set.
pub(super) async fn probe(
    resolver: &TokioResolver,
    host: Option<&str>,
    families: &[Family],
    end: Instant,
) -> Option<(String, Vec<(Family, Probe)>)> {
    let host = host?;
    let addresses = match timeout_at(end, addresses(resolver, host)).await {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(why)) => return Some((host.to_owned(), vec![(Family::V4, Probe::NoAddress(why))])),
        Err(_) => {
            let why = "no answer in time".to_owned();
            return Some((host.to_owned(), vec![(Family::V4, Probe::NoAddress(why))]));
        }
    };
    let connections = families.iter().map(async |family| {
        let of_family = |address: &SocketAddr| address.is_ipv4() == (*family == Family::V4);
        let probe = timeout_at(end, connect(addresses.iter().copied().filter(of_family).collect())).await;
        (*family, probe.unwrap_or_else(|_| Probe::Failed("no answer in time".to_owned())))
    });
    Some((host.to_owned(), join_all(connections).await))
}

/// The other mail hosts that do not answer on port 25, with reasons.
pub(super) async fn dead(
    resolver: &TokioResolver,
    hosts: &BTreeSet<Name>,
    end: Instant,
) -> BTreeMap<Name, String> {
    let connections = hosts.iter().take(MAX_ADDRESSES).map(async |host| {
        let found = timeout_at(end, resolver.lookup_ip(host.clone())).await.ok()?;
        let addresses: Vec<SocketAddr> = match found {
            Ok(found) => found.iter().map(|ip| (ip, 25).into()).collect(),
            Err(error) => return Some((host.clone(), describe(&error))),
        };
        match timeout_at(end, connect(addresses)).await.ok()? {
            Probe::Greeted(_) => None,
            Probe::NoAddress(why) | Probe::Failed(why) => Some((host.clone(), why)),
        }
    });
    join_all(connections).await.into_iter().flatten().collect()
}

async fn connect(addresses: Vec<SocketAddr>) -> Probe {
    if addresses.is_empty() {
        return Probe::NoAddress("it has no address of that family".to_owned());
    }
    let mut failed = String::new();
    for address in addresses.into_iter().take(MAX_ADDRESSES) {
        match timeout(TIMEOUT, greeting(address)).await {
            Ok(Ok(line)) if line.starts_with("220") => return Probe::Greeted(line),
            // Some servers refuse our address at once; the port is open nevertheless.
            Ok(Ok(line)) if line.starts_with(['4', '5']) => return Probe::Greeted(line),
            Ok(Ok(line)) => {
                failed =
                    format!("{} sends {line:?}, which is not the greeting of a mail server", address.ip())
            }
            Ok(Err(error)) => failed = format!("{}: {error}", address.ip()),
            Err(_) => {
                failed = format!("{} does not answer within {} seconds", address.ip(), TIMEOUT.as_secs())
            }
        }
    }
    Probe::Failed(failed)
}

async fn addresses(resolver: &TokioResolver, host: &str) -> Result<Vec<SocketAddr>, String> {
    let HostAndPort { host, port } = HostAndPort::parse(host).ok_or("it is not a host and port")?;
    match host {
        address::Host::Literal(ip) => Ok(vec![(ip, port).into()]),
        address::Host::Domain(name) => {
            let found = lookup_both(resolver, name.to_fqdn()).await?;
            Ok(found.into_iter().map(|ip| (ip, port).into()).collect())
        }
    }
}

/// Looks up the addresses of both families: the resolver library's own lookup stops at the first family with an
/// address.
async fn lookup_both(resolver: &TokioResolver, name: String) -> Result<Vec<IpAddr>, String> {
    let (v4, v6) = tokio::join!(resolver.ipv4_lookup(name.clone()), resolver.ipv6_lookup(name));
    let records = |found: &Result<hickory_resolver::lookup::Lookup, _>| {
        let answers = found.iter().flat_map(|found| found.answers());
        answers.filter_map(|record| address(&record.data)).collect::<Vec<_>>()
    };
    let all: Vec<IpAddr> = records(&v4).into_iter().chain(records(&v6)).collect();
    match (all.is_empty(), v4) {
        (true, Err(error)) => Err(describe(&error)),
        _ => Ok(all),
    }
}

async fn greeting(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let (from, mut to) = stream.split();
    let mut line = String::new();
    let mut limited = BufReader::new(from.take(MAX_GREETING));
    limited.read_line(&mut line).await?;
    to.write_all(b"QUIT\r\n").await?;
    Ok(line.trim_end().to_owned())
}
