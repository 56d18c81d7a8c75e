//! A daemon's metrics, and the socket on which the steward requests them.
//!
//! ```text
//!   session ──counts──▶ metrics of its service ─┐
//!   daemon's own parts ────────────────────────▶ Metrics ──text──▶ run/<role>-metrics.sock ──▶ steward
//! ```
//!
//! The registry is a value owned by the daemon; counting costs an atomic addition and never waits. The text is
//! Prometheus' own, without its end marker, since the steward concatenates several. Label values are fixed in the
//! program: nothing that a peer sends becomes one.

mod memory;
mod service;

use std::io;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use handover::Memory;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::registry::Registry;

use crate::{Connection, Drain, Limits, Service};
pub use memory::register_memory;
use service::Services;
pub use service::{LoginOutcome, PeerKind, ServiceMetrics};

/// The prefix of every metric's name.
pub const PREFIX: &str = "mailstead";
/// Enough for the steward, and perhaps a person.
const CONNECTIONS: usize = 8;

/// The metrics of one daemon.
#[derive(Debug)]
pub struct Metrics {
    process: &'static str,
    registry: Registry,
    services: Services,
}

impl Metrics {
    /// The metrics of the process with this name, all zero.
    pub fn new(process: &'static str) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let services = Services::default();
        services.register(&mut registry);
        Self { process, registry, services }
    }

    /// The registry, for the metrics of the daemon's own parts.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// The metrics of one service, by its name in the log.
    pub fn service(&self, service: &'static str, kind: PeerKind) -> ServiceMetrics {
        ServiceMetrics::new(&self.services, service, kind)
    }

    /// All metrics at this moment.
    pub fn text(&self) -> String {
        let mut measured = Registry::with_prefix(PREFIX);
        register_memory(&mut measured, [(self.process, Memory::of_this_process())]);
        let mut text = self.counted();
        // Only writing can fail, and a string accepts everything.
        let _ = encode_registry(&mut text, &measured);
        text
    }

    /// The counted numbers, without those of the process.
    pub fn counted(&self) -> String {
        let mut text = String::new();
        // Only writing can fail, and a string accepts everything.
        let _ = encode_registry(&mut text, &self.registry);
        text
    }

    /// Sends them to every client that connects until the daemon stops. Does nothing without a listener.
    pub fn serve(self, listener: Option<UnixListener>, drain: &Drain) -> io::Result<()> {
        let metrics = Arc::new(self);
        Service::new("metrics", Limits::new(CONNECTIONS, 0), b"").start(
            listener.into_iter().collect(),
            drain,
            move |connection| send_text(connection, Arc::clone(&metrics)),
        )
    }
}

async fn send_text(mut connection: Connection, metrics: Arc<Metrics>) {
    // A client that has disconnected does not need them.
    let _ = connection.stream.send(metrics.text().as_bytes()).await;
    connection.stream.close().await;
}

#[cfg(test)]
mod tests;
