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

pub mod findings;
mod observation;
mod pages;
mod report;
mod server;

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use handover::config::{self, Steward};
use handover::sockets::Sockets;
use serve::daemon::{self, DaemonError, Life};
use serve::{Limits, Service};

use findings::Findings;

/// The name of the socket on which health is asked for.
const SOCKET: &str = "http";
/// Health is asked for by the container's engine and by a person or two.
const CONNECTIONS: usize = 64;
/// Questions are answered in milliseconds; who is slower may ask again.
const DRAIN: Duration = Duration::from_secs(2);

/// Runs until it is asked to stop.
pub fn run(config: &Path) -> ExitCode {
    daemon::run(
        "steward",
        config,
        |steward: &Steward| &steward.log,
        async |steward, sockets, life| answer(config, steward, sockets, life).await,
    )
}

async fn answer(path: &Path, steward: Steward, mut sockets: Sockets, life: Life) -> Result<(), DaemonError> {
    let listeners = sockets.take_tcp(SOCKET, &[steward.http])?;
    let current = Arc::new(RwLock::new(Arc::new(steward)));
    let findings = Findings::default();
    let session = {
        let (current, findings) = (Arc::clone(&current), findings.clone());
        move |connection| {
            let steward = current.read().unwrap_or_else(PoisonError::into_inner).clone();
            server::converse(connection, steward, findings.clone())
        }
    };
    Service::new("health", Limits::new(CONNECTIONS, 0), server::BUSY)
        .start(listeners, &life.drain, session)
        .map_err(DaemonError::Listen)?;

    life.lead(DRAIN, || {
        *current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config::load(path)?);
        Ok(())
    })
    .await;
    Ok(())
}
