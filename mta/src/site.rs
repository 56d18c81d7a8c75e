//! What every part of a running MTA stands on.

use std::sync::Arc;

use accounts::Directory;
use arc_swap::ArcSwap;
use handover::Concern;
use handover::config;
use serve::metrics::Meter;
use serve::tls::{Connector, TlsError};
use serve::{Part, Refusals};
use tokio::sync::watch;

use crate::metrics::Metrics;
use crate::outbound::{Connection, Departure, OwnAddresses, Relay, RelayError};
use crate::outcome::Outcome;
use crate::queue::{Due, Queue};
use crate::resolver::{Resolver, ResolverError};
use crate::sign::Signer;

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
    /// The settings to start with: without a key that cannot be used, since there are no older ones to go on with. `own`
    /// is where we listen.
    pub fn new(config: config::Mta, own: OwnAddresses) -> Result<Self, SettingsError> {
        let signer = Signer::load_usable(&config.dkim);
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

    /// The settings after a reload of `mta.toml`. Each part that it names stands alone: one that is refused stays as it
    /// is here, with what the configuration said of it, and is noted.
    pub(crate) fn renewed(&self, mut config: config::Mta, refusals: &Refusals) -> Self {
        let signer = self.signer.renewed(&config.dkim);
        refusals.note(Part::SigningKeys, signer.fault());
        let resolver = refusals.keep(Part::Resolver, Resolver::new(&config.dns)).unwrap_or_else(|| {
            config.dns.clone_from(&self.config.dns);
            self.resolver.clone()
        });
        let relay = config.relay.as_ref().map(Relay::new).transpose();
        let relay = refusals.keep(Part::Relay, relay).unwrap_or_else(|| {
            config.relay.clone_from(&self.config.relay);
            self.departure.relay.clone()
        });
        let departure = Departure {
            hostname: config.hostname.clone(),
            resolver: resolver.clone(),
            port: config.outbound.port,
            relay,
            ..self.departure.clone()
        };
        Self { signer, resolver, departure, config }
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
