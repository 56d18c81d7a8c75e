//! The process `mailstead mta`: starts, answers signals, stops.
//!
//! ```text
//!  sockets ──> runtime ──> settings, accounts, certificate, queue ──> listeners, queue at work ──> READY
//!                                                                          │
//!                SIGHUP: all files read again, then swapped <──────────────┤
//!                SIGTERM: accept nothing, drain, exit 0     <──────────────┘
//! ```

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use accounts::{Accounts, AccountsError, Directory};
use handover::config;
use handover::notice::{self, Notifier};
use handover::sockets::{SocketError, Sockets};
use serve::tls::{Tls, TlsError};
use serve::{Drain, Drained, Event, Limits, Service, Signals, Stop};
use tokio::sync::watch;

use crate::inbound::{self, Door};
use crate::outbound::OwnAddresses;
use crate::queue::{self, Queue, QueueError};
use crate::site::{Settings, SettingsError, Site};

/// How long sessions and deliveries may go on once we are asked to stop. Whatever is cut off then is tried again, by
/// the peer or by us.
const DRAIN: Duration = Duration::from_secs(10);

/// The queue's length is told at most once in this time: a burst of mail is not a burst of notices.
const TELL: Duration = Duration::from_secs(1);

/// `EX_USAGE` of sysexits.h: trying again without another configuration is no use.
const EXIT_USAGE: u8 = 64;

/// `EX_OSERR`: something that we need is not to be had.
const EXIT_SYSTEM: u8 = 71;

/// Why the daemon cannot work.
#[derive(Debug, thiserror::Error)]
enum DaemonError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
    #[error("cannot listen for mail: {0}")]
    Listen(std::io::Error),
    #[error("cannot take signals: {0}")]
    Signals(std::io::Error),
}

/// Runs until it is asked to stop.
pub(crate) fn run(path: &Path) -> ExitCode {
    match start(path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mailstead mta: {error}");
            match error {
                DaemonError::Settings(SettingsError::Config(_)) => ExitCode::from(EXIT_USAGE),
                _ => ExitCode::from(EXIT_SYSTEM),
            }
        }
    }
}

fn start(path: &Path) -> Result<(), DaemonError> {
    let config: config::Mta = config::load(path).map_err(SettingsError::from)?;
    serve::logging::start(&config.log);
    // Before any thread: the sockets are named in the environment.
    let sockets = Sockets::inherited()?;
    let runtime = serve::runtime("mta").map_err(DaemonError::Runtime)?;
    let ended = runtime.block_on(work(path, config, sockets));
    // What still blocks on a disk must not keep the process: nothing of it has been answered for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

/// The listeners behind one door.
struct Entrance {
    door: Door,
    listeners: Vec<TcpListener>,
}

async fn work(path: &Path, config: config::Mta, mut sockets: Sockets) -> Result<(), DaemonError> {
    let mut signals = Signals::new().map_err(DaemonError::Signals)?;
    let listen = &config.listen;
    let mut entrances = Vec::new();
    for (door, own) in [
        (Door::Smtp, &listen.smtp),
        (Door::Submission, &listen.submission),
        (Door::Submissions, &listen.submissions),
    ] {
        entrances.push(Entrance { door, listeners: sockets.take_tcp(door.name(), own)? });
    }
    let own = own_addresses(&entrances);
    let tls = Tls::load(&config.tls)?;
    let limits = Limits::new(config.limits.connections, config.limits.connections_per_address);
    let directory = Directory::open(&config.accounts)?;
    let queue = Queue::open(&config.queue)?;
    let reloading = Reloading { own: own.clone(), tls: tls.clone(), limits: limits.clone() };
    let site = Arc::new(Site::new(Settings::new(config, own)?, directory, queue));

    let drain = Drain::new();
    for Entrance { door, listeners } in entrances {
        let (site, tls) = (site.clone(), tls.clone());
        let attend = move |connection| inbound::attend(site.clone(), tls.clone(), door, connection);
        Service::new(door.name(), limits.clone(), door.busy())
            .start(listeners, &drain, attend)
            .map_err(DaemonError::Listen)?;
    }
    drain.spawn(queue::run(site.clone(), drain.stop()));

    let notifier = Arc::new(Notifier::from_environment());
    tokio::spawn(tell_length(notifier.clone(), site.queue.length(), drain.stop()));
    notifier.ready();
    tracing::info!(queued = *site.queue.length().borrow(), "ready");
    while signals.next().await == Event::Reload {
        notifier.reloading();
        match reloading.reload(path, &site) {
            Ok(()) => tracing::info!("reloaded"),
            Err(error) => tracing::error!(%error, "not reloaded, going on as before"),
        }
        notifier.ready();
    }
    notifier.stopping();
    tracing::info!("stopping");
    tokio::select! {
        drained = drain.finish(DRAIN) => if let Drained::Left(left) = drained {
            tracing::warn!(left, "stopped in the middle of sessions or deliveries");
        },
        // A second request to stop means: now.
        () = signals.stop() => {}
    }
    Ok(())
}

fn own_addresses(entrances: &[Entrance]) -> OwnAddresses {
    let listeners = entrances.iter().filter(|entrance| entrance.door == Door::Smtp);
    let addresses = listeners.flat_map(|entrance| &entrance.listeners);
    OwnAddresses::new(
        addresses.filter_map(|listener| listener.local_addr().ok()).collect::<Vec<SocketAddr>>(),
    )
}

/// What a reload needs beside the files.
struct Reloading {
    own: OwnAddresses,
    tls: Tls,
    limits: Arc<Limits>,
}

impl Reloading {
    /// Reads everything anew. Nothing changes before all of it has been read without a fault.
    fn reload(&self, path: &Path, site: &Site) -> Result<(), DaemonError> {
        let settings = Settings::load(path, self.own.clone())?;
        let accounts = Accounts::load(&settings.config.accounts)?;
        self.tls.reload(&settings.config.tls)?;
        site.directory.replace(&accounts);
        let limits = &settings.config.limits;
        self.limits.change(limits.connections, limits.connections_per_address);
        site.replace(settings);
        Ok(())
    }
}

/// Tells process 1 how many messages are queued, now and whenever it changes.
async fn tell_length(notifier: Arc<Notifier>, mut length: watch::Receiver<usize>, mut stop: Stop) {
    loop {
        let now = *length.borrow_and_update();
        notifier.fact(notice::QUEUE, now);
        tokio::select! {
            () = stop.requested() => return,
            changed = async { tokio::time::sleep(TELL).await; length.changed().await } => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}
