//! DKIM signatures (RFC 6376) on mail that leaves in our name.
//!
//! Each key of the author's domain makes one: an RSA key that every verifier supports, an Ed25519 key (RFC 8463) for
//! those that support it. Header section and body are signed in their relaxed form, so that no honest relay breaks it.

mod coverage;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use address::Domain;
use dkim::{Canonicalization, HeaderSection, SigningKey, SigningKeyError};
use handover::config;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::{self, PemObject};

use crate::body_hash::body_hashes;
use crate::content::Content;
use crate::timestamp::Timestamp;

/// All keys that sign.
#[derive(Clone, Default)]
pub struct Signer {
    keys: Arc<Vec<Arc<Key>>>,
    /// The error text about the keys that could not be read.
    load_errors: Option<String>,
}

/// A key with all that it needs for signing.
struct Key {
    domain: Domain,
    selector: String,
    key: SigningKey,
}

/// The reason why a key cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is missing, or has no private key in PEM.
    #[error("cannot read the signing key {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error in it.
        source: rustls_pki_types::pem::Error,
    },
    /// The key is neither RSA nor Ed25519.
    #[error("the signing key {} cannot be used: {source}", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// The error in it.
        source: SigningKeyError,
    },
}

impl Signer {
    /// Reads the keys.
    pub fn load(keys: &[config::DkimKey]) -> Result<Self, KeyError> {
        let keys = keys.iter().map(|key| read(key).map(Arc::new)).collect::<Result<_, KeyError>>()?;
        Ok(Self { keys: Arc::new(keys), load_errors: None })
    }

    /// Reads all usable keys: unsigned mail is better than no mail. [`Signer::load_errors`] names the others.
    pub fn load_usable(keys: &[config::DkimKey]) -> Self {
        Self::default().reloaded(keys)
    }

    /// The keys after a reload. Each is separate: one that can no longer be read keeps signing as it was read before.
    pub fn reloaded(&self, keys: &[config::DkimKey]) -> Self {
        let mut errors = Vec::new();
        let mut usable = Vec::new();
        for key in keys {
            match read(key) {
                Ok(key) => usable.push(Arc::new(key)),
                Err(error) => {
                    errors.push(error.to_string());
                    let same =
                        |before: &&Arc<Key>| before.domain == key.domain && before.selector == key.selector;
                    usable.extend(self.keys.iter().find(same).cloned());
                }
            }
        }
        Self { keys: Arc::new(usable), load_errors: (!errors.is_empty()).then(|| errors.join("; ")) }
    }

    /// The keys that could not be read and the reasons; `None` when all could.
    pub fn load_errors(&self) -> Option<&str> {
        self.load_errors.as_deref()
    }

    /// Signs a message with all keys of `domain`. Returns whole fields to put on top, or nothing without a key.
    ///
    /// Any later change of the message breaks the signatures, except for unsigned fields put on top.
    pub async fn sign(&self, domain: &Domain, content: &Content) -> io::Result<Vec<u8>> {
        if !self.keys.iter().any(|key| key.domain == *domain) {
            return Ok(Vec::new());
        }
        let (signer, domain, content) = (self.clone(), domain.clone(), content.clone());
        tokio::task::spawn_blocking(move || signer.sign_now(&domain, &content))
            .await
            .map_err(io::Error::other)?
    }

    /// Signs a message, reading the body once for all keys.
    fn sign_now(&self, domain: &Domain, content: &Content) -> io::Result<Vec<u8>> {
        let time = u64::try_from(Timestamp::now().unix()).unwrap_or(0);
        let section = HeaderSection::parse(content.header());
        let names = coverage::names(&section);
        let mut fields = String::new();
        for body in body_hashes(content, &[Canonicalization::Relaxed])? {
            for key in self.keys.iter().filter(|key| key.domain == *domain) {
                let identity = (domain, key.selector.as_str());
                let field = dkim::sign(&section, &body, &key.key, identity, &names, time);
                fields.push_str(&field.map_err(io::Error::other)?);
            }
        }
        Ok(fields.into_bytes())
    }
}

fn read(key: &config::DkimKey) -> Result<Key, KeyError> {
    Ok(Key { domain: key.domain.clone(), selector: key.selector.clone(), key: read_key(&key.key)? })
}

/// Reads an RSA or Ed25519 key.
fn read_key(path: &std::path::Path) -> Result<SigningKey, KeyError> {
    let text = std::fs::read(path).map_err(pem::Error::Io);
    // An editor on Windows may have put a byte order mark in front.
    let der = text
        .and_then(|text| PrivateKeyDer::from_pem_slice(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text)))
        .map_err(|source| KeyError::Read { path: path.to_owned(), source })?;
    let key = match &der {
        PrivateKeyDer::Pkcs1(der) => SigningKey::from_pkcs1(der.secret_pkcs1_der()),
        der => SigningKey::from_pkcs8(der.secret_der()),
    };
    key.map_err(|source| KeyError::Kind { path: path.to_owned(), source })
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.domain)).finish()
    }
}

#[cfg(test)]
pub(crate) mod tests;
