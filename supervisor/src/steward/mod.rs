//! The steward, `mailstead steward`: the supervisor's unprivileged half, which answers for the health of the whole.
//!
//! It talks to nobody but whoever asks on the `http` socket. What it tells it reads at each question: the status
//! that process 1 writes, the certificate's file, the volume's free space. So there is nothing that could go
//! stale in it, and nothing that it could break.
//!
//! | page | answer |
//! |---|---|
//! | `GET /health/live` | 200 while process 1 turns its loop, else 503 |
//! | `GET /health/ready` | the [`report::Report`] as JSON: 200 while every daemon is ready, else 503 |

mod observation;
mod pages;
mod report;
mod rfc3339;
mod server;

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use handover::config::{self, Steward};
use handover::notice::Notifier;
use handover::sockets::Sockets;
use serve::{Drain, Event, Limits, Service, Signals};

use crate::exit::Exit;

/// The name of the socket on which health is asked for.
const SOCKET: &str = "http";
/// Health is asked for by the container's engine and by a person or two.
const CONNECTIONS: usize = 64;
/// Questions are answered in milliseconds; who is slower may ask again.
const DRAIN: Duration = Duration::from_secs(2);

/// Why the steward cannot work.
#[derive(Debug, thiserror::Error)]
enum StewardError {
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    #[error(transparent)]
    Socket(#[from] handover::sockets::SocketError),
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
    #[error("cannot listen for health questions: {0}")]
    Listen(std::io::Error),
    #[error("cannot take signals: {0}")]
    Signals(std::io::Error),
}

/// Runs until it is asked to stop.
pub fn run(config: &Path) -> ExitCode {
    let ended = config::load::<Steward>(config).map_err(StewardError::from).and_then(|steward| {
        serve::logging::start(&steward.log);
        // Before any thread: the sockets are named in the environment.
        let sockets = Sockets::inherited()?;
        let runtime = serve::runtime("steward").map_err(StewardError::Runtime)?;
        let ended = runtime.block_on(answer(config, steward, sockets));
        // A look at a disk that does not answer must not keep the process.
        runtime.shutdown_timeout(Duration::from_secs(1));
        ended
    });
    match ended {
        Ok(()) => Exit::Stopped.into(),
        Err(error) => {
            eprintln!("mailstead steward: {error}");
            match error {
                StewardError::Config(_) => Exit::Usage.into(),
                _ => Exit::System.into(),
            }
        }
    }
}

async fn answer(path: &Path, steward: Steward, mut sockets: Sockets) -> Result<(), StewardError> {
    let mut signals = Signals::new().map_err(StewardError::Signals)?;
    let drain = Drain::new();
    let listeners = sockets.take_tcp(SOCKET, &[steward.http])?;
    let current = Arc::new(RwLock::new(Arc::new(steward)));
    let session = {
        let current = Arc::clone(&current);
        move |connection| {
            let steward = current.read().unwrap_or_else(PoisonError::into_inner).clone();
            server::converse(connection, steward)
        }
    };
    Service::new("health", Limits::new(CONNECTIONS, 0), server::BUSY)
        .start(listeners, &drain, session)
        .map_err(StewardError::Listen)?;

    let notifier = Notifier::from_environment();
    notifier.ready();
    tracing::info!("ready");
    while signals.next().await == Event::Reload {
        notifier.reloading();
        match config::load::<Steward>(path) {
            Ok(steward) => {
                *current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(steward);
                tracing::info!("reloaded");
            }
            Err(error) => tracing::error!(%error, "not reloaded, going on as before"),
        }
        notifier.ready();
    }
    notifier.stopping();
    tokio::select! {
        _ = drain.finish(DRAIN) => {}
        // A second request to stop means: now.
        () = signals.stop() => {}
    }
    Ok(())
}
