//! From what was typed to what is meant. Every fault is found before any is reported.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use accounts::declaration::DeclaredUser;
use address::{Domain, Host};
use handover::config::Level;

use super::fault::Fault;
use super::raw::Raw;
use super::users;
use super::variables::{self, Variable};
use super::{HostAndPort, Settings, size};

/// Reads a file that a setting names.
pub(super) type ReadFile<'f> = &'f dyn Fn(&Path) -> std::io::Result<String>;

/// The smallest limit that may be set. RFC 5321 §4.5.3.1.7 asks for 64 KiB at least to be accepted.
const SMALLEST_MESSAGE_SIZE: u64 = 64 << 10;
/// The largest limit that may be set: what a message may cost in memory and on disk is bounded by it.
const LARGEST_MESSAGE_SIZE: u64 = 1 << 30;
const DEFAULT_MESSAGE_SIZE: u64 = 50 << 20;

/// Refines all, or adds what is wrong to `faults` and returns nothing.
pub(super) fn refine(raw: Raw, read_file: ReadFile<'_>, faults: &mut Vec<Fault>) -> Option<Settings> {
    let domain = domain(raw.domain.as_deref(), faults);
    let hostname = hostname(raw.hostname.as_deref(), domain.as_ref(), faults);
    // The users' names are checked even when the domain is missing, so that one start shows every fault.
    let home = domain.clone().or_else(|| Domain::parse("domain.invalid").ok())?;
    let users = users(&raw, &home, read_file, faults);
    let message_size = message_size(raw.message_size.as_deref(), faults);
    let dns_servers = dns_servers(raw.dns_servers.as_deref(), faults);
    let relay_to = relay_to(raw.relay_to.as_deref(), faults);
    let log = log(raw.log.as_deref(), faults);
    if !faults.is_empty() {
        return None;
    }
    Some(Settings {
        domain: domain?,
        hostname: hostname?,
        users,
        users_file: raw.users_file.map(PathBuf::from),
        message_size,
        dns_servers,
        relay_to,
        log,
    })
}

fn domain(typed: Option<&str>, faults: &mut Vec<Fault>) -> Option<Domain> {
    let Some(typed) = typed else {
        faults.push(Fault::of(&variables::DOMAIN, "is not set; it is the domain whose mail arrives here"));
        return None;
    };
    full_name(&variables::DOMAIN, typed, faults)
}

fn hostname(typed: Option<&str>, domain: Option<&Domain>, faults: &mut Vec<Fault>) -> Option<Domain> {
    if let Some(typed) = typed {
        return full_name(&variables::HOSTNAME, typed, faults);
    }
    // A missing domain is a fault already; a second one about the name made from it would say nothing.
    match domain?.with_prefix("mail") {
        Ok(name) => Some(name),
        Err(error) => {
            let wrong = format!("must be set, because `mail.` does not fit in front of the domain: {error}");
            faults.push(Fault::of(&variables::HOSTNAME, wrong));
            None
        }
    }
}

/// A name with a dot in it: a bare word is never a mail domain, and other servers refuse it as a greeting.
fn full_name(variable: &Variable, typed: &str, faults: &mut Vec<Fault>) -> Option<Domain> {
    let wrong = match Domain::parse(typed.trim()) {
        Ok(name) if name.labels().count() > 1 && typed.trim().parse::<IpAddr>().is_err() => {
            return Some(name);
        }
        Ok(_) => format!("is {typed:?}, which is not a full domain name"),
        Err(_) if typed.contains('@') => format!("is {typed:?}; only what stands behind the @ is wanted"),
        Err(_) if typed.contains("://") => {
            format!("is {typed:?}, an address of the web; only the name is wanted")
        }
        Err(error) => format!("is {typed:?}: {error}"),
    };
    faults.push(Fault::of(variable, wrong));
    None
}

fn users(raw: &Raw, home: &Domain, read_file: ReadFile<'_>, faults: &mut Vec<Fault>) -> Vec<DeclaredUser> {
    let (variable, (users, errors)) = match (&raw.users, &raw.users_file) {
        (None, None) => return Vec::new(),
        (Some(_), Some(_)) => {
            let wrong = "is set, and MAIL_USERS as well; set one of the two";
            faults.push(Fault::of(&variables::USERS_FILE, wrong));
            return Vec::new();
        }
        (Some(list), None) => (&variables::USERS, users::read_list(list, home)),
        (None, Some(path)) => match read_file(Path::new(path)) {
            Ok(lines) => (&variables::USERS_FILE, users::read_lines(&lines, home)),
            Err(error) => {
                let wrong = format!("names {path}, which cannot be read: {error}");
                faults.push(Fault::of(&variables::USERS_FILE, wrong));
                return Vec::new();
            }
        },
    };
    faults.extend(errors.iter().map(|error| Fault::of(variable, error)));
    users
}

fn message_size(typed: Option<&str>, faults: &mut Vec<Fault>) -> u64 {
    let Some(typed) = typed else { return DEFAULT_MESSAGE_SIZE };
    let wrong = match size::read(typed.trim()) {
        Some(octets) if octets < SMALLEST_MESSAGE_SIZE => "is less than 64K, which every server must accept",
        Some(octets) if octets > LARGEST_MESSAGE_SIZE => "is more than 1G",
        Some(octets) => return octets,
        None => "is not a number of octets",
    };
    faults.push(Fault::of(&variables::MESSAGE_SIZE, format!("is {typed:?}, which {wrong}")));
    DEFAULT_MESSAGE_SIZE
}

fn dns_servers(typed: Option<&str>, faults: &mut Vec<Fault>) -> Vec<SocketAddr> {
    let mut servers = Vec::new();
    for server in typed.unwrap_or_default().split(',').map(str::trim).filter(|server| !server.is_empty()) {
        let address = server.parse::<SocketAddr>().or_else(|error| {
            server.trim_matches(['[', ']']).parse::<IpAddr>().map(|ip| (ip, 53).into()).map_err(|_| error)
        });
        match address {
            Ok(address) => servers.push(address),
            Err(_) => {
                let wrong = format!("has {server:?} in it, which is not an address with or without a port");
                faults.push(Fault::of(&variables::DNS_SERVERS, wrong));
            }
        }
    }
    servers
}

fn relay_to(typed: Option<&str>, faults: &mut Vec<Fault>) -> Option<HostAndPort> {
    let typed = typed?;
    let parsed = HostAndPort::parse(typed);
    if parsed.is_none() {
        let wrong = format!("is {typed:?}, which is not a host and a port");
        faults.push(Fault::of(&variables::RELAY_TO, wrong));
    }
    parsed
}

fn log(typed: Option<&str>, faults: &mut Vec<Fault>) -> Level {
    let Some(typed) = typed else { return Level::default() };
    match typed.trim().to_ascii_lowercase().as_str() {
        "error" => Level::Error,
        "warn" => Level::Warn,
        "info" => Level::Info,
        "debug" => Level::Debug,
        "trace" => Level::Trace,
        _ => {
            let wrong = format!("is {typed:?}, which is none of error, warn, info, debug and trace");
            faults.push(Fault::of(&variables::LOG, wrong));
            Level::Info
        }
    }
}

impl HostAndPort {
    /// Reads `host:port`; an IPv6 address stands in brackets.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.trim().rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(v6) => Host::Literal(IpAddr::V6(v6.parse().ok()?)),
            None => match host.parse::<IpAddr>() {
                // Without brackets nobody can tell the port from the last group.
                Ok(IpAddr::V6(_)) => return None,
                Ok(v4) => Host::Literal(v4),
                Err(_) => Host::Domain(Domain::parse(host).ok()?),
            },
        };
        Some(Self { host, port })
    }
}
