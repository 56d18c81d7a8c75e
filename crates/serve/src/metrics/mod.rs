//! A daemon's own numbers, and the socket on which the steward asks for them.
//!
//! ```text
//!   session ──counts──▶ Meter of its service ─┐
//!   daemon's own parts ──────────────────────▶ Metrics ──text──▶ run/<role>-metrics.sock ──▶ steward
//! ```
//!
//! The registry is a value of the daemon's and nobody else's; counting costs an atomic addition and never waits. The
//! text is Prometheus' own, without the mark of its end, since the steward puts several together. Labels have values
//! that are fixed in the program: nothing that a peer says becomes one.

mod memory;
mod meter;

use std::io;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use handover::Memory;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::registry::Registry;

use crate::{Connection, Drain, Limits, Service};
pub use memory::tell_memory;
use meter::Services;
pub use meter::{Kind, Login, Meter};

/// What every name begins with.
pub const PREFIX: &str = "mailstead";
/// The steward asks, and perhaps a person.
const CONNECTIONS: usize = 8;

/// The numbers of one daemon.
#[derive(Debug)]
pub struct Metrics {
    process: &'static str,
    registry: Registry,
    services: Services,
}

impl Metrics {
    /// The numbers of the process with this name, of which nothing has been counted yet.
    pub fn new(process: &'static str) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let services = Services::default();
        services.register(&mut registry);
        Self { process, registry, services }
    }

    /// Where the daemon's own parts put theirs.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// The numbers of one service, by its name in the log.
    pub fn meter(&self, service: &'static str, kind: Kind) -> Meter {
        Meter::new(&self.services, service, kind)
    }

    /// All numbers of this moment.
    pub fn text(&self) -> String {
        let mut measured = Registry::with_prefix(PREFIX);
        tell_memory(&mut measured, [(self.process, Memory::of_this_process())]);
        let mut text = String::new();
        for registry in [&self.registry, &measured] {
            // Only a writer fails, and a text takes everything.
            let _ = encode_registry(&mut text, registry);
        }
        text
    }

    /// Tells them to everybody who connects until the daemon stops. Without a listener nobody is told.
    pub fn serve(self, listener: Option<UnixListener>, drain: &Drain) -> io::Result<()> {
        let metrics = Arc::new(self);
        Service::new("metrics", Limits::new(CONNECTIONS, 0), b"").start(
            listener.into_iter().collect(),
            drain,
            move |connection| tell(connection, Arc::clone(&metrics)),
        )
    }
}

async fn tell(mut connection: Connection, metrics: Arc<Metrics>) {
    // Who has gone away does not want to know.
    let _ = connection.stream.send(metrics.text().as_bytes()).await;
    connection.stream.close().await;
}

#[cfg(test)]
mod tests;
