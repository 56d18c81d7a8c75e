//! The resolver of the supervisor's programs: always this library instead of the standard one, with short timeouts and
//! without a cache.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;

/// Timeout of one attempt; a resolver with an empty cache needs seconds.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Attempts, since a datagram may be lost.
const ATTEMPTS: usize = 2;

/// The servers to query: those of the settings, otherwise those of `/etc/resolv.conf`.
pub fn servers(configured: &[SocketAddr]) -> Vec<SocketAddr> {
    if !configured.is_empty() {
        return configured.to_vec();
    }
    serve::name_servers::of_system().unwrap_or_default()
}

/// A resolver that queries these servers. Without any, it has no answers.
pub fn of(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    build(servers, true)
}

/// A resolver that queries one authoritative server, without recursion.
pub(super) fn of_one(server: SocketAddr) -> Result<TokioResolver, NetError> {
    build(&[server], false)
}

fn build(servers: &[SocketAddr], recursion_desired: bool) -> Result<TokioResolver, NetError> {
    let servers = servers.iter().map(|server| {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = server.port();
            connection
        });
        NameServerConfig::new(server.ip(), true, connections.into())
    });
    let mut options = ResolverOpts::default();
    options.timeout = TIMEOUT;
    options.attempts = ATTEMPTS;
    // Callers need the current state.
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.try_tcp_on_error = true;
    options.preserve_intermediates = true;
    options.recursion_desired = recursion_desired;
    let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .with_tls_config(serve::tls::trusting_no_authority()?)
        .build()
}

/// Describes an error by its response code instead of the library's text.
pub(crate) fn describe(error: &NetError) -> String {
    match error {
        NetError::Timeout => "no answer in time".to_owned(),
        NetError::Dns(DnsError::NoRecordsFound(nothing)) => match nothing.response_code {
            ResponseCode::NXDomain => "DNS has no such name".to_owned(),
            ResponseCode::NoError => "DNS has no record of that type for the name".to_owned(),
            code => code.to_string(),
        },
        NetError::Dns(DnsError::ResponseCode(code)) => code.to_string(),
        error => error.to_string(),
    }
}

/// Returns true if the error is a negative answer, and not a missing one.
pub(crate) fn is_answer(error: &NetError) -> bool {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(nothing)) => {
            matches!(nothing.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
        }
        _ => false,
    }
}
