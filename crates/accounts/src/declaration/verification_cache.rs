use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac::Tag;

use crate::match_mac::MatchMac;
use crate::{Password, Secret};

/// A cache of the passwords that matched their hashes, so that a repeated check is free: a reload with the same
/// passwords computes no hash.
///
/// An entry is a [`MatchMac`]'s tag. Clones share the entries.
#[derive(Clone)]
pub struct VerificationCache(Arc<Inner>);

struct Inner {
    mac: MatchMac,
    verified: Mutex<HashMap<String, Tag>>,
    computed: AtomicUsize,
}

/// More than a file of users holds in its 4 MiB. When full, the cache is cleared and its entries are computed again.
const MAX_ENTRIES: usize = 1 << 17;

impl VerificationCache {
    /// True if a password matches a hash, cached or computed. Blocks for as long as the hash's scheme needs.
    pub fn verifies(&self, owner: &str, secret: &Secret, password: &Password) -> bool {
        if self.contains(owner, secret, password) {
            return true;
        }
        self.0.computed.fetch_add(1, Ordering::Relaxed);
        let is_right = secret.verifies(password);
        if is_right {
            self.remember(owner, secret, password);
        }
        is_right
    }

    /// Hashes a password and caches that it matches the hash.
    pub fn hash(&self, owner: &str, password: &Password) -> Secret {
        self.0.computed.fetch_add(1, Ordering::Relaxed);
        let secret = Secret::hash(password);
        self.remember(owner, &secret, password);
        secret
    }

    /// True if the password matched before. Compares in constant time.
    pub(super) fn contains(&self, owner: &str, secret: &Secret, password: &Password) -> bool {
        let verified = self.0.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.get(owner).is_some_and(|tag| self.0.mac.verify(tag, owner, secret, password))
    }

    /// The number of hashes computed so far.
    pub fn hashes_computed(&self) -> usize {
        self.0.computed.load(Ordering::Relaxed)
    }

    fn remember(&self, owner: &str, secret: &Secret, password: &Password) {
        let tag = self.0.mac.tag(owner, secret, password);
        let mut verified = self.0.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= MAX_ENTRIES {
            verified.clear();
        }
        verified.insert(owner.to_owned(), tag);
    }
}

impl Default for VerificationCache {
    fn default() -> Self {
        Self(Arc::new(Inner {
            mac: MatchMac::new(),
            verified: Mutex::default(),
            computed: AtomicUsize::new(0),
        }))
    }
}

/// Prints no entries: a keyed hash of a password does not belong in a log either.
impl fmt::Debug for VerificationCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerificationCache(computed {})", self.hashes_computed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verified_password_is_not_computed_again() {
        let cache = VerificationCache::default();
        let (right, wrong) = (Password::new("right").unwrap(), Password::new("wrong").unwrap());
        let secret = cache.hash("ann", &right);
        assert!(cache.verifies("ann", &secret, &right));
        assert_eq!(cache.hashes_computed(), 1);
        for _ in 0..2 {
            assert!(!cache.verifies("ann", &secret, &wrong));
        }
        assert_eq!(cache.hashes_computed(), 3);
        assert!(cache.verifies("bob", &secret, &right));
        assert_eq!(cache.hashes_computed(), 4, "a match for one user does not count for another");
        let other = Secret::hash(&right);
        assert!(!cache.contains("ann", &other, &right), "another hash needs its own check");
        assert!(
            !VerificationCache::default().contains("ann", &secret, &right),
            "another process has another key"
        );
    }
}
