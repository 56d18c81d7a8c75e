//! TLS-ALPN-01: the certificate that proves a name, and who asks for it (RFC 8737 §3).

use std::sync::{Arc, OnceLock};

use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};

/// Why there is no such certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum AlpnError {
    #[error("cannot make a certificate for the challenge: {0}")]
    Make(#[from] rcgen::Error),
    #[error("cannot use the certificate for the challenge: {0}")]
    Use(#[from] rustls::Error),
    #[error("the digest of a challenge has 32 octets")]
    Digest,
}

/// The certificate for a name that has the digest of the key authorization in its `acmeIdentifier`.
pub(super) fn certificate(name: &str, digest: &[u8]) -> Result<CertifiedKey, AlpnError> {
    if digest.len() != 32 {
        return Err(AlpnError::Digest);
    }
    let mut parameters = CertificateParams::new([name.to_owned()])?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let key = aws_lc_rs::default_provider().key_provider.load_private_key(key.into())?;
    // Whether they belong together is not asked: rustls would read the certificate for it, and that has a critical
    // extension which nobody but an authority knows.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}

/// A client that speaks what an authority speaks and looks at the certificate itself.
pub(super) fn client() -> Result<Arc<ClientConfig>, rustls::Error> {
    static CLIENT: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(Arc::clone(client));
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Whoever { provider }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    Ok(Arc::clone(CLIENT.get_or_init(|| Arc::new(config))))
}

/// Lets every certificate pass: the one that comes is compared with the one that is expected, octet by octet.
#[derive(Debug)]
struct Whoever {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Whoever {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_for_the_challenge_is_for_that_name() {
        let made = certificate("mail.example.org", &[7; 32]);
        assert!(made.is_ok(), "{:?}", made.err());
    }
}
