//! The process `mailstead mda`: starts, answers signals, stops.
//!
//! ```text
//!  sockets ──▶ runtime ──▶ settings, accounts, certificate, store ──▶ listeners ──▶ READY
//!                                                                        │
//!                SIGHUP: all files read again, then swapped ◀────────────┤
//!                SIGTERM: accept nothing, drain, exit 0     ◀────────────┘
//! ```

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use accounts::{Accounts, AccountsError, Directory};
use arc_swap::ArcSwap;
use handover::config::{self, ConfigError};
use handover::notice::Notifier;
use handover::sockets::{self, SocketError, Sockets};
use serve::tls::{Tls, TlsError};
use serve::{Drain, Drained, Event, Limits, Service, Signals};

use crate::mailbox::Store;
use crate::{imap, lmtp};

/// How long sessions may go on once we are asked to stop. A client whose session is cut off then comes back.
const DRAIN: Duration = Duration::from_secs(10);

/// Connections of the MTA at one time: as many as it has peers, since it delivers while they wait.
const LMTP_CONNECTIONS: usize = 2000;

/// `EX_USAGE` of sysexits.h: trying again without another configuration is no use.
const EXIT_USAGE: u8 = 64;

/// `EX_OSERR`: something that we need is not to be had.
const EXIT_SYSTEM: u8 = 71;

/// Why the daemon cannot work.
#[derive(Debug, thiserror::Error)]
enum DaemonError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
    #[error("cannot listen: {0}")]
    Listen(std::io::Error),
    #[error("cannot take signals: {0}")]
    Signals(std::io::Error),
}

/// Runs until it is asked to stop.
pub(crate) fn run(path: &Path) -> ExitCode {
    match start(path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mailstead mda: {error}");
            match error {
                DaemonError::Config(_) => ExitCode::from(EXIT_USAGE),
                _ => ExitCode::from(EXIT_SYSTEM),
            }
        }
    }
}

fn start(path: &Path) -> Result<(), DaemonError> {
    let config: config::Mda = config::load(path)?;
    serve::logging::start(&config.log);
    // Before any thread: the sockets are named in the environment.
    let sockets = Sockets::inherited()?;
    let runtime = serve::runtime("mda").map_err(DaemonError::Runtime)?;
    let ended = runtime.block_on(work(path, config, sockets));
    // What still blocks on a disk must not keep the process: nothing of it has been answered for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn work(path: &Path, config: config::Mda, mut sockets: Sockets) -> Result<(), DaemonError> {
    let mut signals = Signals::new().map_err(DaemonError::Signals)?;
    let imap = sockets.take_tcp("imap", &config.listen.imap)?;
    let imaps = sockets.take_tcp("imaps", &config.listen.imaps)?;
    let lmtp = sockets.take_unix(sockets::LMTP, config.listen.lmtp.as_deref())?;

    let limits = Limits::new(config.limits.connections, config.limits.connections_per_address);
    let store = Store::new(config.mail.clone(), config.index.clone(), config.hostname.as_str());
    let directory = Arc::new(Directory::open(&config.accounts)?);
    let tls = Arc::new(Tls::load(&config.tls)?);
    let site = Arc::new(Site {
        servers: ArcSwap::from_pointee(Servers::new(&config, &store, &directory, &tls)),
        store,
        directory,
        tls,
        limits,
    });

    let drain = Drain::new();
    for (name, door, busy, listeners) in
        [("imap", imap::Door::Imap, imap::BUSY, imap), ("imaps", imap::Door::Imaps, &b""[..], imaps)]
    {
        let site = site.clone();
        Service::new(name, site.limits.clone(), busy)
            .start(listeners, &drain, move |connection| {
                imap::serve(connection, site.servers.load().imap.clone(), door)
            })
            .map_err(DaemonError::Listen)?;
    }
    Service::new(sockets::LMTP, Limits::new(LMTP_CONNECTIONS, 0), lmtp::BUSY)
        .start(lmtp.into_iter().collect(), &drain, {
            let site = site.clone();
            move |connection| lmtp::serve(connection, site.servers.load().lmtp.clone())
        })
        .map_err(DaemonError::Listen)?;

    let notifier = Notifier::from_environment();
    notifier.ready();
    tracing::info!("ready");
    while signals.next().await == Event::Reload {
        notifier.reloading();
        match site.reload(path) {
            Ok(()) => tracing::info!("reloaded"),
            Err(error) => tracing::error!(%error, "not reloaded, going on as before"),
        }
        notifier.ready();
    }
    notifier.stopping();
    tracing::info!("stopping");
    tokio::select! {
        drained = drain.finish(DRAIN) => if let Drained::Left(left) = drained {
            tracing::warn!(left, "stopped in the middle of sessions");
        },
        // A second request to stop means: now.
        () = signals.stop() => {}
    }
    // What this remembers is a cache; it has been tried.
    let _ = tokio::task::spawn_blocking(move || site.store.close()).await;
    Ok(())
}

/// What lives as long as the process, and the servers of this moment.
struct Site {
    store: Store,
    directory: Arc<Directory>,
    tls: Arc<Tls>,
    limits: Arc<Limits>,
    servers: ArcSwap<Servers>,
}

/// What sessions that begin now are given; a session keeps what it began with.
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
    /// Reads everything anew. Nothing changes before all of it has been read without a fault. Where the mail lies stays.
    fn reload(&self, path: &Path) -> Result<(), DaemonError> {
        let config: config::Mda = config::load(path)?;
        let accounts = Accounts::load(&config.accounts)?;
        self.tls.reload(&config.tls)?;
        self.directory.replace(&accounts);
        self.limits.change(config.limits.connections, config.limits.connections_per_address);
        self.servers.store(Arc::new(Servers::new(&config, &self.store, &self.directory, &self.tls)));
        Ok(())
    }
}
