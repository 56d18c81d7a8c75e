use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac::Tag;

use crate::match_mac::MatchMac;
use crate::{AppName, Password, Secret, User};

/// A cache of recent successful logins, so that their passwords need not be hashed again.
///
/// An entry is the tag of a [`MatchMac`]. The tag covers the secret, so an entry is useless once the password has
/// changed.
pub(crate) struct RecentLogins {
    mac: MatchMac,
    accepted: Mutex<HashMap<(User, Option<String>), Accepted>>,
}

/// The owner of a password: a user, or one of a user's app passwords.
pub(crate) type Owner<'a> = (&'a User, Option<&'a AppName>);

struct Accepted {
    tag: Tag,
    until: Instant,
}

/// The lifetime of an entry: long enough for all connections that a mail client opens when it starts, and no longer
/// than they need.
const LIFETIME: Duration = Duration::from_secs(120);
/// More entries than a small host has concurrent users. When the cache is full, expired entries are removed; if
/// none has expired, new logins are not cached.
const MAX_ENTRIES: usize = 1024;

impl RecentLogins {
    pub(crate) fn new() -> Self {
        Self { mac: MatchMac::new(), accepted: Mutex::new(HashMap::new()) }
    }

    /// True if this password was recently accepted for this owner and secret. Compares in constant time.
    pub(crate) fn accepts(
        &self,
        owner: Owner<'_>,
        secret: &Secret,
        password: &Password,
        now: Instant,
    ) -> bool {
        let accepted = self.accepted.lock().expect("no code panics while it holds this lock");
        accepted.get(&key(owner)).is_some_and(|kept| {
            now < kept.until && self.mac.verify(&kept.tag, &owner.0.to_string(), secret, password)
        })
    }

    /// Caches an accepted login.
    pub(crate) fn remember(&self, owner: Owner<'_>, secret: &Secret, password: &Password, now: Instant) {
        let tag = self.mac.tag(&owner.0.to_string(), secret, password);
        let mut accepted = self.accepted.lock().expect("no code panics while it holds this lock");
        if accepted.len() >= MAX_ENTRIES {
            accepted.retain(|_, kept| now < kept.until);
        }
        let key = key(owner);
        if accepted.len() < MAX_ENTRIES || accepted.contains_key(&key) {
            accepted.insert(key, Accepted { tag, until: now + LIFETIME });
        }
    }

    /// A number below `among` that is always the same for the same name, and unpredictable outside the process.
    pub(crate) fn index_of_name(&self, name: &str, among: usize) -> Option<usize> {
        let tag = self.mac.tag_of_name(name);
        let number = tag.as_ref().iter().take(4).fold(0usize, |sum, octet| sum << 8 | usize::from(*octet));
        number.checked_rem(among)
    }
}

fn key((user, device): Owner<'_>) -> (User, Option<String>) {
    (user.clone(), device.map(|name| name.as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> User {
        User::new(&address::Address::parse(text).unwrap()).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::new(text).unwrap()
    }

    #[test]
    fn an_accepted_login_is_accepted_again_until_it_expires() {
        let recent = RecentLogins::new();
        let (ann, bob) = (user("ann@example.org"), user("bob@example.org"));
        let (old, new) = (Secret::hash(&password("a")), Secret::hash(&password("a")));
        let now = Instant::now();
        recent.remember((&ann, None), &old, &password("a"), now);
        assert!(recent.accepts((&ann, None), &old, &password("a"), now));
        assert!(!recent.accepts((&ann, None), &old, &password("b"), now));
        assert!(!recent.accepts((&bob, None), &old, &password("a"), now));
        let telephone = AppName::parse("telephone").unwrap();
        assert!(!recent.accepts((&ann, Some(&telephone)), &old, &password("a"), now));
        assert!(
            !recent.accepts((&ann, None), &new, &password("a"), now),
            "a changed secret needs a new check"
        );
        assert!(!recent.accepts((&ann, None), &old, &password("a"), now + LIFETIME));
    }

    #[test]
    fn the_cache_is_bounded_and_drops_expired_entries() {
        let recent = RecentLogins::new();
        let secret = Secret::hash(&password("a"));
        let now = Instant::now();
        for number in 0..MAX_ENTRIES + 10 {
            recent.remember((&user(&format!("u{number}@example.org")), None), &secret, &password("a"), now);
        }
        assert_eq!(recent.accepted.lock().unwrap().len(), MAX_ENTRIES);
        recent.remember((&user("late@example.org"), None), &secret, &password("a"), now + LIFETIME);
        assert_eq!(recent.accepted.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_name_always_picks_the_same_index() {
        let recent = RecentLogins::new();
        assert_eq!(recent.index_of_name("who", 7), recent.index_of_name("who", 7));
        assert_eq!(recent.index_of_name("who", 0), None);
    }
}
