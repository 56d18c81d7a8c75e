use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use handover::certificate::{self, CertificateError};
use handover::config;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use super::provider;

/// The server's side of TLS, shared by all listeners of a daemon.
///
/// TLS 1.2 and 1.3. Sessions are resumed by tickets under keys that only this process knows, so nothing is
/// stored per session; a client that comes back after a restart makes a whole handshake. No ALPN: none of our
/// protocols has to be told apart from another on its port.
#[derive(Clone)]
pub struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    current: Arc<Current>,
}

/// Why there is no TLS, or no new certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Certificate or key could not be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The key is not one that can be used, or it is not the certificate's.
    #[error("the certificate {} cannot be used with its key: {source}", certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: std::path::PathBuf,
        /// What the library said.
        source: rustls::Error,
    },
    /// The file of authorities that shall be trusted cannot be used.
    #[error("cannot use the authorities in {}: {fault}", path.display())]
    Authorities {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// The library refuses to work at all.
    #[error("setting up TLS: {0}")]
    Setup(rustls::Error),
}

impl Tls {
    /// Reads certificate and key and makes a server of them.
    pub fn load(files: &config::Tls) -> Result<Self, TlsError> {
        let current = Arc::new(Current(ArcSwap::from_pointee(certified(files)?)));
        let mut server = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        server.ticketer = Ticketer::new().map_err(TlsError::Setup)?;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(server)), current })
    }

    /// Reads certificate and key again. New handshakes get them, running sessions keep theirs; when the files
    /// cannot be used, everything stays as it is.
    pub fn reload(&self, files: &config::Tls) -> Result<(), TlsError> {
        self.current.0.store(Arc::new(certified(files)?));
        Ok(())
    }
}

fn certified(files: &config::Tls) -> Result<CertifiedKey, TlsError> {
    let loaded = certificate::load(files)?;
    // Checks that the key is the leaf's: a renewal cut in half must not be served.
    CertifiedKey::from_der(loaded.chain, loaded.key, &provider())
        .map_err(|source| TlsError::Mismatch { certificate: files.certificate.clone(), source })
}

/// The certificate of this moment. One for every name: a client that asks for another name is told by the
/// certificate itself that it came to the wrong place.
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}
