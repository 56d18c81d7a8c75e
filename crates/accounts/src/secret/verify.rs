use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use sha_crypt::ShaCrypt;

use super::Scheme;
use crate::Password;

/// bcrypt reads no further. A longer password would be as good as its beginning, so it is refused.
const BCRYPT_LONGEST: usize = 72;

/// Every comparison behind this is constant in time, in the libraries.
pub(super) fn verify(scheme: Scheme, hash: &str, password: &Password) -> bool {
    let octets = password.octets();
    match scheme {
        Scheme::Argon2 { .. } => {
            PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(octets, &hash).is_ok())
        }
        Scheme::ShaCrypt => ShaCrypt::SHA512.verify_password(octets, hash).is_ok(),
        Scheme::Bcrypt => {
            // The work is done in any case, so that the answer takes as long as any other.
            let same = bcrypt::verify(octets, hash).unwrap_or(false);
            same && octets.len() <= BCRYPT_LONGEST
        }
    }
}

/// Argon2id with 19 MiB, two passes, one lane: what OWASP names as the least, and what a small host can bear
/// for several logins at once.
pub(super) fn argon2id(password: &Password) -> String {
    let params = Params::new(19 * 1024, 2, 1, None).expect("constants within the library's limits");
    let mut salt = [0u8; 16];
    aws_lc_rs::rand::fill(&mut salt).expect("the kernel's random numbers never fail once the system runs");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.octets(), &salt)
        .expect("a password of at most 1,024 octets and a salt of 16 can be hashed")
        .to_string()
}
