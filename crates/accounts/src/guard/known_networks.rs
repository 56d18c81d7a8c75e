//! The networks from which users have logged in, kept across restarts.
//!
//! Only keyed hashes are kept, in memory and on disk: the file names neither users nor addresses. Its key is in it too,
//! so a reader of the file can still try names and addresses; it is for the daemon alone.
//!
//! Pure: the time is a parameter, in seconds since 1970, and reading and writing is done elsewhere.

use std::collections::HashMap;
use std::fmt::Write;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{self, SystemRandom};

/// A user's account and a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct UserNetwork {
    /// A keyed hash of the account's name.
    pub(crate) account: u64,
    /// A keyed hash of the account's name and the network.
    pub(crate) network: u64,
}

/// The last login of each user from each network.
#[derive(Debug, Default)]
pub(super) struct KnownNetworks {
    logins: HashMap<UserNetwork, u64>,
}

/// The most networks of all users.
pub(super) const MAX_ENTRIES: usize = 4096;
/// The most networks of one user, so that no user displaces those of others. A telephone uses many.
pub(super) const MAX_OF_ONE: usize = 64;
/// After a longer absence, the next login from there is treated as from an unknown network.
pub(super) const KNOWN_FOR: u64 = 30 * DAY;
/// A login is not recorded again within this time, so that the file is not written for each.
const DAY: u64 = 24 * 3600;

const HEADING: &str = "# Networks from which users have logged in, as keyed hashes. Written by the server.\n";

impl KnownNetworks {
    pub(super) fn contains(&self, network: UserNetwork, now: u64) -> bool {
        self.logins.get(&network).is_some_and(|last| now.saturating_sub(*last) < KNOWN_FOR)
    }

    /// Records a login; returns true if that changes the file.
    pub(super) fn record(&mut self, network: UserNetwork, now: u64) -> bool {
        // The clock may have been set back.
        if self.logins.get(&network).is_some_and(|last| now.abs_diff(*last) < DAY) {
            return false;
        }
        if !self.logins.contains_key(&network) {
            self.make_room(network.account);
        }
        self.logins.insert(network, now);
        true
    }

    fn make_room(&mut self, account: u64) {
        let of_one = self.logins.keys().filter(|network| network.account == account).count();
        let candidates =
            self.logins.iter().filter(|(network, _)| of_one < MAX_OF_ONE || network.account == account);
        if of_one < MAX_OF_ONE && self.logins.len() < MAX_ENTRIES {
            return;
        }
        if let Some(oldest) = candidates.min_by_key(|(_, last)| **last).map(|(network, _)| *network) {
            self.logins.remove(&oldest);
        }
    }

    /// The file's text.
    pub(super) fn to_text(&self, key: &Key) -> String {
        let mut text = HEADING.to_owned();
        let _ = writeln!(text, "key {}", key.text());
        let mut logins: Vec<_> = self.logins.iter().collect();
        logins.sort_unstable_by_key(|(network, last)| (**last, network.account, network.network));
        for (UserNetwork { account, network }, last) in logins {
            let _ = writeln!(text, "{last} {account:016x} {network:016x}");
        }
        text
    }

    /// Parses a file's text, as far as it can be read; `None` if it has no key.
    pub(super) fn parse(text: &str, now: u64) -> Option<(Key, Self)> {
        let key = text.lines().find_map(|line| Key::parse(line.strip_prefix("key ")?))?;
        let mut known = Self::default();
        for (network, last) in text.lines().filter_map(login) {
            // A login in the future was recorded by a clock that was ahead. It must not count for longer than others.
            let last = last.min(now);
            if now - last < KNOWN_FOR {
                known.record(network, last);
            }
        }
        Some((key, known))
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.logins.len()
    }
}

fn login(line: &str) -> Option<(UserNetwork, u64)> {
    let mut words = line.split(' ');
    let last = words.next()?.parse().ok()?;
    let mut hash = || words.next().and_then(|word| u64::from_str_radix(word, 16).ok());
    let network = UserNetwork { account: hash()?, network: hash()? };
    words.next().is_none().then_some((network, last))
}

/// The key of the hashes in a file.
pub(super) struct Key([u8; 32]);

impl Key {
    pub(super) fn new() -> Self {
        let random = rand::generate(&SystemRandom::new());
        Self(random.expect("the kernel's random numbers never fail once the system runs").expose())
    }

    fn parse(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut key = [0; 32];
        for (octet, digits) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            *octet = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(key))
    }

    fn text(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, octet| {
            let _ = write!(text, "{octet:02x}");
            text
        })
    }

    pub(super) fn hmac(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_796_000_000;

    fn user_network(account: u64, network: u64) -> UserNetwork {
        UserNetwork { account, network }
    }

    #[test]
    fn a_written_file_reads_back_unchanged() {
        let (mut known, key) = (KnownNetworks::default(), Key::new());
        known.record(user_network(1, 2), NOW);
        assert!(known.record(user_network(u64::MAX, 0), NOW - 5));
        let text = known.to_text(&key);
        let (read_key, read) = KnownNetworks::parse(&text, NOW + 1).unwrap();
        assert_eq!(read.to_text(&read_key), text);
        assert!(
            read.contains(user_network(1, 2), NOW + KNOWN_FOR - 1)
                && !read.contains(user_network(1, 2), NOW + KNOWN_FOR)
        );
    }

    #[test]
    fn damaged_lines_are_skipped() {
        let mut known = KnownNetworks::default();
        known.record(user_network(1, 2), NOW);
        let text = known.to_text(&Key::new());
        for damage in ["x", "1 2", "1 2 3 4", "-1 0 0", "9 zz 1", "key 12", "\u{fffd}\0"] {
            let (_, read) = KnownNetworks::parse(&format!("{damage}\n{text}{damage}\n"), NOW).unwrap();
            assert_eq!(read.size(), 1, "{damage}");
        }
        assert!(KnownNetworks::parse("key 12\n", NOW).is_none() && KnownNetworks::parse("", NOW).is_none());
    }

    #[test]
    fn a_login_in_the_future_expires_like_any_other() {
        let mut known = KnownNetworks::default();
        known.record(user_network(1, 2), NOW + 1000 * DAY);
        let (_, read) = KnownNetworks::parse(&known.to_text(&Key::new()), NOW).unwrap();
        assert!(!read.contains(user_network(1, 2), NOW + KNOWN_FOR));
        // The same without a restart: the next login corrects it.
        known.record(user_network(1, 2), NOW);
        assert!(!known.contains(user_network(1, 2), NOW + KNOWN_FOR));
    }

    #[test]
    fn a_login_is_written_once_a_day() {
        let mut known = KnownNetworks::default();
        assert!(known.record(user_network(1, 2), NOW));
        assert!(!known.record(user_network(1, 2), NOW + DAY - 1));
        assert!(known.record(user_network(1, 2), NOW + DAY));
    }

    #[test]
    fn a_user_with_many_networks_displaces_only_its_own() {
        let mut known = KnownNetworks::default();
        known.record(user_network(1, 1), NOW - DAY);
        for network in 0..10_000 {
            known.record(user_network(2, network), NOW + network);
        }
        assert_eq!(known.size(), 1 + MAX_OF_ONE);
        assert!(known.contains(user_network(1, 1), NOW) && known.contains(user_network(2, 9_999), NOW));
        for account in 3..10_000 {
            known.record(user_network(account, 1), NOW + 10_000);
        }
        assert_eq!(known.size(), MAX_ENTRIES);
        assert!(known.to_text(&Key::new()).len() < MAX_ENTRIES * 50);
    }
}
