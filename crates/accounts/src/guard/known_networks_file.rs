//! The file of known networks: read at the start, written at intervals.

use std::net::IpAddr;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;

use super::known_networks::{Key, KnownNetworks, UserNetwork};
use super::{network_of, tag};
use crate::small_file::Saved;

/// The known networks, and the file in which they are kept.
pub(super) struct KnownNetworksFile(Saved<Networks>);

struct Networks {
    known: KnownNetworks,
    key: Key,
    hmac: hmac::Key,
}

impl KnownNetworksFile {
    /// Networks that are lost when the process ends.
    pub(super) fn new() -> Self {
        let key = Key::new();
        Self(Saved::new(Networks { known: KnownNetworks::default(), hmac: key.hmac(), key }))
    }

    /// Keeps the networks in this file from now on, and loads the file.
    pub(super) fn persist_in(&self, path: &Path) {
        self.0.persist_in(path, |networks, text| {
            if let Some((key, known)) = KnownNetworks::parse(text, now()) {
                *networks = Networks { known, hmac: key.hmac(), key };
            }
        });
    }

    pub(super) fn user_network(&self, name: &str, peer: IpAddr) -> UserNetwork {
        let hmac = &self.0.lock().value.hmac;
        let network = network_of(peer).to_string();
        UserNetwork {
            account: tag(hmac, &[b"account", &[0], name.as_bytes()]),
            network: tag(hmac, &[b"network", &[0], name.as_bytes(), &[0], network.as_bytes()]),
        }
    }

    pub(super) fn knows(&self, network: UserNetwork) -> bool {
        self.0.lock().value.known.contains(network, now())
    }

    pub(super) fn record(&self, network: UserNetwork) {
        let mut state = self.0.lock();
        state.is_changed |= state.value.known.record(network, now());
    }

    /// Writes the file if there are changes. Blocks.
    pub(super) fn save(&self) {
        self.0.save(|networks| networks.known.to_text(&networks.key));
    }
}

fn now() -> u64 {
    // A clock before 1970 makes every network unknown, and has no other effect.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
