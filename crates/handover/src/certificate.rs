//! The certificate on disk: a chain and a key in PEM, as other mail servers have them.

mod order;
mod pem;

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

pub use pem::{PemError, certificates, private_key};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::config::Tls;

/// The largest file that is read, in octets: a chain or a key has a few thousand.
const MAX_SIZE: u64 = 1 << 20;

/// A chain with the key of its leaf.
#[derive(Debug)]
pub struct Certificate {
    /// The chain, leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's private key.
    pub key: PrivateKeyDer<'static>,
}

/// The facts that a certificate states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The names and addresses that it is valid for.
    pub names: Vec<String>,
    /// Its issuer.
    pub issuer: String,
    /// The start of its validity, in seconds since 1970.
    pub not_before: i64,
    /// The end of its validity, in seconds since 1970.
    pub not_after: i64,
}

/// An error that keeps a certificate from being used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A file was read and lacks the expected PEM sections.
    #[error("{} cannot be used: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// The fault in it.
        source: PemError,
    },
    /// One of the certificates is not X.509.
    #[error("a certificate in {} is not X.509", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

impl CertificateError {
    /// True if the file was read and its content is at fault. A file that was not read may be intact: the disk may be
    /// at fault, or too many files be open.
    pub fn is_content_faulty(&self) -> bool {
        match self {
            Self::Read { source, .. } => {
                matches!(source.kind(), io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidInput)
            }
            Self::Pem { .. } | Self::Malformed { .. } => true,
        }
    }

    /// True if the file does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Reads the chain and the key.
pub fn load(tls: &Tls) -> Result<Certificate, CertificateError> {
    Ok(Certificate { key: key(&tls.key)?, chain: chain(&tls.certificate)? })
}

/// Reads a private key.
pub fn key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    private_key(&read(path)?).map_err(|source| CertificateError::Pem { path: path.to_owned(), source })
}

/// Reads the leaf alone.
pub fn leaf(path: &Path) -> Result<CertificateDer<'static>, CertificateError> {
    Ok(chain(path)?.swap_remove(0))
}

/// Reads the facts of the leaf.
pub fn facts(path: &Path) -> Result<CertificateFacts, CertificateError> {
    let chain = chain(path)?;
    let malformed = || CertificateError::Malformed { path: path.to_owned() };
    let (_, leaf) = X509Certificate::from_der(&chain[0]).map_err(|_| malformed())?;
    let names = match leaf.subject_alternative_name().map_err(|_| malformed())? {
        Some(extension) => extension.value.general_names.iter().filter_map(name).collect(),
        None => Vec::new(),
    };
    Ok(CertificateFacts {
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

/// The kind of key that the leaf is for, in plain words.
pub fn key_kind(path: &Path) -> Result<String, CertificateError> {
    let chain = chain(path)?;
    let (_, leaf) = X509Certificate::from_der(&chain[0])
        .map_err(|_| CertificateError::Malformed { path: path.to_owned() })?;
    let key = leaf.public_key();
    Ok(match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("an RSA key of {} bits", rsa.key_size()),
        Ok(PublicKey::EC(_)) => {
            let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
            curve.map_or_else(|| "a key on a curve".to_owned(), |curve| format!("a key on the curve {curve}"))
        }
        _ => format!("a key of the algorithm {}", key.algorithm.algorithm),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    durable::read_limited_through_links(path, MAX_SIZE)
        .map_err(|source| CertificateError::Read { path: path.to_owned(), source })
}

/// The certificates of a file, of which there is at least one: the leaf first, then its issuers, whatever their order
/// in the file.
pub fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let found = certificates(&read(path)?)
        .map_err(|source| CertificateError::Pem { path: path.to_owned(), source })?;
    order::in_order(found).ok_or_else(|| CertificateError::Malformed { path: path.to_owned() })
}

/// A subject alternative name in its text form.
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
    fn a_certificates_names_and_end_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let tls =
            Tls { certificate: folder.path().join("certificate.pem"), key: folder.path().join("key.pem") };
        let names = ["mail.example.org".to_owned(), "127.0.0.1".to_owned()];
        let generated = rcgen::generate_simple_self_signed(names.to_vec()).unwrap();
        std::fs::write(&tls.certificate, generated.cert.pem()).unwrap();
        assert!(matches!(load(&tls), Err(CertificateError::Read { .. })));
        std::fs::write(&tls.key, "nothing").unwrap();
        assert!(matches!(load(&tls), Err(CertificateError::Pem { source: PemError::Empty(_), .. })));
        std::fs::write(&tls.key, generated.signing_key.serialize_pem()).unwrap();
        assert_eq!(load(&tls).unwrap().chain.len(), 1);
        assert_eq!(public_key(&tls.certificate).unwrap(), generated.signing_key.subject_public_key_info());
        let facts = facts(&tls.certificate).unwrap();
        assert_eq!(facts.names, names);
        assert!(facts.not_before < facts.not_after);
    }
    #[test]
    fn only_a_file_that_was_read_can_have_a_content_fault() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let wrong = |path: &Path| key(path).unwrap_err();
        assert!(wrong(&path).is_missing() && !wrong(&path).is_content_faulty());
        std::fs::write(&path, "").unwrap();
        assert!(wrong(&path).is_content_faulty(), "an empty file was read");
        std::fs::write(&path, vec![b'x'; 1 + usize::try_from(MAX_SIZE).unwrap()]).unwrap();
        assert!(wrong(&path).is_content_faulty(), "{}", wrong(&path));
        assert!(wrong(folder.path()).is_content_faulty(), "a folder in its place");
        let read = |kind: io::ErrorKind| CertificateError::Read { path: path.clone(), source: kind.into() };
        assert!(!read(io::ErrorKind::PermissionDenied).is_content_faulty());
        let too_many_files =
            CertificateError::Read { path: path.clone(), source: io::Error::from_raw_os_error(24) };
        let disk = CertificateError::Read { path: path.clone(), source: io::Error::from_raw_os_error(5) };
        assert!(!too_many_files.is_content_faulty() && !disk.is_content_faulty());
    }
}
