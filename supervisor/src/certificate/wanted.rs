//! The names to request from an authority.

use std::collections::HashSet;

use address::Domain;

use crate::web_names;

/// The limit of names in one certificate at Let's Encrypt and most other authorities.
pub const MAX_NAMES: usize = 100;

/// The names to request from an authority.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantedNames {
    /// The names of the certificate, the host's own first; no more than it has room for.
    pub names: Vec<String>,
    /// The names for which there is no room.
    pub surplus: Vec<String>,
}

/// Selects the names to request: the host's own first, then the names of each domain's web pages, then the domains' own
/// names that resolve to this machine, which are dropped first; without duplicates. A name that does not lead here does
/// not affect the others.
pub fn wanted_names(hostname: &Domain, domains: &[Domain], own_names: &[String]) -> WantedNames {
    let mut names = vec![hostname.to_string()];
    let mut known: HashSet<String> = names.iter().cloned().collect();
    let below = domains.iter().flat_map(web_names::below).map(|name| name.to_string());
    for name in below.chain(own_names.iter().cloned()) {
        if known.insert(name.clone()) {
            names.push(name);
        }
    }
    let surplus = names.split_off(names.len().min(MAX_NAMES));
    WantedNames { names, surplus }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(name: &str) -> Domain {
        Domain::parse(name).unwrap()
    }

    #[test]
    fn the_host_comes_first_and_each_domain_has_three_more() {
        assert_eq!(
            wanted_names(&domain("mail.example.org"), &[domain("example.org")], &[]).names,
            ["mail.example.org", "mta-sts.example.org", "autoconfig.example.org", "autodiscover.example.org"]
        );
    }

    #[test]
    fn no_name_is_requested_twice_and_no_more_than_a_certificate_holds() {
        let host = domain("autoconfig.example.org");
        assert_eq!(
            wanted_names(&host, &[domain("example.org"), domain("example.org")], &[]).names,
            ["autoconfig.example.org", "mta-sts.example.org", "autodiscover.example.org"]
        );
        let many: Vec<Domain> = (0..60).map(|n| domain(&format!("d{n}.example"))).collect();
        let wanted = wanted_names(&host, &many, &[]);
        assert_eq!((wanted.names.len(), wanted.surplus.len()), (MAX_NAMES, 81));
        assert_eq!(wanted.surplus[0], "mta-sts.d33.example", "the surplus lists names without room");
    }

    #[test]
    fn a_domains_own_name_comes_last_and_is_dropped_first() {
        let own = ["example.org".to_owned()];
        let host = domain("mail.example.org");
        let names = wanted_names(&host, &[domain("example.org")], &own).names;
        assert_eq!(names.last().map(String::as_str), Some("example.org"));
        let names = wanted_names(&domain("example.org"), &[domain("example.org")], &own).names;
        assert_eq!(names.iter().filter(|name| *name == "example.org").count(), 1, "the host has that name");
        // One name of the host, and three for each of 33 domains.
        let full: Vec<Domain> = (0..33).map(|n| domain(&format!("d{n}.example"))).collect();
        assert_eq!(wanted_names(&host, &full, &own).surplus, own);
        assert!(wanted_names(&host, &full[1..], &own).names.contains(&own[0]));
    }
}
