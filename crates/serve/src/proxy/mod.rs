//! Reverse proxies and load balancers that state the address of their client in front of each connection.
//!
//! Only the listed ones are believed, and a listed one must state an address: without it, all of its clients would be
//! one client. The octets of a PROXY header from any other address reach the session, which refuses them as it refuses
//! every unknown command or failed handshake.

mod header;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ipnet::IpNet;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::SharedAddresses;
use header::{HeaderError, Progress, Source};

/// The time for a whole header, which a proxy sends as soon as it has connected. HAProxy's specification asks for at
/// least 3 seconds, so that a lost segment can be sent again (§2).
const TIMEOUT: Duration = Duration::from_secs(5);

/// The most connections of one service that wait for their header. Together with [`TIMEOUT`] it bounds what a proxy that
/// sends none can hold.
pub(crate) const MAX_WAITING: usize = 512;

/// The fix of a header that is missing or wrong.
pub(crate) const FIX: &str = "make the proxy send a PROXY header (HAProxy: send-proxy-v2), or remove its address from MAIL_PROXY_TRUSTED";

/// The networks of the trusted proxies. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<RwLock<Vec<IpNet>>>);

/// The reason for which a proxy's connection is closed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error("the PROXY header names {0}, which cannot be a client behind the proxy")]
    NotAClient(IpAddr),
    #[error("the PROXY header did not arrive within 5 seconds")]
    Slow,
    #[error("the proxy closed the connection within the PROXY header")]
    Closed,
    #[error("the PROXY header cannot be received: {0}")]
    Receive(#[from] io::Error),
}

impl TrustedProxies {
    /// The proxies in these networks.
    pub fn new(networks: &[IpNet]) -> Self {
        let proxies = Self::default();
        proxies.change(networks);
        proxies
    }

    /// Replaces the networks.
    pub fn change(&self, networks: &[IpNet]) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = networks.to_vec();
    }

    /// True for the address of a trusted proxy.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().any(|network| network.contains(&address))
    }

    /// Reads the header, and returns the address of the client; `None` for a connection of the proxy itself. A client is
    /// never this machine, its gateway or a proxy: their addresses have privileges, which a header must not confer.
    pub(crate) async fn read_source(
        &self,
        stream: &mut TcpStream,
        proxy: IpAddr,
        shared: &SharedAddresses,
    ) -> Result<Option<SocketAddr>, ProxyError> {
        let source = timeout(TIMEOUT, read_header(stream)).await.map_err(|_| ProxyError::Slow)??;
        let Source::Client(client) = source else { return Ok(None) };
        let address = client.ip().to_canonical();
        // HAProxy's health checks name the address that they come from.
        if address == proxy.to_canonical() {
            return Ok(None);
        }
        let is_client = !address.is_loopback()
            && !address.is_unspecified()
            && !address.is_multicast()
            && address != IpAddr::V4(std::net::Ipv4Addr::BROADCAST)
            && !shared.contains(address)
            && !self.contains(address);
        match is_client {
            true => Ok(Some(SocketAddr::new(address, client.port()))),
            false => Err(ProxyError::NotAClient(address)),
        }
    }
}

async fn read_header(stream: &mut TcpStream) -> Result<Source, ProxyError> {
    let mut octets = Vec::new();
    loop {
        match header::read(&octets)? {
            Progress::Complete(source) => return Ok(source),
            Progress::Incomplete(more) => {
                let more = u64::try_from(more).unwrap_or(u64::MAX);
                if (&mut *stream).take(more).read_buf(&mut octets).await? == 0 {
                    return Err(ProxyError::Closed);
                }
            }
        }
    }
}
