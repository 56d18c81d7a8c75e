use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use handover::config::Dns;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use serve::name_servers;

use super::ResolverError;

/// The name servers in use. Those of the system are read again while the process runs, as the C library does: a machine
/// that gets a new address gets new name servers, and the container is not restarted for it.
pub(super) struct Servers {
    options: ResolverOpts,
    /// The configured servers are used as they are.
    is_configured: bool,
    current: Mutex<Current>,
}

struct Current {
    servers: Vec<SocketAddr>,
    cached: TokioResolver,
    without_cache: TokioResolver,
    read: Instant,
}

/// The number of times that a question is asked before it counts as unanswered, and the share of the budget that each has:
/// a lost datagram costs the peer a wait, not the message its answers.
const ATTEMPTS: usize = 3;
const SHARE: u32 = 4;

/// The longest time for which an answer is kept. A change of DNS is seen within a day, whatever lifetime the record had.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time for which it is kept that there is no such name or record. Below it the zone decides by its SOA record,
/// and without one nothing is kept (RFC 2308 §5, which names one to three hours as a sensible bound): a sender who
/// publishes the record that was missing is not held to a mistake. Errors of a server are never kept (§7).
pub(super) const LONGEST_ABSENCE: Duration = Duration::from_secs(3 * 60 * 60);

/// Answers kept. A signing key or a policy has a few hundred octets.
const CACHE: u64 = 4096;

/// The time for which the system's file is believed. A question that comes later has it read again: 60 octets.
const READ_AGAIN: Duration = Duration::from_secs(5);

impl Servers {
    pub(super) fn new(dns: &Dns) -> Result<Self, ResolverError> {
        let is_configured = !dns.servers.is_empty();
        let servers = if is_configured { dns.servers.clone() } else { of_system() };
        if servers.is_empty() {
            tracing::error!(file = name_servers::RESOLV_CONF, "no name servers: the file names none");
        }
        let options = options(Duration::from_millis(dns.budget_ms));
        let current = Mutex::new(Current::new(servers, &options)?);
        Ok(Self { options, is_configured, current })
    }

    /// The resolver with the cache, and true when its servers are others than at the last call.
    pub(super) fn cached(&self) -> (TokioResolver, bool) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let are_new = self.refresh(&mut current);
        (current.cached.clone(), are_new)
    }

    /// A resolver without a cache.
    pub(super) fn without_cache(&self) -> TokioResolver {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut current);
        current.without_cache.clone()
    }

    fn refresh(&self, current: &mut Current) -> bool {
        if self.is_configured || current.read.elapsed() < READ_AGAIN {
            return false;
        }
        current.read = Instant::now();
        let servers = of_system();
        // A file that is being written is empty for a moment.
        if servers == current.servers || servers.is_empty() {
            return false;
        }
        match Current::new(servers, &self.options) {
            Ok(new) => {
                tracing::info!(servers = ?new.servers, "name servers changed");
                *current = new;
                true
            }
            Err(error) => {
                tracing::error!(%error, "keeping the previous name servers");
                false
            }
        }
    }
}

impl Current {
    fn new(servers: Vec<SocketAddr>, options: &ResolverOpts) -> Result<Self, ResolverError> {
        let mut uncached = options.clone();
        uncached.cache_size = 0;
        Ok(Self {
            cached: build(&servers, options.clone())?,
            without_cache: build(&servers, uncached)?,
            servers,
            read: Instant::now(),
        })
    }
}

fn of_system() -> Vec<SocketAddr> {
    name_servers::of_system().unwrap_or_default()
}

fn options(budget: Duration) -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = budget / SHARE;
    options.attempts = ATTEMPTS;
    options.cache_size = CACHE;
    options.positive_max_ttl = Some(LONGEST_LIFE);
    options.negative_max_ttl = Some(LONGEST_ABSENCE);
    options.use_hosts_file = ResolveHosts::Never;
    // A truncated or lost answer over UDP is asked for again over TCP: DKIM keys may be long.
    options.try_tcp_on_error = true;
    options
}

fn build(servers: &[SocketAddr], options: ResolverOpts) -> Result<TokioResolver, ResolverError> {
    let failed = |error| ResolverError(Box::new(error));
    let tls = serve::tls::trusting_nobody().map_err(|error| failed(error.into()))?;
    let servers = servers.iter().map(|server| {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = server.port();
            connection
        });
        NameServerConfig::new(server.ip(), true, connections.into())
    });
    let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .with_tls_config(tls)
        .build()
        .map_err(failed)
}
