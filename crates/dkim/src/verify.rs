//! The verification of a signature with the keys.

use aws_lc_rs::digest::Digest;

use crate::{BodyHash, KeyError, KeyRecord, Signature, SignatureFailure};

/// The most records of one name that are tried. A selector has one, or two while a key is replaced by hand.
const MAX_RECORDS: usize = 4;

/// The result of a verification with the key's flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The result.
    pub result: Result<(), SignatureFailure>,
    /// True if the domain is only testing its signatures: then a failure means nothing (RFC 6376 §3.6.1, `t=y`).
    pub is_testing: bool,
}

impl Signature {
    /// Checks that the whole body is the signed one.
    pub fn check_body(&self, body: &BodyHash) -> Result<(), SignatureFailure> {
        match self.body_length {
            Some(length) if length < body.length => Err(SignatureFailure::PartOfBody),
            Some(length) if length > body.length => Err(SignatureFailure::BodyHash),
            _ if self.body_hash != body.digest.as_ref() => Err(SignatureFailure::BodyHash),
            _ => Ok(()),
        }
    }

    /// Verifies the signature with the TXT records at [`Signature::key_name`]: the strings of each, joined.
    ///
    /// Of several records, which RFC 6376 §6.1.2 leaves to the verifier, the first that verifies the signature counts.
    /// If none does, the first key record gives the reason; other TXT records are ignored.
    pub fn verify<R: AsRef<[u8]>>(&self, digest: &Digest, body: &BodyHash, records: &[R]) -> Verified {
        let mut first: Option<Verified> = None;
        for record in records.iter().take(MAX_RECORDS) {
            let verified = match KeyRecord::parse(record.as_ref()) {
                Ok(key) => Verified {
                    result: key.verify(self, digest).and_then(|()| self.check_body(body)),
                    is_testing: key.is_testing(),
                },
                Err(error) => Verified { result: Err(error.into()), is_testing: false },
            };
            if verified.result.is_ok() {
                return verified;
            }
            let is_better =
                first.as_ref().is_none_or(|first| first.result == Err(KeyError::Malformed.into()));
            if is_better {
                first = Some(verified);
            }
        }
        first.unwrap_or(Verified { result: Err(KeyError::Missing.into()), is_testing: false })
    }
}

#[cfg(test)]
mod tests;
