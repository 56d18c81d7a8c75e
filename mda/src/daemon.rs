//! The `mailstead mda` process: the parts specific to the MDA. [`serve::daemon`] has what every daemon does.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use accounts::{Accounts, Directory, Fingerprint, InternalMailbox};
use arc_swap::ArcSwap;
use handover::config;
use handover::notice::{self, Notifier};
use handover::sockets::{self, Sockets};
use serve::daemon::{self, Daemon, DaemonError, ReloadScope};
use serve::metrics::{Metrics, PeerKind};
use serve::tls::Tls;
use serve::{Limits, Refusals, ReloadPart, Service, SharedAddresses, TimeLimits, TrustedProxies};

use crate::mailbox::Store;
use crate::{imap, lmtp};

/// Grace period for open sessions after a stop is requested. Clients whose sessions are cut off reconnect later.
const DRAIN: Duration = Duration::from_secs(10);

/// Maximum number of connections from the MTA: as many as it has peers, since it delivers while they wait.
const LMTP_CONNECTIONS: usize = 2000;

/// Runs the daemon until a stop is requested.
pub(crate) fn run(path: &Path) -> ExitCode {
    daemon::run(
        "mda",
        path,
        |config: &config::Mda| &config.log,
        async |config, sockets, daemon| run_services(path, config, sockets, daemon).await,
    )
}

async fn run_services(
    path: &Path,
    config: config::Mda,
    mut sockets: Sockets,
    daemon: Daemon,
) -> Result<(), DaemonError> {
    let imap = sockets.take_tcp("imap", &config.listen.imap)?;
    let imaps = sockets.take_tcp("imaps", &config.listen.imaps)?;
    let lmtp = sockets.take_unix(sockets::LMTP, config.listen.lmtp.as_deref())?;

    let metrics_socket = sockets.take_unix(sockets::METRICS, config.listen.metrics.as_deref())?;
    let metrics = Metrics::new("mda");

    let shared_addresses = SharedAddresses::new(&config.login.shared_networks);
    let proxies = TrustedProxies::new(&config.login.trusted_proxies);
    let limits = Limits::with_shared_addresses(
        shared_addresses.clone(),
        config.limits.connections,
        config.limits.connections_per_address,
    );
    limits.set_time_limits(TimeLimits::for_users(&config.limits.timeouts));
    let store = Store::new(config.mail.clone(), config.index.clone(), config.hostname.as_str());
    store.set_quotas(config.quotas.clone());
    let (accounts, fingerprint) = load_accounts(&config.accounts)?;
    let directory = Arc::new(Directory::at_host(&accounts, heartbeat_mailbox(&config)?, &config.hostname));
    directory.set_shared_networks(&config.login.shared_networks);
    directory.persist_in(&config.index, "imap");
    daemon.notifier.send_fact(notice::ACCOUNTS, fingerprint);
    let tls = Arc::new(Tls::load(&config.tls)?);
    let site = Arc::new(Site {
        servers: ArcSwap::from_pointee(Servers::new(&config, &store, &directory, &tls)),
        store,
        directory,
        tls,
        limits,
        shared_addresses: shared_addresses.clone(),
        proxies: proxies.clone(),
        notifier: daemon.notifier.clone(),
        refusals: daemon.refusals.clone(),
        config: ArcSwap::from_pointee(config),
    });

    for (name, service, busy, listeners) in [
        ("imap", imap::Service::Imap, imap::TOO_MANY_CONNECTIONS, imap),
        ("imaps", imap::Service::Imaps, &b""[..], imaps),
    ] {
        let site = site.clone();
        Service::new(name, site.limits.clone(), busy)
            .with_metrics(metrics.service(name, PeerKind::Users))
            .with_proxies(proxies.clone())
            .start(listeners, &daemon.drain, move |connection| {
                imap::serve(connection, site.servers.load().imap.clone(), service)
            })
            .map_err(DaemonError::Listen)?;
    }
    Service::new(sockets::LMTP, Limits::new(LMTP_CONNECTIONS, 0), lmtp::BUSY_REPLY)
        .with_metrics(metrics.service(sockets::LMTP, PeerKind::Peers))
        .start(lmtp.into_iter().collect(), &daemon.drain, {
            let site = site.clone();
            move |connection| lmtp::serve(connection, site.servers.load().lmtp.clone())
        })
        .map_err(DaemonError::Listen)?;

    metrics.serve(metrics_socket, &daemon.drain).map_err(DaemonError::Listen)?;
    tokio::spawn(site.directory.clone().save_regularly());
    tokio::spawn(shared_addresses.report(daemon.notifier.clone(), daemon.drain.stop()));
    daemon
        .run_until_stopped(DRAIN, |reload| match reload {
            ReloadScope::All => site.reload(path),
            ReloadScope::Accounts => site.reload_accounts(),
        })
        .await;
    // Both write caches. A failure is logged and loses nothing else.
    let close = move || {
        site.directory.save();
        site.store.close();
    };
    let _ = tokio::task::spawn_blocking(close).await;
    Ok(())
}

fn load_accounts(path: &Path) -> Result<(Accounts, Fingerprint), DaemonError> {
    Accounts::load_with_fingerprint(path).map_err(DaemonError::other)
}

/// The internal mailbox of the heartbeat.
fn heartbeat_mailbox(config: &config::Mda) -> Result<Option<InternalMailbox>, DaemonError> {
    let mailbox = config.heartbeat.as_ref();
    mailbox
        .map(|mailbox| InternalMailbox::new(&mailbox.address, &mailbox.secret))
        .transpose()
        .map_err(DaemonError::other)
}

/// State that lives as long as the process, and the servers of the current configuration.
struct Site {
    store: Store,
    directory: Arc<Directory>,
    tls: Arc<Tls>,
    limits: Arc<Limits>,
    shared_addresses: SharedAddresses,
    proxies: TrustedProxies,
    servers: ArcSwap<Servers>,
    /// The current configuration.
    config: ArcSwap<config::Mda>,
    notifier: Arc<Notifier>,
    refusals: Refusals,
}

/// Servers for sessions that begin now. A running session keeps those it began with.
struct Servers {
    imap: Arc<imap::Server>,
    lmtp: Arc<lmtp::Server>,
}

impl Servers {
    fn new(config: &config::Mda, store: &Store, directory: &Arc<Directory>, tls: &Arc<Tls>) -> Self {
        let (hostname, message_size) = (config.hostname.clone(), config.limits.message_size);
        Self {
            imap: Arc::new(imap::Server {
                hostname: hostname.clone(),
                store: store.clone(),
                directory: directory.clone(),
                tls: tls.clone(),
                message_size,
            }),
            lmtp: Arc::new(lmtp::Server {
                hostname,
                store: store.clone(),
                directory: directory.clone(),
                message_size,
            }),
        }
    }
}

impl Site {
    /// Reads everything again. Each part is separate: a part that was read applies at once, a part that is refused
    /// keeps its old value and is reported. The mail directory does not change.
    fn reload(&self, path: &Path) {
        if let Some(config) =
            self.refusals.accept_or_record(ReloadPart::Configuration, config::load::<config::Mda>(path))
        {
            self.config.store(Arc::new(config));
        }
        let config = self.config.load_full();
        self.refusals.accept_or_record(ReloadPart::Certificate, self.tls.reload(&config.tls));
        // Both apply from the next exchange of accounts on.
        if let Some(heartbeat_mailbox) =
            self.refusals.accept_or_record(ReloadPart::Heartbeat, heartbeat_mailbox(&config))
        {
            self.directory.set_internal_mailbox(heartbeat_mailbox);
        }
        self.directory.set_hostname(&config.hostname);
        self.reload_accounts();
        self.directory.set_shared_networks(&config.login.shared_networks);
        self.shared_addresses.change(&config.login.shared_networks);
        self.proxies.change(&config.login.trusted_proxies);
        self.limits.change(config.limits.connections, config.limits.connections_per_address);
        self.limits.set_time_limits(TimeLimits::for_users(&config.limits.timeouts));
        self.store.set_quotas(config.quotas.clone());
        self.servers.store(Arc::new(Servers::new(&config, &self.store, &self.directory, &self.tls)));
    }

    /// Reads only the accounts again.
    fn reload_accounts(&self) {
        let read = load_accounts(&self.config.load().accounts);
        if let Some((accounts, fingerprint)) = self.refusals.accept_or_record(ReloadPart::Accounts, read) {
            self.directory.replace(&accounts);
            self.notifier.send_fact(notice::ACCOUNTS, fingerprint);
        }
    }
}
