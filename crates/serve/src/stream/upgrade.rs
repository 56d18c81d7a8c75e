use std::io;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsStream;

use super::{Kind, Stream, Transport};
use crate::metrics::Meter;
use crate::pace::{Expiry, Pace};
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
    /// The session was ended meanwhile.
    #[error("the session was ended during the TLS handshake: {0:?}")]
    Expired(Expiry),
}

/// A handshake is two round trips and some arithmetic.
const HANDSHAKE: Duration = Duration::from_secs(30);

impl Stream {
    /// Becomes an encrypted one, with us as the server. `unread` is what the session has received and not
    /// used yet; there may be nothing.
    pub async fn secure(self, tls: &Tls, unread: &[u8]) -> Result<Self, UpgradeError> {
        let (transport, meter, pace) = self.into_transport(unread)?;
        let accepted = tls.acceptor.accept(transport);
        shake(async { accepted.await.map(TlsStream::from) }, meter, pace).await
    }

    /// Becomes an encrypted one, with us as the client. `name` is whom a verifying connector accepts, and what
    /// the server is told.
    pub async fn secure_to(
        self,
        connector: &Connector,
        name: ServerName<'static>,
        unread: &[u8],
    ) -> Result<Self, UpgradeError> {
        let (transport, meter, pace) = self.into_transport(unread)?;
        let connected = connector.connector.connect(name, transport);
        shake(async { connected.await.map(TlsStream::from) }, meter, pace).await
    }

    fn into_transport(self, unread: &[u8]) -> Result<(Transport, Meter, Pace), UpgradeError> {
        match self.kind {
            Kind::Tls(_) => Err(UpgradeError::Twice),
            Kind::Plain(_) if !unread.is_empty() => Err(UpgradeError::Injected),
            Kind::Plain(transport) => Ok((transport, self.meter, self.pace)),
        }
    }
}

/// Waits for a handshake, within its own limit and that of the session.
async fn shake(
    handshake: impl Future<Output = io::Result<TlsStream<Transport>>>,
    meter: Meter,
    pace: Pace,
) -> Result<Stream, UpgradeError> {
    pace.handshake_began();
    let outcome = tokio::select! {
        biased;
        expiry = pace.ended() => Err(UpgradeError::Expired(expiry)),
        outcome = timeout(HANDSHAKE, handshake) => match outcome {
            Ok(outcome) => outcome.map_err(UpgradeError::Handshake),
            Err(_) => Err(UpgradeError::TimedOut),
        },
    };
    pace.command_ended();
    meter.handshake(outcome.as_ref().ok().and_then(super::agreed));
    outcome.map(|tls| Stream { kind: Kind::Tls(Box::new(tls)), meter, pace })
}
