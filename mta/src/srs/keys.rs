//! The keys of return paths: a file in the queue's folder, replaced by a newer key every year.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serve::StopSignal;

use super::DAYS;
use crate::timestamp::Timestamp;

/// The file in the queue's folder.
const FILE: &str = "srs-keys.toml";
/// Only the MTA's user reads it.
const MODE: u32 = 0o600;
const MAX_FILE_SIZE: u64 = 64 << 10;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// A key makes return paths for this long.
const LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);
/// The newest key, and the one before: return paths outlive the day on which a key is replaced.
const KEPT: usize = 2;

const HEADER: &str = "# The keys of the return paths of forwarded mail (SRS). The MTA makes a new key every year and accepts the one\n# before. Without this file, delivery reports about mail that was forwarded earlier are refused.\n";

/// The reason why there are no keys.
#[derive(Debug, thiserror::Error)]
#[error("{problem}; {fix}")]
pub(crate) struct KeysError {
    pub(crate) problem: String,
    pub(crate) fix: &'static str,
}

impl KeysError {
    fn read(path: &Path, wrong: impl Display) -> Self {
        Self {
            problem: format!(
                "the keys of the return paths of forwarded mail cannot be read: {}: {wrong}",
                path.display()
            ),
            fix: "repair the file, or remove it to get new keys, and restart",
        }
    }

    fn new(wrong: impl Display) -> Self {
        Self {
            problem: format!("no key for the return paths of forwarded mail can be made: {wrong}"),
            fix: "see whether the volume is full or read-only, and restart",
        }
    }
}

/// The keys, newest first; never empty.
pub(crate) struct Keys {
    path: PathBuf,
    keys: ArcSwap<Vec<Key>>,
}

#[derive(Clone)]
struct Key {
    written: WrittenKey,
    hmac: hmac::Key,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKeys {
    key: Vec<WrittenKey>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKey {
    made: Timestamp,
    /// 32 octets in base64.
    secret: String,
}

impl Keys {
    /// Reads the keys in the queue's folder, and makes one if the file is missing or its newest is a year old. Blocks.
    pub(crate) fn open(queue: &Path) -> Result<Self, KeysError> {
        let path = queue.join(FILE);
        let mut keys = read(&path)?;
        if renew(&mut keys, Timestamp::now())? {
            write(&path, &keys)?;
        }
        Ok(Self { path, keys: ArcSwap::from_pointee(keys) })
    }

    /// The key for new return paths.
    pub(super) fn newest(&self) -> hmac::Key {
        self.keys.load()[0].hmac.clone()
    }

    /// Succeeds if the condition holds for one of the keys.
    pub(super) fn find(&self, condition: impl Fn(&hmac::Key) -> bool) -> Option<()> {
        self.keys.load().iter().any(|key| condition(&key.hmac)).then_some(())
    }

    /// Today's number in return paths.
    pub(super) fn today(&self) -> u16 {
        let days = Timestamp::now().unix() / 86_400;
        u16::try_from(days.rem_euclid(i64::from(DAYS))).unwrap_or_default()
    }

    /// Replaces the key when it is a year old: looks once a day.
    pub(crate) async fn renew_yearly(self: Arc<Self>, mut stop: StopSignal) {
        loop {
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(DAY) => {}
            }
            let keys = self.clone();
            let renewed = tokio::task::spawn_blocking(move || keys.renew(Timestamp::now())).await;
            if let Ok(Err(error)) = renewed {
                tracing::warn!(%error, "cannot replace the key of return paths, keeping the current one");
            }
        }
    }

    /// Replaces the newest key if it is a year old. A key that is not on disk does not make return paths. Blocks.
    fn renew(&self, now: Timestamp) -> Result<(), KeysError> {
        let mut keys = Vec::clone(&self.keys.load());
        if renew(&mut keys, now)? {
            write(&self.path, &keys)?;
            self.keys.store(Arc::new(keys));
        }
        Ok(())
    }
}

/// Adds a key if the newest is missing or too old; true if it did.
fn renew(keys: &mut Vec<Key>, now: Timestamp) -> Result<bool, KeysError> {
    if keys.first().is_some_and(|newest| now.since(newest.written.made) < LIFETIME) {
        return Ok(false);
    }
    let mut secret = [0; 32];
    aws_lc_rs::rand::fill(&mut secret).map_err(|_| KeysError::new("the system has no random numbers"))?;
    let written = WrittenKey { made: now, secret: STANDARD.encode(secret) };
    keys.insert(0, Key { written, hmac: hmac::Key::new(hmac::HMAC_SHA256, &secret) });
    keys.truncate(KEPT);
    Ok(true)
}

/// The keys of the file; none if there is no file.
fn read(path: &Path) -> Result<Vec<Key>, KeysError> {
    let text = match durable::read_text_limited(path, MAX_FILE_SIZE) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(KeysError::read(path, error)),
    };
    let file: WrittenKeys = toml::from_str(&text).map_err(|error| KeysError::read(path, error.message()))?;
    let keys = file.key.into_iter().map(|written| match STANDARD.decode(&written.secret) {
        Ok(secret) if secret.len() == 32 => {
            Ok(Key { hmac: hmac::Key::new(hmac::HMAC_SHA256, &secret), written })
        }
        _ => Err(KeysError::read(path, "a secret is not 32 octets in base64")),
    });
    keys.collect()
}

fn write(path: &Path, keys: &[Key]) -> Result<(), KeysError> {
    let file = WrittenKeys { key: keys.iter().map(|key| key.written.clone()).collect() };
    let text = toml::to_string(&file).unwrap_or_default();
    durable::write_whole(path, format!("{HEADER}\n{text}").as_bytes(), MODE).map_err(KeysError::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::new(std::time::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn a_key_is_kept_over_restarts_and_replaced_after_a_year() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        let first = keys.keys.load()[0].written.clone();
        let again = Keys::open(folder.path()).unwrap();
        assert_eq!(again.keys.load().len(), 1);
        assert_eq!(again.keys.load()[0].written.secret, first.secret);
        let after = |years| first.made.after(LIFETIME * years);
        again.renew(after(1)).unwrap();
        again.renew(after(1)).unwrap();
        let secrets: Vec<String> = again.keys.load().iter().map(|key| key.written.secret.clone()).collect();
        assert_eq!(secrets.len(), 2);
        assert_eq!(secrets[1], first.secret);
        again.renew(after(2)).unwrap();
        let keys = read(&folder.path().join(FILE)).unwrap();
        assert_eq!((keys.len(), keys[1].written.secret.as_str()), (KEPT, secrets[0].as_str()));
    }

    #[test]
    fn a_clock_that_was_set_back_replaces_no_key() {
        let mut keys = Vec::new();
        assert!(renew(&mut keys, at(2_000_000_000)).unwrap());
        assert!(!renew(&mut keys, at(0)).unwrap());
    }

    #[test]
    fn a_damaged_file_is_an_error_with_its_path_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        for text in ["nonsense", "[[key]]\nmade = \"2026-01-01T00:00:00Z\"\nsecret = \"AAAA\"\n", "key = 1\n"]
        {
            std::fs::write(&path, text).unwrap();
            let error = Keys::open(folder.path()).err().unwrap().to_string();
            assert!(error.contains("srs-keys.toml") && error.contains("remove it"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
