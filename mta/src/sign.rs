//! DKIM signatures (RFC 6376) on what leaves in our name.
//!
//! Each key of the author's domain makes one: an RSA key for everybody, an Ed25519 key (RFC 8463) for those who can.
//! Header section and body are signed in their relaxed form, so that no honest relay breaks it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use address::Domain;
use handover::config;
use mail_auth::common::crypto::{DkimKey, Ed25519Key, RsaKey, Sha256, SigningKey};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{DkimSigner, DkimSigningStream, Done, Signature};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

use crate::content::Content;

/// What is signed: all that a reader sees or a client acts on (RFC 6376 §5.4.1). A field that is not there is signed
/// as missing, so that nobody adds it. `From` and `Subject` stand twice: a second one breaks the signature too, and
/// with it the trick of showing another author than the one who signed (RFC 6376 §8.15).
const FIELDS: [&str; 20] = [
    "From",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Auto-Submitted",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// All keys that sign.
#[derive(Clone, Default)]
pub struct Signer {
    keys: Arc<Vec<Key>>,
}

/// A key with all that it needs for signing.
struct Key {
    domain: Domain,
    signer: DkimSigner<DkimKey, Done>,
}

/// Why a key cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is not there, or no private key in PEM.
    #[error("cannot read the signing key {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls_pki_types::pem::Error,
    },
    /// The key is neither RSA nor Ed25519.
    #[error("the signing key {} is neither an RSA nor an Ed25519 key: {source}", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// What the library said of it.
        source: mail_auth::Error,
    },
}

impl Signer {
    /// Reads the keys.
    pub fn load(keys: &[config::DkimKey]) -> Result<Self, KeyError> {
        let keys = keys.iter().map(read).collect::<Result<_, KeyError>>()?;
        Ok(Self { keys: Arc::new(keys) })
    }

    /// Reads the keys that can be read, and logs what is wrong with the others: mail that is not signed is better than
    /// none.
    pub fn load_usable(keys: &[config::DkimKey]) -> Self {
        let usable = keys.iter().filter_map(|key| {
            read(key).inspect_err(|error| tracing::error!(%error, "mail goes unsigned")).ok()
        });
        Self { keys: Arc::new(usable.collect()) }
    }

    /// The signatures of all keys of `domain` over a message: whole fields to put on top, none when there is no key.
    ///
    /// What changes the message afterwards breaks them, but for fields put on top that are not signed.
    pub async fn sign(&self, domain: &Domain, content: &Content) -> io::Result<Vec<u8>> {
        if !self.keys.iter().any(|key| key.domain == *domain) {
            return Ok(Vec::new());
        }
        let (signer, domain, content) = (self.clone(), domain.clone(), content.clone());
        tokio::task::spawn_blocking(move || signer.sign_now(&domain, &content))
            .await
            .map_err(io::Error::other)?
    }

    fn sign_now(&self, domain: &Domain, content: &Content) -> io::Result<Vec<u8>> {
        let keys = self.keys.iter().filter(|key| key.domain == *domain);
        let mut streams = Streams(keys.map(|key| key.signer.sign_streaming()).collect());
        content.copy_to(&mut streams)?;
        let mut fields = Vec::new();
        for stream in streams.0 {
            write_field(&stream.finish().map_err(io::Error::other)?, &mut fields);
        }
        Ok(fields)
    }
}

/// Writes a signature as a field.
///
/// Its last value, the signature itself, is folded anew: the library may put a line break between it and the
/// semicolon, which RFC 6376 §3.7 allows and verifiers in use (dkimpy 1.1) do not take out of what they hash.
fn write_field(signature: &Signature, fields: &mut Vec<u8>) {
    const LINE: usize = 72;
    const TAG: &[u8] = b"; b=";
    let mut field = Vec::new();
    signature.write_header(&mut field);
    let value = memchr::memmem::rfind(&field, TAG).map_or(field.len(), |at| at + TAG.len());
    let mut octets = field.split_off(value);
    octets.retain(|octet| !octet.is_ascii_whitespace() && *octet != b';');
    fields.append(&mut field);
    for line in octets.chunks(LINE) {
        fields.extend_from_slice(b"\r\n\t");
        fields.extend_from_slice(line);
    }
    fields.extend_from_slice(b";\r\n");
}

fn read(key: &config::DkimKey) -> Result<Key, KeyError> {
    let signer = DkimSigner::from_key(read_key(&key.key)?)
        .domain(key.domain.as_str())
        .selector(&key.selector)
        .headers(FIELDS);
    Ok(Key { domain: key.domain.clone(), signer })
}

/// Reads an RSA or Ed25519 key, whichever it is.
fn read_key(path: &std::path::Path) -> Result<DkimKey, KeyError> {
    let der = PrivateKeyDer::from_pem_file(path)
        .map_err(|source| KeyError::Read { path: path.to_owned(), source })?;
    let ed25519 = match &der {
        PrivateKeyDer::Pkcs8(der) => Ed25519Key::from_pkcs8_maybe_unchecked_der(der.secret_pkcs8_der()).ok(),
        _ => None,
    };
    match ed25519 {
        Some(key) => Ok(key.into()),
        None => RsaKey::<Sha256>::from_key_der(der)
            .map(Into::into)
            .map_err(|source| KeyError::Kind { path: path.to_owned(), source }),
    }
}

/// One pass over the message for all signatures.
struct Streams<'a, K: SigningKey>(Vec<DkimSigningStream<'a, K>>);

impl<K: SigningKey> Write for Streams<'_, K> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.iter_mut().for_each(|stream| stream.write(octets));
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.domain)).finish()
    }
}

#[cfg(test)]
pub(crate) mod tests;
