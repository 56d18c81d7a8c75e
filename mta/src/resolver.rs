//! The one way in which this process asks DNS. The standard library's name resolution is never used.

mod silence;

use std::time::Duration;

use address::Domain;
use handover::config::Dns;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name;

use silence::Silence;

/// Asks DNS, with a cache that all share.
#[derive(Clone)]
pub struct Resolver {
    inner: TokioResolver,
    budget: Duration,
    silence: Silence,
}

/// So many times a question is asked before it counts as unanswered, and each time has this share of the budget: a lost
/// datagram costs the peer a wait, not the message its answers.
const ATTEMPTS: usize = 3;
const SHARE: u32 = 4;

/// The longest time for which an answer is kept. A change of DNS is seen within a day, whatever lifetime the record had.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time for which it is kept that there is no such name or record. Below it the zone decides by its SOA record,
/// and without one nothing is kept (RFC 2308 §5, which names one to three hours as a sensible bound): a sender who
/// publishes the record that was missing is not held to a mistake. Errors of a server are never kept (§7).
const LONGEST_ABSENCE: Duration = Duration::from_secs(3 * 60 * 60);

/// Answers kept. A signing key or a policy has a few hundred octets.
const CACHE: u64 = 4096;

/// Why no resolver could be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a resolver: {0}")]
pub struct ResolverError(#[source] Box<NetError>);

impl Resolver {
    /// A resolver that asks the configured servers, or those of the system.
    ///
    /// A system that names none is no reason not to start: every question then ends as a temporary error, and what
    /// waits for the answer waits.
    pub fn new(dns: &Dns) -> Result<Self, ResolverError> {
        let (config, mut options) = if dns.servers.is_empty() {
            hickory_resolver::system_conf::read_system_conf().unwrap_or_else(|error| {
                tracing::error!(%error, "no name servers: /etc/resolv.conf cannot be used");
                (ResolverConfig::default(), ResolverOpts::default())
            })
        } else {
            (own_servers(dns), ResolverOpts::default())
        };
        let budget = Duration::from_millis(dns.budget_ms);
        options.timeout = budget / SHARE;
        options.attempts = ATTEMPTS;
        options.cache_size = CACHE;
        options.positive_max_ttl = Some(LONGEST_LIFE);
        options.negative_max_ttl = Some(LONGEST_ABSENCE);
        options.use_hosts_file = ResolveHosts::Never;
        // A truncated or lost answer over UDP is asked for again over TCP: DKIM keys may be long.
        options.try_tcp_on_error = true;
        let mut without_cache = options.clone();
        without_cache.cache_size = 0;
        let silence = Silence::watch(build(config.clone(), without_cache)?);
        let inner = build(config, options)?;
        Ok(Self { inner, budget, silence })
    }

    /// The resolver itself, for libraries that ask in their own way.
    pub(crate) fn inner(&self) -> &TokioResolver {
        &self.inner
    }

    /// How long all the questions about one message may take together. Nothing while no server answers: each message
    /// would take all of it, and come to know as little. What the cache knows is known all the same.
    pub(crate) fn budget(&self) -> Duration {
        if self.silence.is_on() { Duration::ZERO } else { self.budget }
    }

    /// Nobody has answered the questions about a message: whether that is so for all names is now found out.
    pub(crate) fn doubt(&self) {
        self.silence.doubt();
    }
}

fn build(config: ResolverConfig, options: ResolverOpts) -> Result<TokioResolver, ResolverError> {
    let failed = |error| ResolverError(Box::new(error));
    let tls = serve::tls::trusting_nobody().map_err(|error| failed(error.into()))?;
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .with_tls_config(tls)
        .build()
        .map_err(failed)
}

fn own_servers(dns: &Dns) -> ResolverConfig {
    let servers = dns.servers.iter().map(|server| {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = server.port();
            connection
        });
        NameServerConfig::new(server.ip(), true, connections.into())
    });
    ResolverConfig::from_parts(None, Vec::new(), servers.collect())
}

/// The name as a question, with the root at its end so that no search list is appended.
pub(crate) fn question(domain: &Domain) -> Name {
    Name::from_ascii(domain.to_fqdn()).expect("a domain is a name")
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").field("budget", &self.budget).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
