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
/// TLS 1.2 and 1.3. Sessions are resumed by tickets under keys that only this process knows, so no state is
/// stored per session; a client that returns after a restart makes a full handshake. No ALPN: each of our
/// protocols has a port of its own.
#[derive(Clone)]
pub struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    current: Arc<CurrentCertificate>,
}

/// An error while loading or replacing the certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate or the key could not be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The key cannot be used, or does not match the certificate.
    #[error("the certificate {} cannot be used with its key: {source}", certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: std::path::PathBuf,
        /// The library's error.
        source: rustls::Error,
    },
    /// The file of additional authorities cannot be used.
    #[error("cannot use the authorities in {}: {fault}", path.display())]
    Authorities {
        /// The file.
        path: std::path::PathBuf,
        /// The error.
        fault: String,
    },
    /// The library cannot be set up.
    #[error("cannot set up TLS: {0}")]
    Setup(rustls::Error),
}

impl Tls {
    /// Loads a certificate and its key.
    pub fn load(files: &config::Tls) -> Result<Self, TlsError> {
        let current = Arc::new(CurrentCertificate(ArcSwap::from_pointee(certified(files)?)));
        let mut server = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        server.ticketer = Ticketer::new().map_err(TlsError::Setup)?;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(server)), current })
    }

    /// Loads the certificate and key again. New handshakes use them, running sessions keep theirs; when the files
    /// cannot be used, the current ones are kept.
    pub fn reload(&self, files: &config::Tls) -> Result<(), TlsError> {
        self.current.0.store(Arc::new(certified(files)?));
        Ok(())
    }
}

fn certified(files: &config::Tls) -> Result<CertifiedKey, TlsError> {
    let loaded = certificate::load(files)?;
    // Checks that the key matches the leaf: a partly written renewal must not be served.
    CertifiedKey::from_der(loaded.chain, loaded.key, &provider())
        .map_err(|source| TlsError::Mismatch { certificate: files.certificate.clone(), source })
}

/// The current certificate. It is used for every name: a client that asks for another name sees from the
/// certificate that it has reached the wrong host.
struct CurrentCertificate(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl fmt::Debug for CurrentCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}
