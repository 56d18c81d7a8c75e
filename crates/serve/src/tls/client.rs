use std::fmt;
use std::path::Path;
use std::sync::Arc;

use handover::certificate::chain;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;

use super::{TlsError, provider};

/// The client's side of TLS, one for all connections, so that sessions are resumed.
#[derive(Clone)]
pub struct Connector {
    pub(crate) connector: TlsConnector,
}

impl Connector {
    /// Encrypts to any server (RFC 7435): protects against passive listeners, not against impostors. Mail to a host
    /// without a policy is sent this way, since the alternative is no encryption at all.
    pub fn opportunistic() -> Result<Self, TlsError> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?;
        let anyone = Arc::new(KeyVerifier { keys: None, provider: provider() });
        Ok(Self::from(builder.dangerous().with_custom_certificate_verifier(anyone).with_no_client_auth()))
    }

    /// Encrypts to the holder of that certificate's key, whatever name and authority it then presents: a renewed
    /// certificate has the same key.
    pub fn pinned_to(leaf: &CertificateDer<'_>) -> Result<Self, TlsError> {
        Self::pinned_to_any(&[leaf])
    }

    /// The same of several certificates: while one takes the place of another, either may be shown.
    pub fn pinned_to_any(leaves: &[&CertificateDer<'_>]) -> Result<Self, TlsError> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?;
        let keys = leaves.iter().map(|leaf| public_key(leaf)).collect::<Result<Vec<_>, _>>();
        let keys = Some(keys.map_err(TlsError::Setup)?);
        let holder = Arc::new(KeyVerifier { keys, provider: provider() });
        Ok(Self::from(builder.dangerous().with_custom_certificate_verifier(holder).with_no_client_auth()))
    }

    /// Encrypts to the named host only, as the public authorities certify it.
    pub fn verifying() -> Result<Self, TlsError> {
        Self::trusting(authorities())
    }

    /// Encrypts to the named host only, as certified by the public authorities, or by those whose certificates are in
    /// the file (PEM).
    pub fn verifying_with(path: &Path) -> Result<Self, TlsError> {
        Self::trusting(authorities_with(path)?)
    }

    /// Encrypts to the named host only, as one of these authorities certifies it.
    pub fn trusting(roots: RootCertStore) -> Result<Self, TlsError> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?;
        Ok(Self::from(builder.with_root_certificates(roots).with_no_client_auth()))
    }
}

/// The public authorities: Mozilla's, compiled in.
pub fn authorities() -> RootCertStore {
    webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
}

/// The public authorities and those whose certificates are in the file (PEM).
pub fn authorities_with(path: &Path) -> Result<RootCertStore, TlsError> {
    let unusable = |fault: String| TlsError::Authorities { path: path.to_owned(), fault };
    let mut roots = authorities();
    for certificate in chain(path).map_err(|error| unusable(error.to_string()))? {
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    Ok(roots)
}

/// A configuration that trusts no authority, for libraries that require one and open no encrypted connection: hickory's
/// resolver would otherwise read the authorities of the system, and fail where there are none.
pub fn trusting_no_authority() -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

impl From<ClientConfig> for Connector {
    fn from(config: ClientConfig) -> Self {
        Self { connector: TlsConnector::from(Arc::new(config)) }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

/// The public key of a certificate.
fn public_key(leaf: &CertificateDer<'_>) -> Result<Vec<u8>, rustls::Error> {
    Ok(ParsedCertificate::try_from(leaf)?.subject_public_key_info().to_vec())
}

/// Accepts every certificate, or every one with one of certain keys, but still verifies that the peer has its key: the
/// handshake's signature is checked.
#[derive(Debug)]
struct KeyVerifier {
    keys: Option<Vec<Vec<u8>>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for KeyVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.keys {
            Some(keys) if !keys.contains(&public_key(leaf)?) => {
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
