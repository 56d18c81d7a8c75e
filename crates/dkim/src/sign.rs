//! Signing, with header section and body in relaxed form.

use std::fmt::Write;

use address::Domain;
use aws_lc_rs::digest::Digest;
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::{Algorithm, BodyHash, HeaderSection};

/// The columns of a line that we fold.
const LINE: usize = 76;

/// A private key.
#[derive(Debug)]
pub struct SigningKey(Pair);

#[derive(Debug)]
enum Pair {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A private key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("neither an RSA key of 2048 to 8192 bits nor an Ed25519 key ({0})")]
pub struct SigningKeyError(KeyRejected);

/// A signature could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign with the {0} key")]
pub struct SignError(&'static str);

impl SigningKey {
    /// Reads an RSA or Ed25519 key in PKCS #8 format (RFC 5958).
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, SigningKeyError> {
        match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            Ok(pair) => Ok(Self(Pair::Ed25519(pair))),
            Err(_) => RsaKeyPair::from_pkcs8(der).map(|pair| Self(Pair::Rsa(pair))).map_err(SigningKeyError),
        }
    }

    /// Reads an RSA key in PKCS #1 format (RFC 8017 §A.1.2).
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, SigningKeyError> {
        RsaKeyPair::from_der(der).map(|pair| Self(Pair::Rsa(pair))).map_err(SigningKeyError)
    }

    /// The algorithm of the key's signatures.
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Pair::Rsa(_) => Algorithm::RsaSha256,
            Pair::Ed25519(_) => Algorithm::Ed25519Sha256,
        }
    }

    fn sign(&self, digest: &Digest) -> Result<Vec<u8>, Unspecified> {
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, digest, &mut signature)?;
                Ok(signature)
            }
            // The digest is what Ed25519 signs (RFC 8463 §3).
            Pair::Ed25519(pair) => Ok(pair.try_sign(digest.as_ref())?.as_ref().to_vec()),
        }
    }
}

/// Makes a complete signature field, ended by CRLF, to be put on top of the header section.
///
/// `names` are signed in their order; listing a name once more than it has fields keeps others from adding one
/// (RFC 6376 §8.15). `body` was hashed in relaxed form, `time` is in seconds since 1970.
///
/// The value of `b=` comes last: verifiers in use (dkimpy 1.1) do not remove white space before a semicolon from the
/// hashed octets, as RFC 6376 §3.7 requires.
pub fn sign(
    section: &HeaderSection<'_>,
    body: &BodyHash,
    key: &SigningKey,
    (domain, selector): (&Domain, &str),
    names: &[&str],
    time: u64,
) -> Result<String, SignError> {
    let name = "DKIM-Signature";
    let algorithm = key.algorithm().name();
    let mut value =
        format!(" v=1; a={algorithm}; s={selector}; d={domain};\r\n\tc=relaxed/relaxed; t={time}; h=");
    fold_names(names, &mut value);
    let body_hash = BASE64_STANDARD.encode(body.digest);
    // Writing to a String cannot fail.
    let _ = write!(value, ";\r\n\tbh={body_hash};\r\n\tb=");
    let digest = section.digest_to_sign(names, (name, &value));
    let octets = key.sign(&digest).map_err(|_| SignError(algorithm))?;
    let octets = BASE64_STANDARD.encode(octets);
    let mut field = format!("{name}:{value}");
    let mut left = octets.as_str();
    let mut room = LINE - "b=".len();
    while left.len() > room {
        let (line, rest) = left.split_at(room);
        field.push_str(line);
        field.push_str("\r\n\t");
        (left, room) = (rest, LINE);
    }
    field.push_str(left);
    field.push_str("\r\n");
    Ok(field)
}

/// Writes names with colons between them, folded after a colon.
fn fold_names(names: &[&str], value: &mut String) {
    let mut column = value.rsplit('\n').next().map_or(0, str::len);
    for (number, name) in names.iter().enumerate() {
        if number > 0 {
            value.push(':');
            column += 1;
        }
        if column + name.len() > LINE {
            value.push_str("\r\n\t");
            column = 1;
        }
        value.push_str(name);
        column += name.len();
    }
}

#[cfg(test)]
mod tests;
