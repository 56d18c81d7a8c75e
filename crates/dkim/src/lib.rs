//! DKIM signatures (RFC 6376, RFC 8301, RFC 8463) as values: no socket, no clock, no disk.
//!
//! To verify: [`HeaderSection::parse`] the header section, read each of its [`HeaderSection::signatures`], call
//! [`Signature::early_failure`] for failures that do not depend on a key, feed the body to a [`BodyHasher`] with the
//! canonicalization that [`Signature::body_canonicalization`] names, fetch the TXT records at [`Signature::key_name`],
//! and call [`Signature::verify`].
//!
//! To sign: hash the body with relaxed canonicalization and call [`sign()`].
//!
//! A message is never held as a whole: header digests use the fields one by one, and body octets arrive in pieces of
//! any size. Every operation is linear in the octets that it reads. A signature that covers only the beginning of the
//! body (`l=`) never passes, and neither does one that leaves a From field uncovered.

mod body;
mod decode;
mod failure;
mod header;
mod key;
mod sign;
mod signature;
mod tags;
mod verify;

pub use body::{BodyHash, BodyHasher};
pub use failure::{FailureKind, SignatureFailure};
pub use header::{HeaderSection, SignatureField};
pub use key::{KeyError, KeyRecord};
pub use sign::{SignError, SigningKey, SigningKeyError, sign};
pub use signature::{Signature, SignatureError};
pub use verify::Verified;

/// A canonicalization algorithm (RFC 6376 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Canonicalization {
    /// Octets as they are, without the empty lines at the end of the body.
    Simple,
    /// White space compressed and names in lower case.
    Relaxed,
}

/// A signature algorithm: a key type and a hash (RFC 6376 §3.3, RFC 8463 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `rsa-sha256`
    RsaSha256,
    /// `ed25519-sha256`
    Ed25519Sha256,
    /// `rsa-sha1`, which never verifies (RFC 8301 §3.1).
    RsaSha1,
}

impl Algorithm {
    /// The name in `a=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
            Self::RsaSha1 => "rsa-sha1",
        }
    }

    fn from_name(name: &[u8]) -> Option<Self> {
        [Self::RsaSha256, Self::Ed25519Sha256, Self::RsaSha1]
            .into_iter()
            .find(|algorithm| name.eq_ignore_ascii_case(algorithm.name().as_bytes()))
    }
}
