//! A polite visit to another host's port 25: connect, listen to the greeting, take leave.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::super::world::Probe;
use crate::dns::resolver::said;
use crate::settings::HostAndPort;

/// A closed port is often one that never answers.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many addresses are tried.
const MOST: usize = 4;
/// A greeting's line has 512 octets at most (RFC 5321 §4.5.3.1.5).
const LONGEST_GREETING: u64 = 1024;

/// Visits that host; nothing where none is set.
pub(super) async fn probe(
    resolver: &TokioResolver,
    host: Option<&str>,
    end: Instant,
) -> Option<(String, Probe)> {
    let host = host?;
    let probe = timeout_at(end, visit(resolver, host)).await;
    Some((host.to_owned(), probe.unwrap_or_else(|_| Probe::Failed("no answer in time".to_owned()))))
}

async fn visit(resolver: &TokioResolver, host: &str) -> Probe {
    let addresses = match addresses(resolver, host).await {
        Ok(addresses) => addresses,
        Err(why) => return Probe::NoAddress(why),
    };
    let mut failed = "it has no address".to_owned();
    for address in addresses.into_iter().take(MOST) {
        match timeout(PATIENCE, greeting(address)).await {
            Ok(Ok(line)) if line.starts_with("220") => return Probe::Greeted(line),
            // Some who do not like our address say so at once; the port is open all the same.
            Ok(Ok(line)) if line.starts_with(['4', '5']) => return Probe::Greeted(line),
            Ok(Ok(line)) => {
                failed = format!("{} says {line:?}, which is no mail server's greeting", address.ip())
            }
            Ok(Err(error)) => failed = format!("{}: {error}", address.ip()),
            Err(_) => {
                failed = format!("{} does not answer within {} seconds", address.ip(), PATIENCE.as_secs())
            }
        }
    }
    Probe::Failed(failed)
}

async fn addresses(resolver: &TokioResolver, host: &str) -> Result<Vec<SocketAddr>, String> {
    let HostAndPort { host, port } = HostAndPort::parse(host).ok_or("it is no host and port")?;
    match host {
        address::Host::Literal(ip) => Ok(vec![(ip, port).into()]),
        address::Host::Domain(name) => {
            let found = resolver.lookup_ip(name.to_fqdn()).await.map_err(|error| said(&error))?;
            let mut found: Vec<IpAddr> = found.iter().collect();
            // IPv4 first: it is what every host has.
            found.sort_by_key(IpAddr::is_ipv6);
            Ok(found.into_iter().map(|ip| (ip, port).into()).collect())
        }
    }
}

async fn greeting(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let (from, mut to) = stream.split();
    let mut line = String::new();
    let mut limited = BufReader::new(from.take(LONGEST_GREETING));
    limited.read_line(&mut line).await?;
    to.write_all(b"QUIT\r\n").await?;
    Ok(line.trim_end().to_owned())
}
