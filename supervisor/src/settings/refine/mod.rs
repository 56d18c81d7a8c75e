//! From what was typed to what is meant, a file for each topic. Every fault is found before any is reported.

mod aliases;
mod certificates;
mod listening;
mod log;
mod names;
mod quotas;
mod relay;
mod size;
mod users;
mod zones;

pub(super) use log::read_format as log_format;

use accounts::Accounts;
use address::Domain;

use super::fault::Fault;
use super::raw::{Raw, Typed};
use super::{Settings, variables};

/// The smallest limit that may be set. RFC 5321 §4.5.3.1.7 asks for 64 KiB at least to be accepted.
const SMALLEST_MESSAGE_SIZE: u64 = 64 << 10;
/// The largest limit that may be set: what a message may cost in memory and on disk is bounded by it.
const LARGEST_MESSAGE_SIZE: u64 = 1 << 30;
const DEFAULT_MESSAGE_SIZE: u64 = 50 << 20;

/// Refines all, or adds what is wrong to `faults` and returns nothing.
pub(super) fn refine(
    raw: &mut Raw,
    accounts: Option<&Accounts>,
    faults: &mut Vec<Fault>,
) -> Option<Settings> {
    let domains = names::domains(raw, faults);
    let hostname = names::hostname(raw, domains.first(), faults);
    // The users' names are checked even when the domain is missing, so that one start shows every fault.
    let home = domains.first().cloned().or_else(|| Domain::parse("domain.invalid").ok())?;
    let users = users::users(raw, &home, faults);
    let domains = with_those_of_users(domains, &users);
    let aliases = aliases::aliases(raw, &home, &domains, &users, accounts, faults);
    let quotas = quotas::quotas(raw, &home, &domains, faults);
    let relay = relay::relay(raw, faults);
    let message_size = message_size(raw.take(&variables::MESSAGE_SIZE), faults);
    let dns_update = zones::dns_update(raw, faults);
    let ports = listening::ports(raw, faults);
    let certificates = certificates::certificates(raw, dns_update.is_some(), ports, faults);
    let dns_servers = zones::dns_servers(raw, faults);
    let blocklists = zones::blocklists(raw, faults);
    let check_smtp_host = listening::check_smtp_host(raw, faults);
    let log = log::log(raw, faults);
    faults.sort_by(|one, other| {
        let position = one.position().cmp(&other.position());
        // The environment has no order of its own; a report that changes from start to start is hard to read.
        position.then_with(|| match one.position() {
            0 => one.variable.cmp(&other.variable),
            _ => std::cmp::Ordering::Equal,
        })
    });
    if !faults.is_empty() {
        return None;
    }
    Some(Settings {
        domains,
        hostname: hostname?,
        users,
        aliases,
        quotas,
        relay,
        message_size,
        certificates,
        dns_servers,
        dns_update,
        http_port: ports.http,
        https_port: ports.https,
        blocklists,
        check_smtp_host,
        log,
    })
}

/// Users may have addresses in further domains, whose mail arrives here then.
fn with_those_of_users(
    mut domains: Vec<Domain>,
    users: &[accounts::declaration::DeclaredUser],
) -> Vec<Domain> {
    for declared in users {
        if !domains.contains(declared.user.domain()) {
            domains.push(declared.user.domain().clone());
        }
    }
    domains
}

fn message_size(typed: Option<Typed>, faults: &mut Vec<Fault>) -> u64 {
    let Some(typed) = typed else { return DEFAULT_MESSAGE_SIZE };
    let wrong = match size::read(typed.trimmed()) {
        Some(octets) if octets < SMALLEST_MESSAGE_SIZE => "is less than 64K, which every server must accept",
        Some(octets) if octets > LARGEST_MESSAGE_SIZE => "is more than 1G",
        Some(octets) => return octets,
        None => "is not a number of octets",
    };
    faults.push(typed.fault(format!("is {:?}, which {wrong}", typed.text)));
    DEFAULT_MESSAGE_SIZE
}

/// The pieces of a list, without blanks around them and without empty ones.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n']).map(str::trim).filter(|piece| !piece.is_empty())
}

/// Whether a setting says that something is not wanted.
fn is_none(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("none")
}

#[cfg(test)]
mod tests;
