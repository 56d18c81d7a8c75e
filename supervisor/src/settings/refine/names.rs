//! What the world calls us: the domains and the machine.

use std::net::IpAddr;

use address::Domain;

use super::pieces;
use crate::settings::fault::Fault;
use crate::settings::raw::{Raw, Typed};
use crate::settings::variables;

/// The domains, the home domain first; none when something is wrong with each.
pub(super) fn domains(raw: &mut Raw, faults: &mut Vec<Fault>) -> Vec<Domain> {
    let Some(typed) = raw.take(&variables::DOMAIN) else {
        faults.push(Fault::of(&variables::DOMAIN, "is not set; it is the domain whose mail arrives here"));
        return Vec::new();
    };
    let mut domains = Vec::new();
    let before = faults.len();
    for piece in pieces(&typed.text) {
        match full_name(&typed, piece, faults) {
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
pub(super) fn hostname(raw: &mut Raw, home: Option<&Domain>, faults: &mut Vec<Fault>) -> Option<Domain> {
    if let Some(typed) = raw.take(&variables::HOSTNAME) {
        return full_name(&typed, typed.trimmed(), faults);
    }
    // A missing domain is a fault already; a second one about the name made from it would say nothing.
    match home?.with_prefix("mail") {
        Ok(name) => Some(name),
        Err(error) => {
            let wrong = format!("must be set, because `mail.` does not fit in front of the domain: {error}");
            faults.push(Fault::of(&variables::HOSTNAME, wrong));
            None
        }
    }
}

/// A name with a dot in it: a bare word is never a mail domain, and other servers refuse it as a greeting.
fn full_name(typed: &Typed, name: &str, faults: &mut Vec<Fault>) -> Option<Domain> {
    let wrong = match Domain::parse(name) {
        // RFC 5321 §4.1.2 knows letters, digits and hyphens only. What DNS has underscores for is never a host or where
        // mail goes to.
        Ok(_) if name.contains('_') => {
            format!("is {name:?}, with an underscore, for which no public authority issues a certificate")
        }
        Ok(domain) if domain.labels().count() > 1 && name.parse::<IpAddr>().is_err() => {
            return Some(domain);
        }
        Ok(_) => format!("is {name:?}, which is not a full domain name"),
        Err(_) if name.contains('@') => format!("is {name:?}; only what stands behind the @ is wanted"),
        Err(_) if name.contains("://") => {
            format!("is {name:?}, an address of the web; only the name is wanted")
        }
        Err(error) => format!("is {name:?}: {error}"),
    };
    faults.push(typed.fault(wrong));
    None
}
