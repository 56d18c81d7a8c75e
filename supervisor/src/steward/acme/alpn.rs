//! TLS-ALPN-01: the certificate that proves a name, and the client that requests it (RFC 8737 §3).

use std::sync::{Arc, OnceLock};

use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};

/// An error while making the certificate for TLS-ALPN-01.
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
    // rustls cannot check that key and certificate match: it would parse the certificate, which has a critical
    // extension that rustls does not know.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}

/// A TLS client that offers ALPN as an authority does and checks the certificate itself.
pub(super) fn client() -> Result<Arc<ClientConfig>, rustls::Error> {
    static CLIENT: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(Arc::clone(client));
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])? // our own server supports it
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AcceptAnyCertificate { provider }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    Ok(Arc::clone(CLIENT.get_or_init(|| Arc::new(config))))
}

/// Accepts every certificate. The caller compares it with the expected one, octet by octet.
#[derive(Debug)]
struct AcceptAnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AcceptAnyCertificate {
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
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 was not offered".to_owned()))
    }

    /// Verifies with the bare key: rustls refuses to parse a certificate with an unknown critical extension.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let (_, parsed) = x509_parser::parse_x509_certificate(leaf)
            .map_err(|_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let key = SubjectPublicKeyInfoDer::from(parsed.public_key().raw);
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use rustls::server::{ClientHello, ResolvesServerCert};
    use rustls::{ClientConnection, ServerConfig, ServerConnection, StreamOwned};

    use super::*;

    #[derive(Debug)]
    struct Shows(Arc<CertifiedKey>);

    impl ResolvesServerCert for Shows {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }

    #[test]
    fn a_client_with_the_alpn_of_an_authority_gets_the_challenge_certificate() {
        let shown = Arc::new(certificate("mail.example.org", &[7; 32]).unwrap());
        let expected = shown.cert[0].clone();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let provider = Arc::new(aws_lc_rs::default_provider());
            let mut config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(Shows(shown)));
            config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
            let connection = ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = StreamOwned::new(connection, listener.accept().unwrap().0);
            stream.write_all(b"seen").unwrap();
        });
        let name = ServerName::try_from("mail.example.org").unwrap();
        let connection = ClientConnection::new(client().unwrap(), name).unwrap();
        let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
        let mut seen = [0; 4];
        stream.read_exact(&mut seen).unwrap();
        assert_eq!(stream.conn.peer_certificates().unwrap(), [expected]);
        server.join().unwrap();
    }
}
