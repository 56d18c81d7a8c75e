//! The file of known networks: read at the start, written now and then.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;

use super::known::{Home, Key, Known};
use super::{party, tag};
use crate::small_file;

/// What is known, and where it is kept.
pub(super) struct Memory(Mutex<Kept>);

struct Kept {
    known: Known,
    key: Key,
    hmac: hmac::Key,
    path: Option<PathBuf>,
    /// Whether the last write failed, which is logged once.
    is_failing: bool,
}

impl Memory {
    /// One that lasts as long as the process.
    pub(super) fn new() -> Self {
        let key = Key::new();
        let hmac = key.hmac();
        Self(Mutex::new(Kept { known: Known::default(), key, hmac, path: None, is_failing: false }))
    }

    /// Keeps it in this file from now on, and takes in what is there.
    pub(super) fn keep_in(&self, path: &Path) {
        let text = small_file::read(path).unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "cannot read the networks of past logins");
            String::new()
        });
        let mut kept = self.kept();
        kept.path = Some(path.to_owned());
        if let Some((key, known)) = Known::parse(&text, now()) {
            (kept.hmac, kept.key, kept.known) = (key.hmac(), key, known);
        }
    }

    pub(super) fn home(&self, name: &str, peer: IpAddr) -> Home {
        let kept = self.kept();
        let network = party(peer).to_string();
        Home {
            account: tag(&kept.hmac, &[b"account", &[0], name.as_bytes()]),
            network: tag(&kept.hmac, &[b"network", &[0], name.as_bytes(), &[0], network.as_bytes()]),
        }
    }

    pub(super) fn knows(&self, home: Home) -> bool {
        self.kept().known.holds(home, now())
    }

    pub(super) fn note(&self, home: Home) {
        self.kept().known.note(home, now());
    }

    /// Writes the file if it lacks something. Blocks.
    pub(super) fn save(&self) {
        let mut kept = self.kept();
        let Some(path) = kept.path.clone().filter(|_| kept.known.is_changed) else { return };
        let text = kept.known.to_text(&kept.key);
        kept.known.is_changed = false;
        drop(kept);
        let written = small_file::write(&path, &text);
        let mut kept = self.kept();
        if let Err(error) = &written {
            kept.known.is_changed = true;
            if !kept.is_failing {
                tracing::warn!(path = %path.display(), %error, "cannot write the networks of past logins");
            }
        }
        kept.is_failing = written.is_err();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> u64 {
    // A clock before 1970 makes every network unknown, and harms nothing else.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
