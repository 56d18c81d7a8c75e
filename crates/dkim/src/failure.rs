//! The failures of readable signatures.

use crate::key::KeyError;

/// The reason why a signature does not pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFailure {
    /// A From field is not among the signed ones (RFC 6376 §6.1.1, §8.15).
    #[error("a From field is not signed")]
    FromNotSigned,
    /// The identity in `i=` is not in the domain that signed (RFC 6376 §6.1.1).
    #[error("the identity is not in the signing domain")]
    IdentityOutsideDomain,
    /// The identity in `i=` is in a subdomain, which the key forbids with `t=s` (RFC 6376 §3.6.1).
    #[error("the key does not allow identities in subdomains")]
    IdentityInSubdomain,
    /// `rsa-sha1` (RFC 8301 §3.1).
    #[error("rsa-sha1 must not be used (RFC 8301)")]
    RetiredAlgorithm,
    /// The time in `x=` is past.
    #[error("signature expired")]
    Expired,
    /// The body differs from the signed one.
    #[error("body hash did not verify")]
    BodyHash,
    /// `l=` leaves out the end of the body, where anything could have been added (RFC 6376 §8.2).
    #[error("only the beginning of the body is signed")]
    PartOfBody,
    /// The fields differ from the signed ones, or were signed with another key.
    #[error("signature did not verify")]
    Signature,
    /// The key may not be used for this signature.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The results of RFC 8601 §2.7.1 that a failure may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The signature proves nothing about the message.
    Neutral,
    /// The signature does not hold.
    Fail,
    /// The signature cannot be verified, now or later.
    PermError,
}

impl SignatureFailure {
    /// The result to record.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::PartOfBody => FailureKind::Neutral,
            Self::RetiredAlgorithm | Self::Expired | Self::BodyHash | Self::Signature => FailureKind::Fail,
            Self::FromNotSigned | Self::IdentityOutsideDomain | Self::IdentityInSubdomain | Self::Key(_) => {
                FailureKind::PermError
            }
        }
    }
}
