use std::io;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsStream;

use super::{Kind, Stream, Transport};
use crate::metrics::ServiceMetrics;
use crate::pace::{Expiry, Pace};
use crate::tls::{Connector, Tls};

/// The reason why a connection could not be encrypted. It is closed in each case.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// The peer sent octets in clear after its STARTTLS, which an attacker in between could have put there
    /// to have them accepted as a part of the encrypted session (RFC 3207 §4.2, RFC 9051 §6.2.1).
    #[error("the peer sent unencrypted data after STARTTLS")]
    Injected,
    /// The connection is encrypted already.
    #[error("the connection is encrypted already")]
    Twice,
    /// The handshake failed, or the connection broke.
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    /// The peer did not complete the handshake in time.
    #[error("the TLS handshake was not finished in time")]
    TimedOut,
    /// The session was ended meanwhile.
    #[error("the session was ended during the TLS handshake: {0:?}")]
    Expired(Expiry),
}

/// A handshake is two round trips and some arithmetic.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

impl Stream {
    /// Encrypts the connection as the server. `unread` is what the session has received and not used yet; it must be
    /// empty.
    pub async fn secure(self, tls: &Tls, unread: &[u8]) -> Result<Self, UpgradeError> {
        let (transport, metrics, pace) = self.into_transport(unread)?;
        let accepted = tls.acceptor.accept(transport);
        complete_handshake(async { accepted.await.map(TlsStream::from) }, metrics, pace).await
    }

    /// Encrypts the connection as the client. `name` is the name that a verifying connector requires, and that
    /// is sent to the server.
    pub async fn secure_to(
        self,
        connector: &Connector,
        name: ServerName<'static>,
        unread: &[u8],
    ) -> Result<Self, UpgradeError> {
        let (transport, metrics, pace) = self.into_transport(unread)?;
        let connected = connector.connector.connect(name, transport);
        complete_handshake(async { connected.await.map(TlsStream::from) }, metrics, pace).await
    }

    fn into_transport(self, unread: &[u8]) -> Result<(Transport, ServiceMetrics, Pace), UpgradeError> {
        match self.kind {
            Kind::Tls(_) => Err(UpgradeError::Twice),
            Kind::Plain(_) if !unread.is_empty() => Err(UpgradeError::Injected),
            Kind::Plain(transport) => Ok((transport, self.metrics, self.pace)),
        }
    }
}

/// Waits for a handshake, within its own limit and that of the session.
async fn complete_handshake(
    handshake: impl Future<Output = io::Result<TlsStream<Transport>>>,
    metrics: ServiceMetrics,
    pace: Pace,
) -> Result<Stream, UpgradeError> {
    pace.handshake_began();
    let outcome = tokio::select! {
        biased;
        expiry = pace.ended() => Err(UpgradeError::Expired(expiry)),
        outcome = timeout(HANDSHAKE_TIMEOUT, handshake) => match outcome {
            Ok(outcome) => outcome.map_err(UpgradeError::Handshake),
            Err(_) => Err(UpgradeError::TimedOut),
        },
    };
    pace.command_ended();
    metrics.handshake(outcome.as_ref().ok().and_then(super::agreed));
    outcome.map(|tls| Stream { kind: Kind::Tls(Box::new(tls)), metrics, pace })
}
