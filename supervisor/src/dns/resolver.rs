//! How the supervisor's programs ask DNS: never by the standard library, never for long, never from a cache.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;

/// One try; a resolver that has to find everything out takes seconds.
const TIMEOUT: Duration = Duration::from_secs(3);
/// A datagram may get lost.
const ATTEMPTS: usize = 2;

/// The servers that are asked: those of the settings, else those of `/etc/resolv.conf`.
pub fn servers(configured: &[SocketAddr]) -> Vec<SocketAddr> {
    if !configured.is_empty() {
        return configured.to_vec();
    }
    serve::name_servers::of_system().unwrap_or_default()
}

/// A resolver that asks these servers; none of them makes one that has no answers.
pub fn of(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    build(servers, true)
}

/// Asks one authoritative server what it has itself.
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
    // Whoever asks wants to know how it is now.
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.try_tcp_on_error = true;
    options.preserve_intermediates = true;
    options.recursion_desired = recursion_desired;
    let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .with_tls_config(serve::tls::trusting_nobody()?)
        .build()
}

/// In the words of the code that came, not in the library's.
pub(crate) fn said(error: &NetError) -> String {
    match error {
        NetError::Timeout => "no answer in time".to_owned(),
        NetError::Dns(DnsError::NoRecordsFound(nothing)) => match nothing.response_code {
            ResponseCode::NXDomain => "DNS has no such name".to_owned(),
            ResponseCode::NoError => "DNS has nothing of that kind for the name".to_owned(),
            code => code.to_string(),
        },
        NetError::Dns(DnsError::ResponseCode(code)) => code.to_string(),
        error => error.to_string(),
    }
}

/// Whether the error is the answer that there is nothing, and not the lack of one.
pub(crate) fn is_answer(error: &NetError) -> bool {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(nothing)) => {
            matches!(nothing.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
        }
        _ => false,
    }
}
