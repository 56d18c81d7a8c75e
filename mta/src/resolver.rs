//! The one way in which this process asks DNS. The standard library's name resolution is never used.

mod outage;
mod servers;

use std::sync::Arc;
use std::time::Duration;

use address::Domain;
use handover::config::Dns;
use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::Name;

use outage::Outage;
use servers::Servers;

/// Asks DNS, with a cache that all share.
#[derive(Clone)]
pub struct Resolver {
    servers: Arc<Servers>,
    budget: Duration,
    outage: Outage,
}

/// Why no resolver could be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a resolver: {0}")]
pub struct ResolverError(#[source] Box<NetError>);

impl Resolver {
    /// A resolver that asks the configured servers, or those of the system.
    ///
    /// A system that names none does not keep the MTA from starting: every question then ends as a temporary error, and
    /// mail that needs the answer waits.
    pub fn new(dns: &Dns) -> Result<Self, ResolverError> {
        let servers = Arc::new(Servers::new(dns)?);
        let outage = Outage::watch(servers.clone());
        Ok(Self { servers, budget: Duration::from_millis(dns.budget_ms), outage })
    }

    /// The resolver itself, for libraries that ask in their own way. It asks the servers of this moment, and is cheap to
    /// clone.
    pub(crate) fn inner(&self) -> TokioResolver {
        let (inner, are_new) = self.servers.cached();
        if are_new {
            self.outage.request_check();
        }
        inner
    }

    /// How long all the questions about one message may take together. Nothing while no server answers: each message
    /// would take all of it, and come to know as little. What the cache knows is known all the same.
    pub(crate) fn budget(&self) -> Duration {
        if self.outage.is_detected() { Duration::ZERO } else { self.budget }
    }

    /// The questions about a message were not answered: it is now found out whether that is so for all names.
    pub(crate) fn request_check(&self) {
        self.outage.request_check();
    }
}

/// The name as a question, with the root at its end so that no search list is appended.
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
