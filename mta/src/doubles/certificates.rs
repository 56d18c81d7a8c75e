//! Certificates of exchanges: one that is self-signed, and one of an authority that a test may trust.

use std::path::{Path, PathBuf};

use handover::config;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serve::tls::Tls;

/// A self-signed certificate.
pub(super) fn self_signed(folder: &Path) -> Tls {
    let made = rcgen::generate_simple_self_signed(vec!["unrelated.example".to_owned()]).unwrap();
    load(folder, &made.cert.pem(), &made.signing_key.serialize_pem())
}

/// A certificate for a name, and the file of the authority that issued it.
pub(super) fn with_trusted_tls(folder: &Path, name: &str) -> (Tls, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap();
    let file = folder.join("authority.pem");
    std::fs::write(&file, authority.pem()).unwrap();

    let leaf_key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&leaf_key, &Issuer::new(params, key)).unwrap();
    (load(folder, &leaf.pem(), &leaf_key.serialize_pem()), file)
}

fn load(folder: &Path, certificate: &str, key: &str) -> Tls {
    let files = config::Tls { certificate: folder.join("c.pem"), key: folder.join("k.pem") };
    std::fs::write(&files.certificate, certificate).unwrap();
    std::fs::write(&files.key, key).unwrap();
    Tls::load(&files).unwrap()
}
