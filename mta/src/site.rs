//! What every part of a running MTA stands on.

use std::sync::Arc;

use accounts::Directory;
use arc_swap::ArcSwap;
use handover::config;

use crate::queue::Queue;
use crate::resolver::Resolver;
use crate::sign::Signer;

/// What is read from files: exchanged as a whole by a reload. A session keeps what it began with.
pub struct Settings {
    /// `mta.toml`.
    pub config: config::Mta,
    /// The keys that sign.
    pub signer: Signer,
    /// How DNS is asked.
    pub resolver: Resolver,
}

/// What lives as long as the process.
pub struct Site {
    settings: ArcSwap<Settings>,
    /// Who has mail here; exchanges its accounts itself.
    pub directory: Directory,
    /// The queue.
    pub queue: Queue,
}

impl Site {
    /// A site with these settings.
    pub fn new(settings: Settings, directory: Directory, queue: Queue) -> Self {
        Self { settings: ArcSwap::from_pointee(settings), directory, queue }
    }

    /// The settings of this moment.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Exchanges the settings.
    pub fn replace(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }
}
