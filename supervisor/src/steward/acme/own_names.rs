//! The domains' own names, `example.org` itself. Each is wanted in the certificate while it resolves to this machine,
//! since mail clients look for settings, calendars and address books there. Where it resolves elsewhere, that is its
//! owner's choice and not a fault.

use std::net::IpAddr;
use std::time::Duration;

use address::Domain;
use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use tokio::time::{Instant, timeout};

use crate::dns::addresses::Addresses;
use crate::dns::resolver::is_answer;
use handover::config;

/// The interval between two lookups, unless SIGHUP requests one.
const PAUSE: Duration = Duration::from_secs(15 * 60);
/// Names looked up concurrently, and the limit for all of them: an order must not wait for a slow zone.
const AT_ONCE: usize = 8;
const BUDGET: Duration = Duration::from_secs(20);

/// The domains' own names that resolve to this machine, as far as known.
#[derive(Debug, Default)]
pub(super) struct OwnNames {
    here: Vec<String>,
    next: Option<Instant>,
}

impl OwnNames {
    /// The names that resolve to this machine.
    pub(super) fn here(&self) -> &[String] {
        &self.here
    }

    /// Returns true if a name is one of them.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.here.iter().any(|here| here == name)
    }

    #[cfg(test)]
    pub(super) fn of(here: &[&str]) -> Self {
        Self { here: here.iter().map(|name| (*name).to_owned()).collect(), next: None }
    }

    /// Makes the next call of [`Self::refresh`] look up all names.
    pub(super) fn expire(&mut self) {
        self.next = None;
    }

    /// Looks up the names, if it is time. Returns true if anything has changed.
    pub(super) async fn refresh(&mut self, resolver: &TokioResolver, web: &config::Web) -> bool {
        if self.next.is_some_and(|next| next > Instant::now()) {
            return false;
        }
        let domains: Vec<&Domain> = web.domains.iter().filter(|domain| **domain != web.hostname).collect();
        let end = Instant::now() + BUDGET;
        let mut ours: Vec<IpAddr> = Addresses::of_this_machine().all().collect();
        // Behind NAT, only DNS knows our public addresses.
        let host = addresses(resolver, &web.hostname, end).await;
        ours.extend(host.iter().flatten());
        let mut here = Vec::new();
        for some in domains.chunks(AT_ONCE) {
            let found = join_all(some.iter().map(|domain| addresses(resolver, domain, end))).await;
            for (domain, found) in some.iter().zip(found) {
                // Without an answer, the last result stays valid.
                let is_unknown = found.is_none() || host.is_none();
                let was_here = self.contains(domain.as_str());
                if found.is_some_and(|found| leads_here(&found, &ours)) || (is_unknown && was_here) {
                    here.push(domain.to_string());
                }
            }
        }
        self.next = Some(Instant::now() + PAUSE);
        let has_changed = here != self.here;
        self.here = here;
        has_changed
    }
}

/// Returns true if all addresses of a name are ours: an authority may connect to any of them.
fn leads_here(found: &[IpAddr], ours: &[IpAddr]) -> bool {
    !found.is_empty() && found.iter().all(|address| ours.contains(address))
}

/// The addresses of both families; `None` if DNS does not answer.
async fn addresses(resolver: &TokioResolver, name: &Domain, end: Instant) -> Option<Vec<IpAddr>> {
    let left = end.saturating_duration_since(Instant::now());
    match timeout(left, resolver.lookup_ip(name.to_fqdn())).await {
        Ok(Ok(found)) => Some(found.iter().collect()),
        Ok(Err(error)) if is_answer(&error) => Some(Vec::new()),
        Ok(Err(_)) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_name_leads_here_when_each_of_its_addresses_is_ours() {
        let ours = addresses(&["198.51.100.7", "2001:db8::7"]);
        for (found, is_here) in [
            (&["198.51.100.7"][..], true),
            (&["2001:db8::7"], true),
            (&["2001:db8::7", "198.51.100.7"], true),
            (&["198.51.100.7", "2001:db8::80"], false),
            (&["198.51.100.80"], false),
            (&[], false),
        ] {
            assert_eq!(leads_here(&addresses(found), &ours), is_here, "{found:?}");
        }
    }
}
