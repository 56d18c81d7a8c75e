//! Converts typed values to their meaning, a file for each topic. Every fault is found before any is reported.

mod aliases;
mod certificates;
mod listening;
mod log;
mod names;
mod operator;
mod policy;
mod proxies;
mod quotas;
mod relay;
mod size;
mod users;
mod zones;

pub(super) use log::read_format as log_format;
pub(super) use policy::written as written_policy;

use std::collections::HashSet;
use std::path::PathBuf;

use accounts::Accounts;
use accounts::declaration::DeclaredUser;
use address::Domain;

use super::Settings;
use super::fault::SettingFault;
use super::raw::{Raw, RawValue};
use super::variables::{self, Variable};

/// The smallest limit that may be set. RFC 5321 §4.5.3.1.7 asks for 64 KiB at least to be accepted.
const MIN_MESSAGE_SIZE: u64 = 64 << 10;
/// The largest limit that may be set: it bounds the memory and disk space of a message.
const MAX_MESSAGE_SIZE: u64 = 1 << 30;
const DEFAULT_MESSAGE_SIZE: u64 = 50 << 20;

/// Refines all settings, or adds the faults to `faults` and returns `None`.
pub(super) fn refine(
    raw: &mut Raw,
    accounts: Option<&Accounts>,
    faults: &mut Vec<SettingFault>,
) -> Option<Settings> {
    let domains = names::domains(raw, faults);
    let hostname = names::hostname(raw, domains.first(), faults);
    let mut served = ServedDomains::new(domains)?;
    let users = users::users(raw, served.home(), faults);
    let undeclared = served.add_domains_of(&users);
    let aliases = aliases::aliases(raw, &served, &users, accounts, faults);
    let quotas = quotas::quotas(raw, &served, faults);
    let relay = relay::relay(raw, hostname.as_ref(), faults);
    let message_size = message_size(raw.take(&variables::MESSAGE_SIZE), faults);
    let dns_update = zones::dns_update(raw, faults);
    let ports = listening::ports(raw, faults);
    let certificates = certificates::certificates(raw, dns_update.is_some(), ports, faults);
    let dns_servers = zones::dns_servers(raw, faults);
    let operator = operator::operator(raw, faults);
    let policy = policy::policy(raw, faults);
    let check_blocklists = zones::check_blocklists(raw, faults);
    let check_smtp_host = listening::check_smtp_host(raw, faults);
    let trusted_proxies = proxies::trusted_proxies(raw, faults);
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
        domains: served.domains,
        undeclared,
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
        operator,
        policy,
        check_blocklists,
        check_smtp_host,
        trusted_proxies,
        log,
    })
}

/// The domains that names are compared with, at least one.
struct ServedDomains {
    domains: Vec<Domain>,
    /// The same as a set for lookups: each user and alias needs one.
    set: HashSet<Domain>,
    /// Set if a home domain is known.
    is_known: bool,
}

impl ServedDomains {
    /// Names are checked even when the domain is missing, so that one start shows every fault.
    fn new(domains: Vec<Domain>) -> Option<Self> {
        let is_known = !domains.is_empty();
        let domains = if is_known { domains } else { vec![Domain::parse("domain.invalid").ok()?] };
        let set = domains.iter().cloned().collect();
        Some(Self { domains, set, is_known })
    }

    fn home(&self) -> &Domain {
        &self.domains[0]
    }

    /// Adds the domains of users, since mail for users in further domains arrives here as well. Returns the added ones.
    fn add_domains_of(&mut self, users: &[DeclaredUser]) -> Vec<Domain> {
        let before = self.domains.len();
        for domain in users.iter().map(|declared| declared.user.domain()) {
            if self.set.insert(domain.clone()) {
                self.domains.push(domain.clone());
            }
        }
        self.domains[before..].to_vec()
    }

    fn has(&self, domain: &Domain) -> bool {
        self.set.contains(domain)
    }

    /// True if mail for a domain does not arrive here. Without a valid MAIL_DOMAIN, which is a fault already, this is
    /// unknown, and false.
    fn is_elsewhere(&self, domain: &Domain) -> bool {
        self.is_known && !self.has(domain)
    }
}

fn message_size(typed: Option<RawValue>, faults: &mut Vec<SettingFault>) -> u64 {
    let Some(typed) = typed else { return DEFAULT_MESSAGE_SIZE };
    let wrong = match size::read(typed.trimmed()) {
        Some(octets) if octets < MIN_MESSAGE_SIZE => "is less than 64K, which every server must accept",
        Some(octets) if octets > MAX_MESSAGE_SIZE => "is more than 1G",
        Some(octets) => return octets,
        None => "is not a number of octets",
    };
    faults.push(typed.fault(format!("is {:?}, which {wrong}", typed.text)));
    DEFAULT_MESSAGE_SIZE
}

/// The pieces of a list, without surrounding blanks and without empty ones.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n']).map(str::trim).filter(|piece| !piece.is_empty())
}

/// Reads a path that a variable names. It must be absolute: the daemons work in a folder of their own, where a relative
/// path leads nowhere.
fn path(raw: &mut Raw, variable: &Variable, faults: &mut Vec<SettingFault>) -> Option<PathBuf> {
    let typed = raw.take(variable)?;
    let path = PathBuf::from(typed.trimmed());
    if path.is_absolute() {
        return Some(path);
    }
    faults.push(
        typed.fault(format!("is {:?}, which is not an absolute path; begin it with a slash", typed.text)),
    );
    None
}

/// True if a setting is `none`.
fn is_none(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("none")
}

#[cfg(test)]
mod tests;
