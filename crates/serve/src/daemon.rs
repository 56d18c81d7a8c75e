//! The process of a daemon: starts, answers signals, stops. What it works with is its own.
//!
//! ```text
//!  configuration ──▶ sockets ──▶ log ──▶ runtime ──▶ the daemon's own: files, listeners ──▶ READY
//!                                                                                            │
//!                              SIGHUP: all files read again, each swapped  ◀───────────────┤
//!                              SIGUSR1: the accounts alone                 ◀────────────────┤
//!                              SIGTERM: accept nothing, drain, exit 0      ◀────────────────┘
//! ```
//!
//! As long as the runtime works it says so to process 1, every few seconds, which restarts a daemon that hangs.

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

use crate::logging::{self, Outlet};
use crate::tls::TlsError;
use crate::{Drain, Drained, Event, Refusals, Signals, runtime};

/// `EX_USAGE` of sysexits.h: trying again without another configuration is no use.
const EXIT_USAGE: u8 = 64;

/// `EX_OSERR`: something that we need is not to be had.
const EXIT_SYSTEM: u8 = 71;

/// Why a daemon cannot work.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A socket cannot be had.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The runtime does not start.
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
    /// Signals would end the process.
    #[error("cannot take signals: {0}")]
    Signals(io::Error),
    /// A service does not start.
    #[error("cannot listen: {0}")]
    Listen(io::Error),
    /// Something that only this daemon needs is not to be had.
    #[error(transparent)]
    Own(Box<dyn Error + Send + Sync>),
}

impl DaemonError {
    /// For what only this daemon needs.
    pub fn own(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Own(Box::new(error))
    }
}

/// What is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// Configuration, accounts and certificate.
    All,
    /// The accounts alone: who was shut out is so at once, whatever is wrong with another file.
    Accounts,
}

impl fmt::Display for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Accounts => "accounts",
        })
    }
}

/// A daemon's life between its start and its exit.
#[derive(Debug)]
pub struct Life {
    /// Who has to stop before the daemon does.
    pub drain: Drain,
    /// What process 1 is told.
    pub notifier: Arc<Notifier>,
    /// What of the daemon's files is refused.
    pub refusals: Refusals,
    signals: Signals,
}

/// Runs a daemon whose configuration is in this file until it is asked to stop. To be called before there is a thread:
/// the sockets that were handed over are named in the environment.
pub fn run<C: DeserializeOwned>(
    role: &'static str,
    path: &Path,
    log: fn(&C) -> &Log,
    work: impl AsyncFnOnce(C, Sockets, Life) -> Result<(), DaemonError>,
) -> ExitCode {
    let mut outlet = None;
    let ended = start(role, path, log, work, &mut outlet);
    if let Err(error) = &ended {
        // Whoever reads the log as JSON must be able to read why there is none.
        outlet.get_or_insert_with(|| logging::start(role, &log_of(path)));
        tracing::error!("mailstead {role}: {error}");
    }
    if let Some(outlet) = outlet {
        outlet.flush();
    }
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(DaemonError::Config(_)) => ExitCode::from(EXIT_USAGE),
        Err(_) => ExitCode::from(EXIT_SYSTEM),
    }
}

/// The log that a configuration asks for, even when nothing else of it can be used; for a person where it is no TOML.
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
    work: impl AsyncFnOnce(C, Sockets, Life) -> Result<(), DaemonError>,
    outlet: &mut Option<Outlet>,
) -> Result<(), DaemonError> {
    let config: C = config::load(path)?;
    // Before the log, which is a thread.
    let sockets = Sockets::inherited()?;
    *outlet = Some(logging::start(role, log(&config)));
    let runtime = runtime(role).map_err(DaemonError::Runtime)?;
    let ended = runtime.block_on(async { work(config, sockets, Life::new()?).await });
    // What still blocks on a disk must not keep the process: nothing of it has been answered for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

/// Reports that the runtime works, from a task of the runtime itself: when no thread of it gets round to a task any more,
/// or the process is stopped, process 1 hears nothing.
async fn report_alive(notifier: Arc<Notifier>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(WATCHDOG_SECONDS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        notifier.alive();
    }
}

impl Life {
    fn new() -> Result<Self, DaemonError> {
        let signals = Signals::new().map_err(DaemonError::Signals)?;
        let notifier = Arc::new(Notifier::from_environment());
        // From the first moment on, and through the drain: it ends with the process.
        tokio::spawn(report_alive(Arc::clone(&notifier)));
        Ok(Self { drain: Drain::new(), notifier, refusals: Refusals::default(), signals })
    }

    /// To be called when all services have started. Tells that the daemon is ready, reloads whenever asked to, and comes
    /// back when the daemon was asked to stop and its work has ended, or gone on for as long as `limit`.
    ///
    /// `reload` reads what is asked for. Each part that was read is in force at once; one that is refused is noted among
    /// [`Life::refusals`], which process 1 hears of.
    pub async fn lead(mut self, limit: Duration, mut reload: impl FnMut(Reload)) {
        tokio::spawn(self.refusals.clone().report(self.notifier.clone(), self.drain.stop()));
        self.notifier.ready();
        tracing::info!("ready");
        loop {
            let what = match self.signals.next().await {
                Event::Reload => Reload::All,
                Event::Accounts => Reload::Accounts,
                Event::Stop => break,
            };
            self.notifier.reloading();
            reload(what);
            if self.refusals.any() {
                tracing::warn!(%what, "reloaded in part");
            } else {
                tracing::info!(%what, "reloaded");
            }
            self.notifier.ready();
        }
        self.notifier.stopping();
        tracing::info!("stopping");
        tokio::select! {
            drained = self.drain.finish(limit) => if let Drained::Left(left) = drained {
                tracing::warn!(left, "stopped in the middle of work");
            },
            // A second request to stop means: now.
            () = self.signals.stop() => {}
        }
    }
}
