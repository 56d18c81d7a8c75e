//! The process of a daemon: starts, handles signals, stops. Each daemon adds its own work.
//!
//! ```text
//!  configuration ──▶ sockets ──▶ log ──▶ runtime ──▶ the daemon's own: files, listeners ──▶ READY
//!                                                                                            │
//!                              SIGHUP: all files read again, each swapped  ◀───────────────┤
//!                              SIGUSR1: the accounts alone                 ◀────────────────┤
//!                              SIGTERM: accept nothing, drain, exit 0      ◀────────────────┘
//! ```
//!
//! As long as its runtime works, it reports so to process 1 every few seconds. Process 1 restarts a daemon that hangs.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use handover::config::{self, ConfigError, Log};
use handover::notice::{Notifier, WATCHDOG_SECONDS};
use handover::sockets::{SocketError, Sockets};
use serde::de::DeserializeOwned;
use tokio::time::MissedTickBehavior;

use crate::logging::{self, LogWriter};
use crate::tls::TlsError;
use crate::{Drain, DrainOutcome, Event, Refusals, Signals, runtime};

/// `EX_USAGE` of sysexits.h: retrying without another configuration is useless.
const EXIT_USAGE: u8 = 64;

/// `EX_OSERR`: a resource that the daemon needs is unavailable.
const EXIT_SYSTEM: u8 = 71;

/// An error that keeps a daemon from working.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A socket is unavailable.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The runtime does not start.
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
    /// The signal handlers cannot be installed, so signals would end the process.
    #[error("cannot install the signal handlers: {0}")]
    Signals(io::Error),
    /// A service does not start.
    #[error("cannot listen: {0}")]
    Listen(io::Error),
    /// A resource that only this daemon needs is unavailable.
    #[error(transparent)]
    Other(Box<dyn Error + Send + Sync>),
}

impl DaemonError {
    /// An error about a resource that only this daemon needs.
    pub fn other(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Other(Box::new(error))
    }
}

/// The files to reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadScope {
    /// Configuration, accounts and certificate.
    All,
    /// The accounts alone: a disabled user is locked out at once, even if another file cannot be read.
    Accounts,
}

impl fmt::Display for ReloadScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Accounts => "accounts",
        })
    }
}

/// The common parts of a running daemon.
#[derive(Debug)]
pub struct Daemon {
    /// The tasks that have to stop before the daemon does.
    pub drain: Drain,
    /// The notices to process 1.
    pub notifier: Arc<Notifier>,
    /// The files of the daemon that were refused.
    pub refusals: Refusals,
    signals: Signals,
}

/// Runs a daemon with the configuration in this file until it is requested to stop. To be called before any thread is
/// started: the sockets that were handed over are named in the environment.
pub fn run<C: DeserializeOwned>(
    role: &'static str,
    path: &Path,
    log: fn(&C) -> &Log,
    work: impl AsyncFnOnce(C, Sockets, Daemon) -> Result<(), DaemonError>,
) -> ExitCode {
    let mut log_writer = None;
    let ended = start(role, path, log, work, &mut log_writer);
    if let Err(error) = &ended {
        // A program that reads the log as JSON must be able to read this error too.
        log_writer.get_or_insert_with(|| logging::start(role, &log_of(path)));
        tracing::error!("mailstead {role}: {error}");
    }
    if let Some(log_writer) = log_writer {
        log_writer.flush();
    }
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(DaemonError::Config(_)) => ExitCode::from(EXIT_USAGE),
        Err(_) => ExitCode::from(EXIT_SYSTEM),
    }
}

/// The log that a configuration asks for, even when the rest of it cannot be used; in text format if it is not TOML.
fn log_of(path: &Path) -> Log {
    #[derive(serde::Deserialize)]
    struct Logged {
        log: Log,
    }
    config::load(path).map_or_else(|_| Log::default(), |Logged { log }| log)
}

fn start<C: DeserializeOwned>(
    role: &'static str,
    path: &Path,
    log: fn(&C) -> &Log,
    work: impl AsyncFnOnce(C, Sockets, Daemon) -> Result<(), DaemonError>,
    log_writer: &mut Option<LogWriter>,
) -> Result<(), DaemonError> {
    let config: C = config::load(path)?;
    // Before the log, which is a thread.
    let sockets = Sockets::inherited()?;
    *log_writer = Some(logging::start(role, log(&config)));
    let runtime = runtime(role).map_err(DaemonError::Runtime)?;
    let ended = runtime.block_on(async { work(config, sockets, Daemon::new()?).await });
    // Work that still blocks on a disk must not keep the process: none of it has been acknowledged.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

/// Reports that the runtime works, from a task of the runtime itself: when none of its threads runs tasks any more, or
/// the process is stopped, process 1 gets no report.
async fn report_alive(notifier: Arc<Notifier>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(WATCHDOG_SECONDS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        notifier.alive();
    }
}

impl Daemon {
    fn new() -> Result<Self, DaemonError> {
        let signals = Signals::new().map_err(DaemonError::Signals)?;
        let notifier = Arc::new(Notifier::from_environment());
        // From the first moment on, and through the drain: it ends with the process.
        tokio::spawn(report_alive(Arc::clone(&notifier)));
        Ok(Self { drain: Drain::new(), notifier, refusals: Refusals::default(), signals })
    }

    /// To be called when all services have started. Reports that the daemon is ready, reloads on request, and returns
    /// when the daemon was requested to stop and its work has ended, or has continued for as long as `limit`.
    ///
    /// `reload` reads the requested files. Each part that was read is in force at once; a refused one is recorded in
    /// [`Daemon::refusals`] and reported to process 1.
    pub async fn run_until_stopped(mut self, limit: Duration, mut reload: impl FnMut(ReloadScope)) {
        tokio::spawn(self.refusals.clone().report(self.notifier.clone(), self.drain.stop()));
        self.notifier.ready();
        tracing::info!("ready");
        loop {
            let what = match self.signals.next().await {
                Event::Reload => ReloadScope::All,
                Event::Accounts => ReloadScope::Accounts,
                Event::Stop => break,
            };
            self.notifier.reloading();
            reload(what);
            if self.refusals.any() {
                tracing::warn!(%what, "partly reloaded");
            } else {
                tracing::info!(%what, "reloaded");
            }
            self.notifier.ready();
        }
        self.notifier.stopping();
        tracing::info!("stopping");
        tokio::select! {
            drained = self.drain.finish(limit) => if let DrainOutcome::StillRunning(left) = drained {
                tracing::warn!(left, "stopped with unfinished work");
            },
            // A second request to stop means at once.
            () = self.signals.stop() => {}
        }
    }
}
