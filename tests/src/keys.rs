//! Signing keys for a site, published by its name server.

use std::fs;
use std::path::{Path, PathBuf};

use address::Domain;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handover::config::DkimKey;
use rcgen::{KeyPair, PublicKeyData as _, RsaKeySize};

use crate::dns::NameServer;

/// Writes an RSA and an Ed25519 key into `folder` and adds their records to the name server (RFC 6376 §3.6.1, RFC 8463
/// §4).
pub fn write(domain: &str, folder: &Path, dns: &NameServer) -> Vec<DkimKey> {
    let rsa =
        KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key can be made");
    let edwards = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key can be made");
    let publish = |selector: &str, kind: &str, public: &[u8]| {
        let record = format!("v=DKIM1; k={kind}; p={}", STANDARD.encode(public));
        dns.text(&format!("{selector}._domainkey.{domain}"), &record);
    };
    publish("rsa", "rsa", &rsa.subject_public_key_info());
    publish("ed", "ed25519", edwards.der_bytes());
    [("rsa", &rsa), ("ed", &edwards)]
        .map(|(selector, pair)| DkimKey {
            domain: Domain::parse(domain).expect("it is a domain"),
            selector: selector.to_owned(),
            key: pem(folder, selector, pair),
        })
        .into()
}

fn pem(folder: &Path, selector: &str, pair: &KeyPair) -> PathBuf {
    let path = folder.join(format!("{selector}.pem"));
    fs::write(&path, pair.serialize_pem()).expect("the folder can be written");
    path
}
