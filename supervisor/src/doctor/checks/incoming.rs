use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use calendar::rfc3339;

use super::super::finding::{Finding, FindingId};
use super::super::observed::{ConnectionOutcome, ObservedState};
use super::Case;

/// The time for which a connection from outside counts as proof: firewall rules change.
const FRESH: u64 = 7 * 24 * 3600;

/// Checks that other hosts can connect. The proof is a connection from outside that a daemon has seen: from another
/// host, a user, or the certificate authority on ports 80 and 443. A connection of this machine to its own public
/// address does not pass a firewall of the provider, so it can only show faults.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let observed = case.observed;
    let mut closed = FaultyPorts::default();
    let mut proxied: BTreeMap<&str, FaultyPorts> = BTreeMap::new();
    let mut unseen: BTreeMap<u16, Vec<IpAddr>> = BTreeMap::new();
    for ((address, port), outcome) in &observed.connections {
        match outcome {
            ConnectionOutcome::Other(response) if is_ours(case, *address) => {
                proxied.entry(response.as_str()).or_default().add(*address, *port);
            }
            ConnectionOutcome::Silent(_) if case.facts.addresses.contains(*address) => {
                closed.add(*address, *port);
            }
            _ if is_seen(observed, *port) || !is_ours(case, *address) => {}
            _ => unseen.entry(*port).or_default().push(*address),
        }
    }
    let proxied = proxied.iter().map(|(response, ports)| of_proxied(response, ports));
    of_closed(case, &closed).into_iter().chain(proxied).chain(of_unseen(case, &unseen)).collect()
}

/// Returns true if there is a server to reach, and an address to reach it by.
pub(super) fn is_checked(case: &Case<'_>) -> bool {
    matches!(case.observed.machine.health, Some(Ok(_))) && !case.observed.connections.is_empty()
}

/// Ports with the same fault, and the addresses that have it.
#[derive(Debug, Default)]
struct FaultyPorts {
    addresses: BTreeSet<IpAddr>,
    ports: BTreeSet<u16>,
}

impl FaultyPorts {
    fn add(&mut self, address: IpAddr, port: u16) {
        self.addresses.insert(address);
        self.ports.insert(port);
    }

    fn named(&self) -> String {
        let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        format!("port {} of {}", list(&self.ports), addresses.join(" and "))
    }
}

/// Returns true unless an address is known to be another host's, which is a finding of its own.
fn is_ours(case: &Case<'_>, address: IpAddr) -> bool {
    let known = &case.facts.addresses;
    case.observed.leads_here(case.facts, address)
        || known.may_be_translated(address.is_ipv4())
            && !matches!(case.observed.connections.get(&(address, 25)), Some(ConnectionOutcome::Other(_)))
}

fn is_seen(observed: &ObservedState, port: u16) -> bool {
    let last_connection =
        observed.last_connections.as_ref().and_then(|last_connections| last_connections.get(&port));
    last_connection.is_some_and(|at| observed.at.saturating_sub(*at) < FRESH)
}

fn list<'a>(ports: impl IntoIterator<Item = &'a u16>) -> String {
    ports.into_iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

fn of_closed(case: &Case<'_>, closed: &FaultyPorts) -> Option<Finding> {
    let (address, port) = (closed.addresses.first()?, closed.ports.first()?);
    let why = case.observed.connections.iter().find_map(|((ip, at), outcome)| match outcome {
        ConnectionOutcome::Silent(why) if ip == address && at == port => Some(why.as_str()),
        _ => None,
    });
    let cause =
        format!("{} does not even answer this machine: {}", closed.named(), why.unwrap_or("no connection"));
    let open = closed.ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
    let fix = format!(
        "open it in this machine's own firewall: ufw allow {open}/tcp\nin a container with its own network, publish \
         the port (`ports:` in compose.yaml); check that no other program holds it: ss -ltnp"
    );
    let is_needed = closed.ports.contains(&25);
    Some(match is_needed {
        true => Finding::error(FindingId::PortClosed, cause, fix),
        false => Finding::warning(FindingId::PortClosed, cause, fix),
    })
}

fn of_proxied(response: &str, ports: &FaultyPorts) -> Finding {
    let cause = format!(
        "{} is not answered by this machine, but with {response}: a proxy or another server is in front of it",
        ports.named()
    );
    let fix = format!(
        "let the port lead to this machine without a proxy: switch off the proxy or load balancer for TCP port {}, and \
         its PROXY protocol; if it has to stay, it must keep the clients' addresses (DNAT)",
        list(&ports.ports)
    );
    Finding::error(FindingId::PortProxied, cause, fix)
}

/// One notice for all ports without a proof, with the commands to run on another machine.
fn of_unseen(case: &Case<'_>, unseen: &BTreeMap<u16, Vec<IpAddr>>) -> Option<Finding> {
    let (ports, addresses): (Vec<u16>, Vec<&Vec<IpAddr>>) =
        unseen.iter().map(|(port, ips)| (*port, ips)).unzip();
    let host = &case.facts.presence.hostname;
    addresses.first()?;
    let seen = case
        .observed
        .last_connections
        .iter()
        .flatten()
        .filter(|(_, at)| case.observed.at.saturating_sub(**at) < FRESH);
    let seen: Vec<String> =
        seen.map(|(port, at)| format!("{port} ({})", rfc3339(i64::try_from(*at).unwrap_or(0)))).collect();
    let beside = match seen.is_empty() {
        true => String::new(),
        false => format!("; there were connections to {}", seen.join(", ")),
    };
    let cause = format!(
        "whether a firewall of the provider blocks port {} was not checked: no connection from outside has arrived \
         since the start{beside}",
        list(&ports)
    );
    let commands: Vec<String> = ports.iter().map(|port| command(host.as_str(), *port)).collect();
    Some(Finding::notice(
        FindingId::NotChecked,
        cause,
        format!(
            "from another machine, run these; each must connect and show this machine's certificate\n{}",
            commands.join("\n")
        ),
    ))
}

fn command(host: &str, port: u16) -> String {
    match port {
        25 | 587 => format!("openssl s_client -connect {host}:{port} -starttls smtp -brief </dev/null"),
        143 => format!("openssl s_client -connect {host}:{port} -starttls imap -brief </dev/null"),
        80 => format!("nc -vz {host} {port}"),
        _ => format!("openssl s_client -connect {host}:{port} -brief </dev/null"),
    }
}
