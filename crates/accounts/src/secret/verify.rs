use argon2::password_hash::PasswordVerifier;
use sha_crypt::ShaCrypt;

use super::{Scheme, argon2id};
use crate::Password;

/// bcrypt reads no further. A longer password would be as good as its beginning, so it is refused.
const BCRYPT_LONGEST: usize = 72;

/// Every comparison behind this is constant in time.
pub(super) fn verify(scheme: Scheme, hash: &str, password: &Password) -> bool {
    let octets = password.octets();
    match scheme {
        Scheme::Argon2 { .. } => argon2id::verify(hash, password),
        Scheme::ShaCrypt => ShaCrypt::SHA512.verify_password(octets, hash).is_ok(),
        Scheme::Bcrypt => {
            // The work is done in any case, so that the answer takes as long as any other.
            let same = bcrypt::verify(octets, hash).unwrap_or(false);
            same && octets.len() <= BCRYPT_LONGEST
        }
    }
}
