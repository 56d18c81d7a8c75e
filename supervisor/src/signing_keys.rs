//! The keys that sign outgoing mail (RFC 6376, RFC 8463): one of each kind for every domain.
//!
//! `dkim/<domain>/<selector>.pem`, PKCS#8 in PEM. A key is generated once and then never changed: its public half is
//! published in DNS. A selector is never given to another key.

use std::fs;
use std::path::{Path, PathBuf};

use address::Domain;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use handover::config::DkimKey;
use nix::unistd::Gid;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;

use crate::read_limited;
use crate::volume;

/// The selector of the RSA key, which every receiver can verify.
const RSA: &str = "mailstead-rsa";
/// The selector of the Ed25519 key, which is short enough for one character-string of DNS.
const ED25519: &str = "mailstead-ed25519";

/// A public key as in its DNS record (RFC 6376 §3.6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The selector.
    pub selector: String,
    /// The `k=` tag.
    pub kind: &'static str,
    /// The `p=` tag: for RSA a SubjectPublicKeyInfo (RFC 6376 §3.6.1), for Ed25519 the bare 32 octets
    /// (RFC 8463 §4.2), both in base64.
    pub base64: String,
}

/// An error that leaves a domain without a key.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// It could not be generated.
    #[error("cannot generate a signing key for {0}")]
    Make(Domain),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] durable::Error),
    /// Its folder could not be created, or its owner not changed to the MTA's.
    #[error("cannot create the folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// It could not be read.
    #[error("cannot read the signing key {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error.
        source: std::io::Error,
    },
    /// The file is not a key.
    #[error(
        "the signing key {} is not an RSA or Ed25519 key in PEM (PKCS#8): restore it from a copy of the volume; or remove \
         it, and the next start generates another one, whose record from `mailstead dns` replaces the old one",
        .0.display()
    )]
    Damaged(PathBuf),
}

/// Generates the missing keys of a domain, readable by `group`, and returns all of them.
pub fn ensure(folder: &Path, domain: &Domain, group: Option<Gid>) -> Result<Vec<DkimKey>, SigningKeyError> {
    let folder = folder.join(domain.as_str());
    if !folder.is_dir() {
        make_folder(&folder, group)?;
    }
    let key = |selector: &str, make: fn() -> Option<Vec<u8>>| -> Result<DkimKey, SigningKeyError> {
        let path = folder.join(format!("{selector}.pem"));
        if !path.exists() {
            let der = make().ok_or_else(|| SigningKeyError::Make(domain.clone()))?;
            volume::write(&path, in_pem(&der).as_bytes(), 0o640, group)?;
            tracing::info!(domain = domain.as_str(), selector, "generated a signing key, publish its record");
        }
        Ok(DkimKey { domain: domain.clone(), selector: selector.to_owned(), key: path })
    };
    Ok(vec![key(RSA, make_rsa)?, key(ED25519, make_ed25519)?])
}

/// The existing keys of a domain.
pub fn existing(folder: &Path, domain: &Domain) -> Vec<DkimKey> {
    let folder = folder.join(domain.as_str());
    [RSA, ED25519]
        .map(|selector| DkimKey {
            domain: domain.clone(),
            selector: selector.to_owned(),
            key: folder.join(format!("{selector}.pem")),
        })
        .into_iter()
        .filter(|key| key.key.exists())
        .collect()
}

fn make_folder(folder: &Path, group: Option<Gid>) -> Result<(), SigningKeyError> {
    use std::os::unix::fs::PermissionsExt;
    durable::create_folder(folder, 0o700)?;
    let rights = || {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o750))?;
        if group.is_some() {
            nix::unistd::chown(folder, None, group)?;
        }
        Ok(())
    };
    rights().map_err(|source| SigningKeyError::Folder { path: folder.to_owned(), source })
}

fn make_rsa() -> Option<Vec<u8>> {
    let key = rsa::KeyPair::generate(KeySize::Rsa2048).ok()?;
    let der: Pkcs8V1Der<'_> = key.as_der().ok()?;
    Some(der.as_ref().to_vec())
}

fn make_ed25519() -> Option<Vec<u8>> {
    let key = Ed25519KeyPair::generate().ok()?;
    // Version 1, without the public half: the form that OpenSSL writes and every program reads (RFC 8410 §7).
    let der: Pkcs8V1Der<'_> = key.as_der().ok()?;
    Some(der.as_ref().to_vec())
}

/// RFC 7468 §10: base64 in lines of 64.
fn in_pem(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    pem
}

/// Reads the public half of a key.
pub fn public_key(key: &DkimKey) -> Result<PublicKey, SigningKeyError> {
    let text = read_limited::read(&key.key, 1)
        .map_err(|source| SigningKeyError::Read { path: key.key.clone(), source })?;
    let der =
        PrivatePkcs8KeyDer::from_pem_slice(&text).map_err(|_| SigningKeyError::Damaged(key.key.clone()))?;
    let der = der.secret_pkcs8_der();
    let (kind, octets) = if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
        ("ed25519", pair.public_key().as_ref().to_vec())
    } else {
        let unknown = || SigningKeyError::Damaged(key.key.clone());
        let pair = rsa::KeyPair::from_pkcs8(der).map_err(|_| unknown())?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| unknown())?;
        ("rsa", public.as_ref().to_vec())
    };
    Ok(PublicKey { selector: key.selector.clone(), kind, base64: STANDARD.encode(octets) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_generated_once_and_published_as_the_rfcs_require() {
        let folder = tempfile::tempdir().unwrap();
        let domain = Domain::parse("example.org").unwrap();
        let keys = ensure(folder.path(), &domain, None).unwrap();
        let read = |keys: &[DkimKey]| -> Vec<String> {
            keys.iter().map(|key| fs::read_to_string(&key.key).unwrap()).collect()
        };
        let before = read(&keys);
        assert_eq!(ensure(folder.path(), &domain, None).unwrap(), keys);
        assert_eq!(read(&keys), before, "a key was replaced");

        let public: Vec<PublicKey> = keys.iter().map(|key| public_key(key).unwrap()).collect();
        assert_eq!((public[0].kind, public[1].kind), ("rsa", "ed25519"));
        let rsa = STANDARD.decode(&public[0].base64).unwrap();
        assert_eq!(rsa::PublicEncryptingKey::from_der(&rsa).unwrap().key_size_bits(), 2048);
        assert_eq!(STANDARD.decode(&public[1].base64).unwrap().len(), 32);
        let marked = fs::read_to_string(&keys[1].key).unwrap();
        fs::write(&keys[1].key, format!("\u{feff}{marked}")).unwrap();
        assert_eq!(
            public_key(&keys[1]).unwrap().base64,
            public[1].base64,
            "a byte order mark is no part of it"
        );
    }

    #[test]
    fn a_file_that_is_not_a_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let domain = Domain::parse("example.org").unwrap();
        let mut key = ensure(folder.path(), &domain, None).unwrap().remove(0);
        for content in [String::new(), "nothing".to_owned(), in_pem(b"nothing")] {
            fs::write(&key.key, content).unwrap();
            let message = public_key(&key).unwrap_err().to_string();
            assert!(message.contains("mailstead-rsa.pem is not an RSA or Ed25519 key"), "{message}");
            assert!(message.contains("restore it from a copy"), "{message}");
        }
        key.key = folder.path().join("gone");
        assert!(matches!(public_key(&key), Err(SigningKeyError::Read { .. })));
        assert!(public_key(&key).unwrap_err().to_string().contains("gone"));
    }
}
