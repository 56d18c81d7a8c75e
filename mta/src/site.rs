//! The shared state of a running MTA.

use std::sync::Arc;

use accounts::Directory;
use address::ReversePath;
use arc_swap::ArcSwap;
use handover::Concern;
use handover::config;
use serve::metrics::ServiceMetrics;
use serve::tls::{Connector, TlsError};
use serve::{Refusals, ReloadPart};
use tokio::sync::watch;

use crate::metrics::Metrics;
use crate::outbound::{Connection, OutboundSettings, OwnAddresses, Relay, RelayError, SourceNames};
use crate::outcome::Outcome;
use crate::queue::{Queue, Reschedule};
use crate::resolver::{Resolver, ResolverError};
use crate::sign::Signer;
use crate::srs;

/// The state that is read from files: replaced as a whole by a reload. A session keeps the settings that it started
/// with.
#[derive(Debug)]
pub struct Settings {
    /// `mta.toml`.
    pub config: config::Mta,
    /// The signing keys.
    pub signer: Signer,
    /// The DNS resolver.
    pub resolver: Resolver,
    /// The settings for outgoing mail.
    pub outbound: OutboundSettings,
}

/// The reason why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The DNS resolver cannot be set up.
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
    /// The settings at the start: unusable keys are left out, since there are no older ones to keep. `own` are the
    /// addresses that we listen on.
    pub fn new(config: config::Mta, own: OwnAddresses) -> Result<Self, SettingsError> {
        let signer = Signer::load_usable(&config.dkim);
        let resolver = Resolver::new(&config.dns)?;
        let outbound = OutboundSettings {
            hostname: config.hostname.clone(),
            resolver: resolver.clone(),
            port: config.outbound.port,
            own,
            connector: Connector::opportunistic()?,
            meter: ServiceMetrics::default(),
            relay: config.relay.as_ref().map(Relay::new).transpose()?,
            source_names: SourceNames::default(),
        };
        Ok(Self { signer, resolver, outbound, config })
    }

    /// The settings after a reload of `mta.toml`. Each part that it names is separate: one that is refused stays as it
    /// is here, including its part of the configuration, and the refusal is reported.
    pub(crate) fn reloaded(&self, mut config: config::Mta, refusals: &Refusals) -> Self {
        let signer = self.signer.reloaded(&config.dkim);
        refusals.record(ReloadPart::SigningKeys, signer.load_errors());
        let resolver = refusals
            .accept_or_record(ReloadPart::Resolver, Resolver::new(&config.dns))
            .unwrap_or_else(|| {
                config.dns.clone_from(&self.config.dns);
                self.resolver.clone()
            });
        let relay = config.relay.as_ref().map(Relay::new).transpose();
        let relay = refusals.accept_or_record(ReloadPart::Relay, relay).unwrap_or_else(|| {
            config.relay.clone_from(&self.config.relay);
            self.outbound.relay.clone()
        });
        let outbound = OutboundSettings {
            hostname: config.hostname.clone(),
            resolver: resolver.clone(),
            port: config.outbound.port,
            relay,
            ..self.outbound.clone()
        };
        Self { signer, resolver, outbound, config }
    }
}

/// The state that lives as long as the process.
pub struct Site {
    settings: ArcSwap<Settings>,
    /// The accounts; it replaces them itself.
    pub directory: Arc<Directory>,
    /// The queue.
    pub queue: Queue,
    /// The keys of the return paths of forwarded mail; `None` while they cannot be read.
    pub(crate) return_path_keys: Option<Arc<srs::Keys>>,
    /// The metrics.
    pub metrics: Metrics,
    /// The reason why the relay refuses our mail, while it does.
    relay_concern: watch::Sender<Option<Concern>>,
}

impl Site {
    /// A site with these settings.
    pub(crate) fn new(
        settings: Settings,
        directory: Arc<Directory>,
        queue: Queue,
        return_path_keys: Option<Arc<srs::Keys>>,
    ) -> Self {
        Self {
            settings: ArcSwap::from_pointee(settings),
            directory,
            queue,
            return_path_keys,
            metrics: Metrics::default(),
            relay_concern: watch::Sender::default(),
        }
    }

    /// The current settings.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Replaces the settings. The metrics continue.
    pub fn replace(&self, mut settings: Settings) {
        settings.outbound.meter = self.settings.load().outbound.meter.clone();
        self.queue.set_relay(settings.config.relay.as_ref());
        let before = self.settings.swap(Arc::new(settings));
        if before.config.relay != self.settings().config.relay {
            // The failures of the old relay, or of other hosts, say nothing about the new one.
            self.relay_concern.send_replace(None);
            return self.queue.reschedule_all(Reschedule::Immediately);
        }
        // The cause may be a file that the configuration only names: the authorities of the relay's certificate.
        let relay_fails = self.relay_concern.borrow().is_some();
        self.queue.reschedule_all(if relay_fails { Reschedule::Immediately } else { Reschedule::AsPlanned });
    }

    /// The sender under which mail from a peer goes to another host. Without keys it is the original one, for which SPF
    /// may fail there.
    pub(crate) fn return_path(&self, sender: &ReversePath) -> ReversePath {
        match &self.return_path_keys {
            Some(keys) => {
                srs::forward(keys, &self.settings.load().config.hostname, sender).unwrap_or_else(|| {
                    tracing::warn!(%sender, "sender too long to be rewritten, forwarding under it");
                    sender.clone()
                })
            }
            None => sender.clone(),
        }
    }

    /// The problem with the relay, for the operator; notifies of every change.
    pub(crate) fn relay_concern(&self) -> watch::Receiver<Option<Concern>> {
        self.relay_concern.subscribe()
    }

    /// Notes the result of a connection to the relay.
    pub(crate) fn note_relay(&self, relay: &str, connected: &Result<Connection, Outcome>) {
        let concern = connected.as_ref().err().and_then(Outcome::reason).map(|reason| {
            let problem =
                format!("the relay {relay} does not accept mail, which waits in the queue: {reason}");
            Concern::new(problem, "check that MAIL_RELAY_URL is right and the relay is up")
        });
        let update = |before: &mut Option<Concern>| {
            let is_new = before.is_some() != concern.is_some();
            match &concern {
                Some(Concern { problem, fix }) if is_new => {
                    tracing::error!(relay, %problem, %fix, "cannot send through the relay");
                }
                None if is_new => tracing::info!(relay, "relay accepts mail again"),
                _ => {}
            }
            let changed = *before != concern;
            before.clone_from(&concern);
            changed
        };
        self.relay_concern.send_if_modified(update);
    }
}
