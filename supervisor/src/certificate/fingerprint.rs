//! The fingerprint that distinguishes certificates, and the check that a key belongs to one.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use handover::certificate::{CertificateError, chain};
use rcgen::{KeyPair, PublicKeyData};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The SHA-256 of the leaf in hexadecimal.
pub fn fingerprint(certificate: &Path) -> Result<String, CertificateError> {
    let chain = chain(certificate)?;
    Ok(digest(&SHA256, &chain[0]).as_ref().iter().map(|octet| format!("{octet:02x}")).collect())
}

/// Returns true if the leaf in that file is for this key.
pub fn is_of(certificate: &Path, key: &KeyPair) -> bool {
    let Ok(chain) = chain(certificate) else { return false };
    X509Certificate::from_der(&chain[0])
        .is_ok_and(|(_, leaf)| leaf.public_key().raw == key.subject_public_key_info().as_slice())
}
