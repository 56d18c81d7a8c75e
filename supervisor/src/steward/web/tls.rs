//! TLS on port 443 for two types of clients, distinguished by the ALPN protocols that they offer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{Acceptor, ResolvesServerCert};
use serve::{Peer, Stream};
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::served_certificate::ServedCertificate;
use crate::steward::acme::Challenges;

/// Timeout for a handshake, which is two round trips; a web client waits no longer either.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The protocol of TLS-ALPN-01 (RFC 8737 §3).
const ACME: &[u8] = b"acme-tls/1";
const HTTP: &[u8] = b"http/1.1";

/// The TLS configurations, one for each type of client.
pub(super) struct TlsConfigs {
    visitors: Arc<ServerConfig>,
    authority: Arc<ServerConfig>,
}

impl TlsConfigs {
    pub(super) fn new(
        live: &Arc<ServedCertificate>,
        challenges: &Arc<Challenges>,
    ) -> Result<Self, rustls::Error> {
        let visitors = config(Arc::clone(live) as Arc<dyn ResolvesServerCert>, HTTP)?;
        let authority = config(Arc::clone(challenges) as Arc<dyn ResolvesServerCert>, ACME)?;
        Ok(Self { visitors, authority })
    }

    /// Performs the handshake. `None` if it failed, or if the client was an authority, for which the handshake itself
    /// is the answer (RFC 8737 §3).
    pub(super) async fn handshake(&self, stream: Stream, peer: Peer) -> Option<TlsStream<Stream>> {
        match timeout(HANDSHAKE, self.shake_hands(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::debug!(%peer, %error, "TLS handshake failed");
                None
            }
            Err(_) => {
                tracing::debug!(%peer, "TLS handshake timed out");
                None
            }
        }
    }

    async fn shake_hands(&self, stream: Stream) -> std::io::Result<Option<TlsStream<Stream>>> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let is_authority =
            start.client_hello().alpn().is_some_and(|mut offered| offered.any(|name| name == ACME));
        if is_authority {
            let mut stream = start.into_stream(Arc::clone(&self.authority)).await?;
            tokio::io::AsyncWriteExt::shutdown(&mut stream).await?;
            return Ok(None);
        }
        start.into_stream(Arc::clone(&self.visitors)).await.map(Some)
    }
}

fn config(shown: Arc<dyn ResolvesServerCert>, protocol: &[u8]) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    config.alpn_protocols = vec![protocol.to_vec()];
    // Clients reconnect too seldom for session storage to be worth its memory.
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

impl fmt::Debug for TlsConfigs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConfigs")
    }
}
