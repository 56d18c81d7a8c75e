//! A published key (RFC 6376 §3.6.1, RFC 8463 §4).

use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::{
    ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RsaParameters, UnparsedPublicKey,
};

use crate::decode::{base64, items};
use crate::tags::TagList;
use crate::{Algorithm, Signature, SignatureFailure};

/// The shortest RSA key that is accepted (RFC 8301 §3.2), in bits.
const MIN_RSA: u32 = 1024;

/// An Ed25519 key in octets (RFC 8032 §5.1.5).
const ED25519_LENGTH: usize = 32;

/// A key record.
#[derive(Clone, Debug)]
pub struct KeyRecord {
    key: PublicKey,
    /// `h=` allows SHA-256, the only hash that we verify.
    allows_sha256: bool,
    /// `s=` allows mail.
    allows_mail: bool,
    is_testing: bool,
    is_strict: bool,
}

#[derive(Clone, Debug)]
enum PublicKey {
    /// `RSAPublicKey` (RFC 8017 §A.1.1), and its length in bits.
    Rsa(Vec<u8>, u32),
    Ed25519(Vec<u8>),
}

/// The reason why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no TXT record.
    #[error("no key for the signature")]
    Missing,
    /// The record is not a key record, or the key in it cannot be read.
    #[error("malformed key record")]
    Malformed,
    /// `p=` is empty.
    #[error("key revoked")]
    Revoked,
    /// `k=` names an unknown key type.
    #[error("unknown key type")]
    UnknownType,
    /// The signature was made with another type of key.
    #[error("the key type does not match the signature")]
    OtherType,
    /// `h=` does not list the hash that the signature uses.
    #[error("the key does not allow this hash algorithm")]
    Hash,
    /// `s=` does not list mail.
    #[error("the key is not for mail")]
    Service,
    /// An RSA key of less than 1024 bits (RFC 8301 §3.2).
    #[error("RSA key of less than 1024 bits (RFC 8301)")]
    Weak,
}

impl KeyRecord {
    /// Reads a record: the strings of one TXT record, joined without anything between them (RFC 6376 §3.6.2.2).
    pub fn parse(record: &[u8]) -> Result<Self, KeyError> {
        let tags = TagList::parse(record).map_err(|_| KeyError::Malformed)?;
        if tags.value("v").is_some_and(|version| version != b"DKIM1") {
            return Err(KeyError::Malformed);
        }
        let octets = base64(tags.value("p").ok_or(KeyError::Malformed)?).ok_or(KeyError::Malformed)?;
        if octets.is_empty() {
            return Err(KeyError::Revoked);
        }
        let key = match tags.value("k") {
            None => PublicKey::rsa(&octets)?,
            Some(kind) if kind.eq_ignore_ascii_case(b"rsa") => PublicKey::rsa(&octets)?,
            Some(kind) if kind.eq_ignore_ascii_case(b"ed25519") => PublicKey::ed25519(octets)?,
            Some(_) => return Err(KeyError::UnknownType),
        };
        let lists = |name: &str, wanted: &[&[u8]]| {
            tags.value(name).map(|list| {
                items(list).any(|item| wanted.iter().any(|wanted| item.eq_ignore_ascii_case(wanted)))
            })
        };
        Ok(Self {
            key,
            allows_sha256: lists("h", &[b"sha256"]).unwrap_or(true),
            allows_mail: lists("s", &[b"*", b"email"]).unwrap_or(true),
            is_testing: lists("t", &[b"y"]).unwrap_or(false),
            is_strict: lists("t", &[b"s"]).unwrap_or(false),
        })
    }

    /// True if the domain is only testing its signatures (`t=y`).
    pub fn is_testing(&self) -> bool {
        self.is_testing
    }

    /// Verifies a signature over a digest of header fields.
    pub(crate) fn verify(&self, signature: &Signature, digest: &Digest) -> Result<(), SignatureFailure> {
        if !self.allows_sha256 {
            return Err(KeyError::Hash.into());
        }
        if !self.allows_mail {
            return Err(KeyError::Service.into());
        }
        if self.is_strict && !signature.has_exact_identity() {
            return Err(SignatureFailure::IdentityInSubdomain);
        }
        let verified = match (&self.key, signature.algorithm()) {
            (PublicKey::Rsa(_, bits), Algorithm::RsaSha256) if *bits < MIN_RSA => {
                return Err(KeyError::Weak.into());
            }
            (PublicKey::Rsa(key, _), Algorithm::RsaSha256) => {
                UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key)
                    .verify_digest(digest, signature.octets())
            }
            // The digest is what Ed25519 signs (RFC 8463 §3).
            (PublicKey::Ed25519(key), Algorithm::Ed25519Sha256) => {
                UnparsedPublicKey::new(&ED25519, key).verify(digest.as_ref(), signature.octets())
            }
            _ => return Err(KeyError::OtherType.into()),
        };
        verified.map_err(|_| SignatureFailure::Signature)
    }
}

impl PublicKey {
    /// Reads an RSA key. RFC 6376 §3.6.1 names `RSAPublicKey`; published keys, and its own examples, are
    /// `SubjectPublicKeyInfo`.
    fn rsa(octets: &[u8]) -> Result<Self, KeyError> {
        let key = subject_public_key(octets).unwrap_or(octets);
        let bits = RsaParameters::public_modulus_len(key).map_err(|_| KeyError::Malformed)?;
        Ok(Self::Rsa(key.to_vec(), bits))
    }

    fn ed25519(octets: Vec<u8>) -> Result<Self, KeyError> {
        if octets.len() == ED25519_LENGTH { Ok(Self::Ed25519(octets)) } else { Err(KeyError::Malformed) }
    }
}

/// The key in a `SubjectPublicKeyInfo` (RFC 5280 §4.1): after a sequence that names the algorithm, a bit string.
fn subject_public_key(der: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const BIT_STRING: u8 = 0x03;
    let (info, _) = element(der, SEQUENCE)?;
    let (_, rest) = element(info, SEQUENCE)?;
    let (bits, _) = element(rest, BIT_STRING)?;
    bits.strip_prefix(&[0])
}

/// The content of a DER element with this tag, and the octets after it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[tag])?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 | 0x82 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests;
