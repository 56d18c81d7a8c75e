//! The certificate in use.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use handover::certificate::{self, CertificateError, CertificateFacts};
use handover::config;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::signed;

/// The certificate served on port 443. It is replaced when there is a new one; handshakes in progress keep theirs.
#[derive(Default)]
pub(in crate::steward) struct ServedCertificate(ArcSwapOption<LoadedCertificate>);

struct LoadedCertificate {
    key: Arc<CertifiedKey>,
    facts: CertificateFacts,
}

/// An error while loading the certificate.
#[derive(Debug, thiserror::Error)]
pub(in crate::steward) enum LoadError {
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("the certificate cannot be used with its key: {0}")]
    Mismatch(#[from] rustls::Error),
}

impl ServedCertificate {
    /// Loads the files. On failure, the previous certificate stays in use.
    pub(in crate::steward) fn load(&self, files: &config::Tls) -> Result<(), LoadError> {
        let loaded = certificate::load(files)?;
        let facts = certificate::facts(&files.certificate)?;
        let key = CertifiedKey::from_der(loaded.chain, loaded.key, &aws_lc_rs::default_provider())?;
        self.0.store(Some(Arc::new(LoadedCertificate { key: Arc::new(key), facts })));
        Ok(())
    }

    /// Signs a file with the certificate's key; `None` if that key cannot sign one.
    pub(super) fn signed(&self, content: &[u8]) -> Option<Vec<u8>> {
        self.0.load().as_ref().and_then(|shown| signed::signed(content, &shown.key))
    }

    /// The facts of the certificate.
    pub(in crate::steward) fn facts(&self) -> Option<CertificateFacts> {
        self.0.load().as_ref().map(|shown| shown.facts.clone())
    }
}

impl ResolvesServerCert for ServedCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.load().as_ref().map(|shown| Arc::clone(&shown.key))
    }
}

impl fmt::Debug for ServedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Live")
    }
}
