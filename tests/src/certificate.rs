//! Certificates: those that our clients trust, and those that the test servers present.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use handover::config::Tls;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A TLS client configuration that trusts only the certificates in `file`.
pub fn trusting(file: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).expect("the certificate can be read") {
        roots.add(certificate.expect("the file is PEM")).expect("it can be trusted");
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider knows TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// Writes a new self-signed certificate for `name` and its key into `folder`.
pub fn write(name: &str, folder: &Path) -> Tls {
    let generated =
        rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate can be generated");
    let tls = Tls { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
    fs::write(&tls.certificate, generated.cert.pem()).expect("the folder can be written");
    fs::write(&tls.key, generated.signing_key.serialize_pem()).expect("the folder can be written");
    tls
}

/// A TLS server configuration with the certificate and key in these files.
pub fn serving(certificate: &Path, key: &Path) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(certificate).expect("the certificate can be read");
    let chain = chain.collect::<Result<Vec<_>, _>>().expect("the file is PEM");
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider knows TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key).expect("the key can be read"))
        .expect("key and certificate fit");
    Arc::new(config)
}

/// A TLS server configuration, and its certificate as PEM for clients that trust it.
pub struct Shown {
    /// The server configuration.
    pub config: Arc<ServerConfig>,
    /// Its certificate.
    pub pem: String,
}

/// A TLS server configuration with a new self-signed certificate for `name`.
pub fn showing(name: &str) -> Shown {
    let generated =
        rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate can be generated");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(generated.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider knows TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![generated.cert.der().clone()], key)
        .expect("key and certificate fit");
    Shown { config: Arc::new(config), pem: generated.cert.pem() }
}
