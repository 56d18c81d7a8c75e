//! The process `mailstead mta`: its parts, beside what every daemon does ([`serve::daemon`]).

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use accounts::{Accounts, Directory, Fingerprint, InternalMailbox};
use handover::Concern;
use handover::config;
use handover::notice::{self, Notifier};
use handover::sockets::{self, Sockets};
use serve::daemon::{self, Daemon, DaemonError, ReloadScope};
use serve::metrics::{Metrics, PeerKind};
use serve::tls::Tls;
use serve::{Refusals, ReloadPart, Service, StopSignal, report_concerns};
use tokio::sync::watch;

use crate::connection_limits::ConnectionLimits;
use crate::inbound::{self, ServiceKind};
use crate::outbound::OwnAddresses;
use crate::queue::{self, Queue, Routes};
use crate::site::{Settings, SettingsError, Site};
use crate::srs;
use crate::timestamp::Timestamp;

/// Time for sessions and deliveries to end after a stop is requested. The ones that are cut off are retried, by the
/// peer or by us.
const DRAIN: Duration = Duration::from_secs(10);

/// The queue's length is reported at most once in this time: a burst of mail is not a burst of notices.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Runs the MTA until a stop is requested.
pub(crate) fn run(path: &Path) -> ExitCode {
    daemon::run(
        "mta",
        path,
        |config: &config::Mta| &config.log,
        async |config, sockets, daemon| run_services(path, config, sockets, daemon).await,
    )
}

impl From<SettingsError> for DaemonError {
    fn from(error: SettingsError) -> Self {
        Self::other(error)
    }
}

/// The listeners of one service.
struct BoundService {
    service: ServiceKind,
    listeners: Vec<TcpListener>,
}

async fn run_services(
    path: &Path,
    config: config::Mta,
    mut sockets: Sockets,
    daemon: Daemon,
) -> Result<(), DaemonError> {
    let listen = &config.listen;
    let mut bound = Vec::new();
    for (service, own) in [
        (ServiceKind::Smtp, &listen.smtp),
        (ServiceKind::Submission, &listen.submission),
        (ServiceKind::Submissions, &listen.submissions),
    ] {
        bound.push(BoundService { service, listeners: sockets.take_tcp(service.name(), own)? });
    }
    let metrics_socket = sockets.take_unix(sockets::METRICS, listen.metrics.as_deref())?;
    let mut metrics = Metrics::new("mta");
    let own = own_addresses(&bound);
    let tls = Tls::load(&config.tls)?;
    let connection_limits = ConnectionLimits::new(&config.limits, &config.login);
    let (accounts, fingerprint) = load_accounts(&config.accounts)?;
    let directory = Arc::new(Directory::at_host(&accounts, heartbeat_mailbox(&config)?, &config.hostname));
    directory.set_shared_networks(&config.login.shared_networks);
    directory.persist_in(&config.queue, "smtp");
    daemon.notifier.send_fact(notice::ACCOUNTS, fingerprint);
    let routes = Routes::new(directory.clone(), config.relay.as_ref());
    let queue = Queue::open(&config.queue, routes).map_err(DaemonError::other)?;
    let reloader = Reloader {
        tls: tls.clone(),
        connection_limits: connection_limits.clone(),
        notifier: daemon.notifier.clone(),
        refusals: daemon.refusals.clone(),
    };
    let return_path_keys = return_path_keys(&config.queue, &daemon);
    let mut settings = Settings::new(config, own)?;
    daemon.refusals.record(ReloadPart::SigningKeys, settings.signer.load_errors());
    settings.outbound.meter = metrics.service("outbound", PeerKind::Servers);
    let site = Arc::new(Site::new(settings, directory, queue, return_path_keys));
    site.metrics.register(metrics.registry(), &site.queue);

    for BoundService { service, listeners } in bound {
        let (site, tls) = (site.clone(), tls.clone());
        let serve_connection =
            move |connection| inbound::serve_connection(site.clone(), tls.clone(), service, connection);
        Service::new(service.name(), connection_limits.of(service), service.busy_reply())
            .with_metrics(metrics.service(service.name(), service.client_kind()))
            .with_proxies(connection_limits.proxies())
            .start(listeners, &daemon.drain, serve_connection)
            .map_err(DaemonError::Listen)?;
    }
    metrics.serve(metrics_socket, &daemon.drain).map_err(DaemonError::Listen)?;
    daemon.drain.spawn(queue::run(site.clone(), daemon.drain.stop()));
    tokio::spawn(site.directory.clone().save_regularly());
    tokio::spawn(report_queue_length(daemon.notifier.clone(), site.queue.clone(), daemon.drain.stop()));
    tokio::spawn(
        reloader
            .connection_limits
            .shared_addresses()
            .clone()
            .report(daemon.notifier.clone(), daemon.drain.stop()),
    );
    let (notifier, stop) = (daemon.notifier.clone(), daemon.drain.stop());
    let relay = |concern: &Option<Concern>| vec![("RELAY", concern.clone())];
    tokio::spawn(report_concerns(notifier.clone(), site.relay_concern(), relay, stop.clone()));
    let dead = |dead: &queue::DeadMessages| vec![("DEAD", dead.concern())];
    tokio::spawn(report_concerns(notifier, site.queue.dead(), dead, stop));
    tracing::info!(queued = *site.queue.length().borrow(), "queue loaded");
    daemon
        .run_until_stopped(DRAIN, |reload| match reload {
            ReloadScope::All => reloader.reload(path, &site),
            ReloadScope::Accounts => reloader.reload_accounts(&site),
        })
        .await;
    let _ = tokio::task::spawn_blocking(move || site.directory.save()).await;
    Ok(())
}

/// The keys of return paths. Without them mail is forwarded with its original sender, and reports to return paths are
/// deferred: the error is reported to the operator, and everything else works.
fn return_path_keys(queue: &Path, daemon: &Daemon) -> Option<Arc<srs::Keys>> {
    match srs::Keys::open(queue) {
        Ok(keys) => {
            let keys = Arc::new(keys);
            tokio::spawn(keys.clone().renew_yearly(daemon.drain.stop()));
            Some(keys)
        }
        Err(error) => {
            tracing::error!(%error, "cannot rewrite the senders of forwarded mail");
            let concern = Concern::new(error.problem, error.fix);
            let (notifier, stop) = (daemon.notifier.clone(), daemon.drain.stop());
            tokio::spawn(async move {
                let (_unchanged, state) = watch::channel(());
                let concerns = |(): &()| vec![("RETURN_PATHS", Some(concern.clone()))];
                report_concerns(notifier, state, concerns, stop).await;
            });
            None
        }
    }
}

fn load_accounts(path: &Path) -> Result<(Accounts, Fingerprint), DaemonError> {
    Accounts::load_with_fingerprint(path).map_err(DaemonError::other)
}

/// The heartbeat's mailbox.
fn heartbeat_mailbox(config: &config::Mta) -> Result<Option<InternalMailbox>, DaemonError> {
    let mailbox = config.heartbeat.as_ref();
    mailbox
        .map(|mailbox| InternalMailbox::new(&mailbox.address, &mailbox.secret))
        .transpose()
        .map_err(DaemonError::other)
}

fn own_addresses(bound: &[BoundService]) -> OwnAddresses {
    let listeners = bound.iter().filter(|bound| bound.service == ServiceKind::Smtp);
    let addresses = listeners.flat_map(|bound| &bound.listeners);
    OwnAddresses::new(
        addresses.filter_map(|listener| listener.local_addr().ok()).collect::<Vec<SocketAddr>>(),
    )
}

/// The parts that a reload changes.
struct Reloader {
    tls: Tls,
    connection_limits: ConnectionLimits,
    notifier: Arc<Notifier>,
    refusals: Refusals,
}

impl Reloader {
    /// Reads everything again. Each part is separate: a part that was read applies at once, and a part that is
    /// refused keeps its old value and is reported. The certificate comes first, so that an error in another file does
    /// not delay it.
    fn reload(&self, path: &Path, site: &Site) {
        let before = site.settings();
        let config =
            self.refusals.accept_or_record(ReloadPart::Configuration, config::load::<config::Mta>(path));
        let config = config.unwrap_or_else(|| before.config.clone());
        self.refusals.accept_or_record(ReloadPart::Certificate, self.tls.reload(&config.tls));
        // Both take effect when the accounts are next replaced.
        if let Some(heartbeat_mailbox) =
            self.refusals.accept_or_record(ReloadPart::Heartbeat, heartbeat_mailbox(&config))
        {
            site.directory.set_internal_mailbox(heartbeat_mailbox);
        }
        site.directory.set_hostname(&config.hostname);
        self.replace_accounts(&config.accounts, site);
        site.directory.set_shared_networks(&config.login.shared_networks);
        self.connection_limits.change(&config.limits, &config.login);
        site.replace(before.reloaded(config, &self.refusals));
    }

    /// Reads only the accounts again.
    fn reload_accounts(&self, site: &Site) {
        self.replace_accounts(&site.settings().config.accounts, site);
    }

    fn replace_accounts(&self, path: &Path, site: &Site) {
        if let Some((accounts, fingerprint)) =
            self.refusals.accept_or_record(ReloadPart::Accounts, load_accounts(path))
        {
            site.directory.replace(&accounts);
            self.notifier.send_fact(notice::ACCOUNTS, fingerprint);
        }
    }
}

/// Reports to process 1 how many messages are queued and since when, now and whenever that changes.
async fn report_queue_length(notifier: Arc<Notifier>, queue: Queue, mut stop: StopSignal) {
    let mut length = queue.length();
    loop {
        let now = *length.borrow_and_update();
        notifier.send_fact(notice::QUEUE, now);
        notifier.send_fact(notice::QUEUE_SINCE, queue.oldest().map_or(0, Timestamp::unix));
        tokio::select! {
            () = stop.requested() => return,
            changed = async { tokio::time::sleep(REPORT_INTERVAL).await; length.changed().await } => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}
