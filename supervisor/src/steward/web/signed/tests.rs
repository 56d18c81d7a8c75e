use std::path::Path;
use std::process::{Command, Stdio};

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::pki_types::PrivatePkcs8KeyDer;

use super::*;

fn certified(folder: &Path, key: &KeyPair) -> CertifiedKey {
    let certificate =
        CertificateParams::new(["mail.example.org".to_owned()]).unwrap().self_signed(key).unwrap();
    std::fs::write(folder.join("authority.pem"), certificate.pem()).unwrap();
    let private = PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    CertifiedKey::from_der(vec![certificate.der().clone()], private.into(), &provider).unwrap()
}

/// The content, if the signature is valid and the certificate is trusted.
fn verified(folder: &Path, file: &[u8]) -> Option<Vec<u8>> {
    std::fs::write(folder.join("file"), file).unwrap();
    let output = Command::new("openssl")
        .args(["cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-in"])
        .arg(folder.join("file"))
        .arg("-CAfile")
        .arg(folder.join("authority.pem"))
        .stderr(Stdio::null())
        .output()
        .expect("openssl is installed");
    output.status.success().then_some(output.stdout)
}

#[test]
fn openssl_verifies_signatures_of_each_kind_of_key() {
    let rsa = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let ec = |algorithm| KeyPair::generate_for(algorithm).unwrap();
    for key in [ec(&PKCS_ECDSA_P256_SHA256), ec(&PKCS_ECDSA_P384_SHA384), rsa] {
        let folder = tempfile::tempdir().unwrap();
        let file = signed(b"a profile\r\n", &certified(folder.path(), &key)).unwrap();
        assert_eq!(
            verified(folder.path(), &file).as_deref(),
            Some(&b"a profile\r\n"[..]),
            "{:?}",
            key.algorithm()
        );
        let at = file.windows(9).position(|octets| octets == b"a profile").unwrap();
        let mut forged = file.clone();
        forged[at] = b'A';
        assert_eq!(verified(folder.path(), &forged), None, "a changed file is not taken for a signed one");
    }
}

#[test]
fn an_unsupported_key_signs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    assert_eq!(signed(b"a profile", &certified(folder.path(), &key)), None);
}
