//! The DNS resolver of this process. The standard library's name resolution is never used.

mod outage;
mod query;
mod servers;

use std::sync::Arc;
use std::time::Duration;

use address::Domain;
use handover::config::Dns;
use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::Name;

pub(crate) use query::{Answer, address_type, query, texts};

use outage::Outage;
use servers::Servers;

/// A DNS resolver with a cache that all clones share.
#[derive(Clone)]
pub struct Resolver {
    servers: Arc<Servers>,
    budget: Duration,
    outage: Outage,
}

/// The reason why a resolver cannot be created.
#[derive(Debug, thiserror::Error)]
#[error("cannot create the DNS resolver: {0}")]
pub struct ResolverError(#[source] Box<NetError>);

impl Resolver {
    /// Creates a resolver that queries the configured servers, or those of the system.
    ///
    /// The MTA starts also on a system without any: every query then ends as a temporary error, and mail that needs the
    /// answer waits.
    pub fn new(dns: &Dns) -> Result<Self, ResolverError> {
        let servers = Arc::new(Servers::new(dns)?);
        let outage = Outage::watch(servers.clone());
        Ok(Self { servers, budget: Duration::from_millis(dns.budget_ms), outage })
    }

    /// The inner resolver, for libraries that send queries themselves. It uses the current servers, and is cheap to
    /// clone.
    pub(crate) fn inner(&self) -> TokioResolver {
        let (inner, are_new) = self.servers.cached();
        if are_new {
            self.outage.request_check();
        }
        inner
    }

    /// The time limit for all queries about one message together. Zero during an outage: each message would use all of
    /// it without a result. Answers in the cache are used all the same.
    pub(crate) fn budget(&self) -> Duration {
        if self.is_in_outage() { Duration::ZERO } else { self.budget }
    }

    /// True while no name server answers at all.
    pub(crate) fn is_in_outage(&self) -> bool {
        self.outage.is_detected()
    }

    /// Requests a check for an outage, after the queries about a message got no answer.
    pub(crate) fn request_check(&self) {
        self.outage.request_check();
    }
}

/// The name of a query, with the root at its end so that no search list is appended.
pub(crate) fn query_name(domain: &Domain) -> Name {
    Name::from_ascii(domain.to_fqdn()).expect("a domain is a name")
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").field("budget", &self.budget).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
