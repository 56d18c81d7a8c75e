use std::io;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsStream;

use super::{Kind, Stream};
use crate::metrics::Meter;
use crate::tls::{Connector, Tls};

/// Why a connection could not be encrypted. In each case it is over.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// The peer sent something in clear behind its STARTTLS, which an attacker in between could have put there
    /// to have it taken for a part of the encrypted session (RFC 3207 §4.2, RFC 9051 §6.2.1).
    #[error("octets in clear came behind STARTTLS")]
    Injected,
    /// It is encrypted already.
    #[error("the connection is encrypted already")]
    Twice,
    /// The peers did not agree, or the connection broke.
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    /// The peer did not go on.
    #[error("the TLS handshake was not finished in time")]
    TimedOut,
}

/// A handshake is two round trips and some arithmetic.
const HANDSHAKE: Duration = Duration::from_secs(30);

impl Stream {
    /// Becomes an encrypted one, with us as the server. `unread` is what the session has received and not
    /// used yet; there may be nothing.
    pub async fn secure(self, tls: &Tls, unread: &[u8]) -> Result<Self, UpgradeError> {
        let (transport, meter) = self.into_transport(unread)?;
        let handshake = timeout(HANDSHAKE, tls.acceptor.accept(transport)).await;
        finished(handshake.map(|tls| tls.map(TlsStream::from)), meter)
    }

    /// Becomes an encrypted one, with us as the client. `name` is whom a verifying connector accepts, and what
    /// the server is told.
    pub async fn secure_to(
        self,
        connector: &Connector,
        name: ServerName<'static>,
        unread: &[u8],
    ) -> Result<Self, UpgradeError> {
        let (transport, meter) = self.into_transport(unread)?;
        let handshake = timeout(HANDSHAKE, connector.connector.connect(name, transport)).await;
        finished(handshake.map(|tls| tls.map(TlsStream::from)), meter)
    }

    fn into_transport(self, unread: &[u8]) -> Result<(super::Transport, Meter), UpgradeError> {
        match self.kind {
            Kind::Tls(_) => Err(UpgradeError::Twice),
            Kind::Plain(_) if !unread.is_empty() => Err(UpgradeError::Injected),
            Kind::Plain(transport) => Ok((transport, self.meter)),
        }
    }
}

type Outcome = Result<io::Result<TlsStream<super::Transport>>, tokio::time::error::Elapsed>;

fn finished(outcome: Outcome, meter: Meter) -> Result<Stream, UpgradeError> {
    meter.handshake(outcome.as_ref().ok().and_then(|tls| tls.as_ref().ok()).and_then(super::agreed));
    match outcome {
        Ok(Ok(tls)) => Ok(Stream { kind: Kind::Tls(Box::new(tls)), meter }),
        Ok(Err(error)) => Err(UpgradeError::Handshake(error)),
        Err(_) => Err(UpgradeError::TimedOut),
    }
}
