use argon2::password_hash::PasswordVerifier;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256, SHA512};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha_crypt::ShaCrypt;

use super::scheme::Salted;
use super::{Scheme, argon2id};
use crate::Password;

/// The number of octets that bcrypt reads; it ignores the rest. A longer password is refused, since its beginning alone
/// would match as well.
const BCRYPT_MAX_OCTETS: usize = 72;

/// Verifies a password. Every comparison in this module is constant in time.
pub(super) fn verify(scheme: Scheme, hash: &str, password: &Password) -> bool {
    let octets = password.octets();
    match scheme {
        Scheme::Argon2 { .. } => argon2id::verify(hash, password),
        Scheme::ShaCrypt => ShaCrypt::SHA512.verify_password(octets, hash).is_ok(),
        Scheme::Bcrypt => {
            // The hash is computed for a long password too, so that the refusal takes as long as any other.
            let matches = bcrypt::verify(octets, hash).unwrap_or(false);
            matches && octets.len() <= BCRYPT_MAX_OCTETS
        }
        Scheme::Salted(salted) => verify_salted(salted, hash, octets).unwrap_or(false),
    }
}

/// Compares with the hash of the password followed by the salt.
fn verify_salted(salted: Salted, hash: &str, password: &[u8]) -> Option<bool> {
    let (_, base64) = hash.split_once('}')?;
    let octets = STANDARD.decode(base64).ok()?;
    let (expected, salt) = octets.split_at_checked(salted.length())?;
    let mut context = Context::new(match salted {
        Salted::Sha256 => &SHA256,
        Salted::Sha512 => &SHA512,
    });
    context.update(password);
    context.update(salt);
    Some(verify_slices_are_equal(context.finish().as_ref(), expected).is_ok())
}
