//! What every part of a running MTA stands on.

use std::path::Path;
use std::sync::Arc;

use accounts::Directory;
use arc_swap::ArcSwap;
use handover::Concern;
use handover::config::{self, ConfigError};
use serve::metrics::Meter;
use serve::tls::{Connector, TlsError};
use tokio::sync::watch;

use crate::metrics::Metrics;
use crate::outbound::{Connection, Departure, OwnAddresses, Relay, RelayError};
use crate::outcome::Outcome;
use crate::queue::{Due, Queue};
use crate::resolver::{Resolver, ResolverError};
use crate::sign::{KeyError, Signer};

/// What is read from files: exchanged as a whole by a reload. A session keeps what it began with.
#[derive(Debug)]
pub struct Settings {
    /// `mta.toml`.
    pub config: config::Mta,
    /// The keys that sign.
    pub signer: Signer,
    /// How DNS is asked.
    pub resolver: Resolver,
    /// How mail leaves.
    pub departure: Departure,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// `mta.toml` cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// DNS cannot be asked.
    #[error(transparent)]
    Resolver(#[from] ResolverError),
    /// The relay cannot be used.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Settings {
    /// Reads `mta.toml` and what it names, all of it without a fault. `own` is where we listen.
    pub fn load(path: &Path, own: OwnAddresses) -> Result<Self, SettingsError> {
        let config: config::Mta = config::load(path)?;
        let signer = Signer::load(&config.dkim)?;
        Self::with(config, signer, own)
    }

    /// The settings to start with: without a key that cannot be used, since there are no older ones to go on with.
    pub fn new(config: config::Mta, own: OwnAddresses) -> Result<Self, SettingsError> {
        let signer = Signer::load_usable(&config.dkim);
        Self::with(config, signer, own)
    }

    fn with(config: config::Mta, signer: Signer, own: OwnAddresses) -> Result<Self, SettingsError> {
        let resolver = Resolver::new(&config.dns)?;
        let departure = Departure {
            hostname: config.hostname.clone(),
            resolver: resolver.clone(),
            port: config.outbound.port,
            own,
            connector: Connector::opportunistic()?,
            meter: Meter::default(),
            relay: config.relay.as_ref().map(Relay::new).transpose()?,
        };
        Ok(Self { signer, resolver, departure, config })
    }
}

/// What lives as long as the process.
pub struct Site {
    settings: ArcSwap<Settings>,
    /// Who has mail here; exchanges its accounts itself.
    pub directory: Arc<Directory>,
    /// The queue.
    pub queue: Queue,
    /// What is counted.
    pub metrics: Metrics,
    /// Why the relay does not take our mail, as long as it does not.
    relay_trouble: watch::Sender<Option<Concern>>,
}

impl Site {
    /// A site with these settings.
    pub fn new(settings: Settings, directory: Arc<Directory>, queue: Queue) -> Self {
        Self {
            settings: ArcSwap::from_pointee(settings),
            directory,
            queue,
            metrics: Metrics::default(),
            relay_trouble: watch::Sender::default(),
        }
    }

    /// The settings of this moment.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Exchanges the settings. What was counted goes on.
    pub fn replace(&self, mut settings: Settings) {
        settings.departure.meter = self.settings.load().departure.meter.clone();
        self.queue.set_relay(settings.config.relay.as_ref());
        let before = self.settings.swap(Arc::new(settings));
        if before.config.relay != self.settings().config.relay {
            // What kept mail from the old relay, or from everywhere, says nothing about the new one.
            self.relay_trouble.send_replace(None);
            return self.queue.rearrange(Due::AtOnce);
        }
        // The trouble may have been with what the configuration names only: whom the relay is trusted by.
        let is_in_trouble = self.relay_trouble.borrow().is_some();
        self.queue.rearrange(if is_in_trouble { Due::AtOnce } else { Due::InTime });
    }

    /// What is wrong with the relay, for a person; tells of every change.
    pub(crate) fn relay_trouble(&self) -> watch::Receiver<Option<Concern>> {
        self.relay_trouble.subscribe()
    }

    /// Notes whether the relay has let us in.
    pub(crate) fn note_relay(&self, relay: &str, connected: &Result<Connection, Outcome>) {
        let trouble = connected.as_ref().err().and_then(Outcome::reason).map(|reason| {
            let problem = format!("the relay {relay} does not take our mail, which waits: {reason}");
            Concern::new(problem, "see whether MAIL_RELAY_URL is right and the relay is up")
        });
        let news = |before: &mut Option<Concern>| {
            let is_new = before.is_some() != trouble.is_some();
            match &trouble {
                Some(Concern { problem, fix }) if is_new => {
                    tracing::error!(relay, %problem, %fix, "cannot send through the relay");
                }
                None if is_new => tracing::info!(relay, "the relay takes our mail again"),
                _ => {}
            }
            let changed = *before != trouble;
            before.clone_from(&trouble);
            changed
        };
        self.relay_trouble.send_if_modified(news);
    }
}
