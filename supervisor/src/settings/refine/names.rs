//! The names under which we are known: the domains and the machine.

use std::net::IpAddr;

use address::Domain;

use super::pieces;
use crate::settings::fault::SettingFault;
use crate::settings::raw::{Raw, RawValue};
use crate::settings::variables;

/// The domains, the home domain first; empty if each has a fault.
pub(super) fn domains(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Vec<Domain> {
    let Some(typed) = raw.take(&variables::DOMAIN) else {
        faults.push(SettingFault::of(
            &variables::DOMAIN,
            "is not set; set it to the domain whose mail arrives here",
        ));
        return Vec::new();
    };
    let mut domains = Vec::new();
    let before = faults.len();
    for piece in pieces(&typed.text) {
        match full_name(&typed, piece, OF_A_DOMAIN, faults) {
            Some(domain) if domains.contains(&domain) => {
                faults.push(typed.fault(format!("has {domain} in it twice")));
            }
            Some(domain) => domains.push(domain),
            None => {}
        }
    }
    if domains.is_empty() && faults.len() == before {
        faults.push(typed.fault("has no domain in it"));
    }
    domains
}

/// The machine's name: the one that is set, or the one made from the home domain.
pub(super) fn hostname(
    raw: &mut Raw,
    home: Option<&Domain>,
    faults: &mut Vec<SettingFault>,
) -> Option<Domain> {
    if let Some(typed) = raw.take(&variables::HOSTNAME) {
        return full_name(&typed, typed.trimmed(), OF_THE_HOST, faults);
    }
    // A domain has room for longer prefixes than this one, or is a fault already.
    home?.with_prefix("mail").ok()
}

/// The longest prefix of a name made from a domain's.
const OF_A_DOMAIN: &str = "_acme-challenge.autodiscover.";

/// The longest prefix of a name made from the host's.
const OF_THE_HOST: &str = "_acme-challenge.";

/// Top-level names that no mail domain is below. Others that public DNS does not have (`test`, `local`) are used in
/// private networks.
const RESERVED: [&str; 4] = ["invalid", "localhost", "onion", "arpa"];

/// The reason why a name with this prefix cannot be registered or looked up, if there is one.
fn unusable_reason(domain: &Domain, prefix: &str) -> Option<String> {
    const MAX_LEN: usize = 253;
    if domain.labels().count() < 2 || domain.as_str().parse::<IpAddr>().is_ok() {
        return Some("which is not a full domain name".to_owned());
    }
    // Programs take a name that ends in a number for an address (RFC 1123 §2.1, RFC 3696 §2).
    let last = domain.labels().next_back().unwrap_or_default();
    if last.bytes().all(|octet| octet.is_ascii_digit()) {
        return Some(format!("which ends in the number {last}; a domain ends in letters"));
    }
    if RESERVED.contains(&last) {
        return Some(format!(
            "and names below .{last} are not in public DNS (RFC 6761, RFC 7686): no mail arrives there"
        ));
    }
    if let Err(error) = domain.to_unicode() {
        return Some(format!("which cannot be registered: {error}"));
    }
    let (octets, room) = (domain.as_str().len(), MAX_LEN - prefix.len());
    (octets > room).then(|| {
        format!(
            "which has {octets} octets; at most {room} leave room for the names made from it, as {prefix}…"
        )
    })
}

/// The same for a domain that receives mail.
pub(super) fn unusable_domain_reason(domain: &Domain) -> Option<String> {
    unusable_reason(domain, OF_A_DOMAIN)
}

/// A name with a dot in it: a bare word is never a mail domain, and other servers refuse it as a greeting.
fn full_name(typed: &RawValue, name: &str, prefix: &str, faults: &mut Vec<SettingFault>) -> Option<Domain> {
    let wrong = match Domain::parse(name) {
        // RFC 5321 §4.1.2 allows letters, digits and hyphens only. Names with underscores in DNS are never hosts or
        // mail domains.
        Ok(_) if name.contains('_') => {
            format!("is {name:?}, with an underscore, for which no public authority issues a certificate")
        }
        Ok(domain) => match unusable_reason(&domain, prefix) {
            None => return Some(domain),
            Some(wrong) => format!("is {name:?}, {wrong}"),
        },
        Err(_) if name.contains('@') => format!("is {name:?}; write only the part after the @"),
        Err(_) if name.contains("://") => {
            format!("is {name:?}, a URL; write only the name")
        }
        Err(error) => format!("is {name:?}: {error}"),
    };
    faults.push(typed.fault(wrong));
    None
}
