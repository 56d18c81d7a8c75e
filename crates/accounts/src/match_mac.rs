use aws_lc_rs::hmac::{self, Tag};
use zeroize::Zeroizing;

use crate::{Password, Secret};

/// Computes keyed hashes over the owner of a password, the hash that it matches, and the password: the tag shows that
/// exactly this matched before.
///
/// The key is random, known to this process alone and never written, and is lost with the process: an attacker who has
/// the accounts file can try passwords only at the cost of their hashes.
pub(crate) struct MatchMac(hmac::Key);

impl MatchMac {
    /// A MAC with a new key.
    pub(crate) fn new() -> Self {
        let random = aws_lc_rs::rand::SystemRandom::new();
        Self(
            hmac::Key::generate(hmac::HMAC_SHA256, &random)
                .expect("the kernel's random numbers never fail once the system runs"),
        )
    }

    /// The tag of a match.
    pub(crate) fn tag(&self, owner: &str, secret: &Secret, password: &Password) -> Tag {
        hmac::sign(&self.0, &message(owner, secret, password))
    }

    /// True if the tag belongs to exactly this match. Compares in constant time.
    pub(crate) fn verify(&self, tag: &Tag, owner: &str, secret: &Secret, password: &Password) -> bool {
        hmac::verify(&self.0, &message(owner, secret, password), tag.as_ref()).is_ok()
    }

    /// The tag of a name alone, unpredictable outside the process.
    pub(crate) fn tag_of_name(&self, name: &str) -> Tag {
        hmac::sign(&self.0, name.as_bytes())
    }
}

/// The input, whose fields cannot run into each other: neither a name nor a hash contains a NUL.
fn message(owner: &str, secret: &Secret, password: &Password) -> Zeroizing<Vec<u8>> {
    let mut message = Zeroizing::new(Vec::with_capacity(512 + Password::MAX_LEN));
    message.extend_from_slice(owner.as_bytes());
    message.push(0);
    message.extend_from_slice(secret.as_str().as_bytes());
    message.push(0);
    message.extend_from_slice(password.octets());
    message
}
