//! The certificate on disk: a chain and a key in PEM, as every other mail server has them too.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::config::Tls;

/// The largest file that is read, in octets: a chain or a key has a few thousand.
const LARGEST: u64 = 1 << 20;

/// A chain with the key of its leaf.
#[derive(Debug)]
pub struct Certificate {
    /// The chain, leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's private key.
    pub key: PrivateKeyDer<'static>,
}

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// Who issued it.
    pub issuer: String,
    /// From when it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: i64,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file has no certificate or no key in PEM.
    #[error("{} has no {what} in PEM", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// The leaf is not an X.509 certificate.
    #[error("the first certificate in {} is not X.509", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the chain and the key.
pub fn load(tls: &Tls) -> Result<Certificate, CertificateError> {
    let key = read(&tls.key)?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|_| CertificateError::Empty { path: tls.key.clone(), what: "private key" })?;
    Ok(Certificate { chain: chain(&tls.certificate)?, key })
}

/// Reads the leaf alone.
pub fn leaf(path: &Path) -> Result<CertificateDer<'static>, CertificateError> {
    Ok(chain(path)?.swap_remove(0))
}

/// Reads what the leaf says of itself.
pub fn facts(path: &Path) -> Result<Facts, CertificateError> {
    let chain = chain(path)?;
    let malformed = || CertificateError::Malformed { path: path.to_owned() };
    let (_, leaf) = X509Certificate::from_der(&chain[0]).map_err(|_| malformed())?;
    let names = match leaf.subject_alternative_name().map_err(|_| malformed())? {
        Some(extension) => extension.value.general_names.iter().filter_map(name).collect(),
        None => Vec::new(),
    };
    Ok(Facts {
        names,
        issuer: leaf.issuer().to_string(),
        not_before: leaf.validity().not_before.timestamp(),
        not_after: leaf.validity().not_after.timestamp(),
    })
}

/// The leaf's public key, a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
pub fn public_key(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let chain = chain(path)?;
    let (_, leaf) = X509Certificate::from_der(&chain[0])
        .map_err(|_| CertificateError::Malformed { path: path.to_owned() })?;
    Ok(leaf.public_key().raw.to_vec())
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    durable::read_limited_behind_links(path, LARGEST)
        .map_err(|source| CertificateError::Read { path: path.to_owned(), source })
}

/// The certificates of a file, of which there is at least one, the leaf first.
pub fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let text = read(path)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text).filter_map(Result::ok).collect();
    if chain.is_empty() {
        return Err(CertificateError::Empty { path: path.to_owned(), what: "certificate" });
    }
    Ok(chain)
}

/// A subject alternative name as a person writes it.
fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => match octets.len() {
            4 => <[u8; 4]>::try_from(*octets).ok().map(|o| IpAddr::from(o).to_string()),
            16 => <[u8; 16]>::try_from(*octets).ok().map(|o| IpAddr::from(o).to_string()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::PublicKeyData;

    #[test]
    fn a_certificate_tells_its_names_and_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let tls =
            Tls { certificate: folder.path().join("certificate.pem"), key: folder.path().join("key.pem") };
        let names = ["mail.example.org".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names.to_vec()).unwrap();
        std::fs::write(&tls.certificate, made.cert.pem()).unwrap();
        assert!(matches!(load(&tls), Err(CertificateError::Read { .. })));
        std::fs::write(&tls.key, "nothing").unwrap();
        assert!(matches!(load(&tls), Err(CertificateError::Empty { what: "private key", .. })));
        std::fs::write(&tls.key, made.signing_key.serialize_pem()).unwrap();
        assert_eq!(load(&tls).unwrap().chain.len(), 1);
        assert_eq!(public_key(&tls.certificate).unwrap(), made.signing_key.subject_public_key_info());
        let facts = facts(&tls.certificate).unwrap();
        assert_eq!(facts.names, names);
        assert!(facts.not_before < facts.not_after);
    }
}
