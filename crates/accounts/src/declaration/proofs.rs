use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::{Password, Secret};

/// Which passwords were found right for which hashes, so that finding it again costs nothing: a reload with the passwords
/// of before computes no hash.
///
/// What is kept is a keyed hash over name, hash and password. The key is random, known to this process alone and never
/// written, and it dies with the process: whoever has the file of accounts can try passwords at the price of
/// Argon2id only. Clones share what they know.
#[derive(Clone)]
pub struct Proofs(Arc<Inner>);

struct Inner {
    key: hmac::Key,
    right: Mutex<HashMap<String, hmac::Tag>>,
    computed: AtomicUsize,
}

/// More than a file of users holds in its 4 MiB. When full, all is forgotten and found out anew.
const MOST: usize = 1 << 17;

impl Proofs {
    /// Whether a password is right for a hash: known from before, or computed. Blocks for as long as the hash's scheme
    /// wants.
    pub fn verifies(&self, whose: &str, secret: &Secret, password: &Password) -> bool {
        if self.knows(whose, secret, password) {
            return true;
        }
        self.0.computed.fetch_add(1, Ordering::Relaxed);
        let is_right = secret.verifies(password);
        if is_right {
            self.remember(whose, secret, password);
        }
        is_right
    }

    /// Hashes a password, which is right for that hash from now on.
    pub fn hash(&self, whose: &str, password: &Password) -> Secret {
        self.0.computed.fetch_add(1, Ordering::Relaxed);
        let secret = Secret::hash(password);
        self.remember(whose, &secret, password);
        secret
    }

    /// Whether it was found right before. Compares in constant time.
    pub(super) fn knows(&self, whose: &str, secret: &Secret, password: &Password) -> bool {
        let right = self.0.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.get(whose).is_some_and(|tag| {
            hmac::verify(&self.0.key, &message(whose, secret, password), tag.as_ref()).is_ok()
        })
    }

    /// How many hashes were computed so far.
    pub fn computed(&self) -> usize {
        self.0.computed.load(Ordering::Relaxed)
    }

    fn remember(&self, whose: &str, secret: &Secret, password: &Password) {
        let tag = hmac::sign(&self.0.key, &message(whose, secret, password));
        let mut right = self.0.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= MOST {
            right.clear();
        }
        right.insert(whose.to_owned(), tag);
    }
}

impl Default for Proofs {
    fn default() -> Self {
        let random = aws_lc_rs::rand::SystemRandom::new();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random)
            .expect("the kernel's random numbers never fail once the system runs");
        Self(Arc::new(Inner { key, right: Mutex::default(), computed: AtomicUsize::new(0) }))
    }
}

/// Nothing of what is known: a keyed hash of a password does not belong into a log either.
impl fmt::Debug for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proofs(computed {})", self.computed())
    }
}

/// Fields that cannot run into each other: neither a name nor a hash contains a NUL.
fn message(whose: &str, secret: &Secret, password: &Password) -> Zeroizing<Vec<u8>> {
    let mut message = Zeroizing::new(Vec::with_capacity(512 + Password::LONGEST));
    message.extend_from_slice(whose.as_bytes());
    message.push(0);
    message.extend_from_slice(secret.as_str().as_bytes());
    message.push(0);
    message.extend_from_slice(password.octets());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_right_is_not_computed_again_and_all_else_is() {
        let proofs = Proofs::default();
        let (right, wrong) = (Password::new("right").unwrap(), Password::new("wrong").unwrap());
        let secret = proofs.hash("ann", &right);
        assert!(proofs.verifies("ann", &secret, &right));
        assert_eq!(proofs.computed(), 1);
        for _ in 0..2 {
            assert!(!proofs.verifies("ann", &secret, &wrong));
        }
        assert_eq!(proofs.computed(), 3);
        assert!(proofs.verifies("bob", &secret, &right));
        assert_eq!(proofs.computed(), 4, "what is right for one says nothing of another");
        let other = Secret::hash(&right);
        assert!(!proofs.knows("ann", &other, &right), "another hash needs a check of its own");
        assert!(!Proofs::default().knows("ann", &secret, &right), "another process has another key");
    }
}
