use std::net::SocketAddr;
use std::path::{Path, PathBuf};
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
    /// The system's file, with the time for which it is not read again; `None` where the servers are configured.
    file: Option<(PathBuf, Duration)>,
    current: Mutex<CurrentResolvers>,
}

struct CurrentResolvers {
    servers: Vec<SocketAddr>,
    cached: TokioResolver,
    without_cache: TokioResolver,
    read: Instant,
}

/// The number of times that a query is sent before it counts as unanswered, and the share of the budget that each has:
/// a lost datagram costs the peer a wait, not the message its answers.
const ATTEMPTS: usize = 3;
const TIMEOUT_SHARE: u32 = 4;

/// The longest time for which an answer is kept. A change of DNS is seen within a day, whatever lifetime the record
/// had.
const MAX_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time for which it is kept that there is no such name or record. Below it the zone decides by its SOA
/// record, and without one nothing is kept (RFC 2308 §5, which names one to three hours as a sensible limit): a mistake
/// of a sender does not outlive its correction for longer. Errors of a server are never kept (§7).
pub(super) const MAX_NEGATIVE_TTL: Duration = Duration::from_secs(3 * 60 * 60);

/// Answers kept. A signing key or a policy has a few hundred octets.
const CACHE_ENTRIES: u64 = 4096;

/// The time for which the system's file is not read again. It has about 60 octets, so reading it is cheap.
const REREAD_INTERVAL: Duration = Duration::from_secs(5);

impl Servers {
    pub(super) fn new(dns: &Dns) -> Result<Self, ResolverError> {
        let budget = Duration::from_millis(dns.budget_ms);
        if dns.servers.is_empty() {
            return Self::of_file(Path::new(name_servers::RESOLV_CONF), REREAD_INTERVAL, budget);
        }
        let options = options(budget);
        let current = Mutex::new(CurrentResolvers::new(dns.servers.clone(), &options)?);
        Ok(Self { options, file: None, current })
    }

    fn of_file(file: &Path, reread_interval: Duration, budget: Duration) -> Result<Self, ResolverError> {
        let servers = name_servers::read(file).unwrap_or_default();
        if servers.is_empty() {
            tracing::error!(file = %file.display(), "no name servers in the file");
        }
        let options = options(budget);
        let current = Mutex::new(CurrentResolvers::new(servers, &options)?);
        Ok(Self { options, file: Some((file.to_owned(), reread_interval)), current })
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

    fn refresh(&self, current: &mut CurrentResolvers) -> bool {
        let Some((file, reread_interval)) = &self.file else { return false };
        if current.read.elapsed() < *reread_interval {
            return false;
        }
        current.read = Instant::now();
        let servers = name_servers::read(file).unwrap_or_default();
        // A file that is being written is empty for a moment.
        if servers == current.servers || servers.is_empty() {
            return false;
        }
        match CurrentResolvers::new(servers, &self.options) {
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

impl CurrentResolvers {
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

fn options(budget: Duration) -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = budget / TIMEOUT_SHARE;
    options.attempts = ATTEMPTS;
    options.cache_size = CACHE_ENTRIES;
    options.positive_max_ttl = Some(MAX_TTL);
    options.negative_max_ttl = Some(MAX_NEGATIVE_TTL);
    options.use_hosts_file = ResolveHosts::Never;
    // A truncated or lost answer over UDP is followed by a query over TCP: DKIM keys may be long.
    options.try_tcp_on_error = true;
    options
}

fn build(servers: &[SocketAddr], options: ResolverOpts) -> Result<TokioResolver, ResolverError> {
    let failed = |error| ResolverError(Box::new(error));
    let tls = serve::tls::trusting_no_authority().map_err(|error| failed(error.into()))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_changed_file_is_read_and_an_empty_one_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("resolv.conf");
        std::fs::write(&file, "nameserver 192.0.2.1\ndomain (none)\n").unwrap();
        let servers = Servers::of_file(&file, Duration::ZERO, Duration::from_secs(8)).unwrap();
        let used = || servers.current.lock().unwrap().servers.clone();
        assert!(!servers.cached().1);
        assert_eq!(used(), ["192.0.2.1:53".parse().unwrap()]);
        std::fs::write(&file, "").unwrap();
        assert!(!servers.cached().1);
        std::fs::write(&file, "nameserver 192.0.2.2\n").unwrap();
        assert!(servers.cached().1);
        assert!(!servers.cached().1, "it is reported once");
        assert_eq!(used(), ["192.0.2.2:53".parse().unwrap()]);
        std::fs::remove_file(&file).unwrap();
        servers.without_cache();
        assert_eq!(used(), ["192.0.2.2:53".parse().unwrap()]);
    }

    #[tokio::test]
    async fn within_the_reread_interval_the_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("resolv.conf");
        std::fs::write(&file, "nameserver 192.0.2.1\n").unwrap();
        let servers = Servers::of_file(&file, Duration::from_secs(3600), Duration::from_secs(8)).unwrap();
        std::fs::write(&file, "nameserver 192.0.2.2\n").unwrap();
        assert!(!servers.cached().1);
    }
}
