//! Accepting connections: one loop per listener, one task per connection.
//!
//! The loop must not end while the daemon runs, must not spin when the system is out of descriptors, and must not let
//! one peer keep others from being accepted.

mod listener;
mod refused_connections;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::drain::DrainGuard;
use crate::metrics::ServiceMetrics;
use crate::proxy::{self, ProxyError};
use crate::{Drain, Limits, Peer, Refusal, StopSignal, Stream, TrustedProxies};
pub use listener::Listener;
use refused_connections::RefusedConnections;

/// One accepted connection.
#[derive(Debug)]
pub struct Connection {
    /// The stream, not encrypted yet.
    pub stream: Stream,
    /// The peer.
    pub peer: Peer,
    /// The local address that the peer has connected to; `None` for a Unix socket.
    pub local: Option<SocketAddr>,
    /// Signals that the daemon is stopping. The daemon waits for the session to end, up to a limit.
    pub stop: StopSignal,
}

/// A protocol that is served on a set of listeners.
#[derive(Debug, Clone)]
pub struct Service {
    name: &'static str,
    limits: Arc<Limits>,
    busy: &'static [u8],
    metrics: ServiceMetrics,
    refused: Arc<RefusedConnections>,
    proxies: TrustedProxies,
    /// One permit for each connection that waits for its PROXY header.
    waiting: Arc<Semaphore>,
    refused_proxies: Arc<RefusedConnections>,
}

/// The wait after an accept that failed for lack of descriptors or memory. Peers in the backlog wait as
/// long; a session that ends meanwhile makes room.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);

/// The time that an evicted or expired session has to send its last reply and close. It was waiting for its peer then,
/// so no work is cut off in the middle.
const ENDING_TIMEOUT: Duration = Duration::from_secs(3);

impl Service {
    /// A service by its name in the log. `busy` is the protocol's reply to a peer beyond the limits, sent
    /// before the connection is closed; empty where TLS comes first.
    pub fn new(name: &'static str, limits: Arc<Limits>, busy: &'static [u8]) -> Self {
        Self {
            name,
            limits,
            busy,
            metrics: ServiceMetrics::default(),
            refused: Arc::default(),
            proxies: TrustedProxies::default(),
            waiting: Arc::new(Semaphore::new(proxy::MAX_WAITING)),
            refused_proxies: Arc::default(),
        }
    }

    /// Counts the sessions in these metrics.
    #[must_use]
    pub fn with_metrics(self, metrics: ServiceMetrics) -> Self {
        Self { metrics, ..self }
    }

    /// Requires a PROXY header of these proxies, and serves the client that it names.
    #[must_use]
    pub fn with_proxies(self, proxies: TrustedProxies) -> Self {
        Self { proxies, ..self }
    }

    /// Accepts on each of the listeners until the daemon stops, and runs `session` as a task for each
    /// connection. An unusable listener is an error; then nothing is accepted.
    pub fn start<L, S, F>(&self, listeners: Vec<L>, drain: &Drain, session: S) -> io::Result<()>
    where
        Listener: TryFrom<L, Error = io::Error>,
        S: Fn(Connection) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listeners: Vec<Listener> =
            listeners.into_iter().map(Listener::try_from).collect::<Result<_, _>>()?;
        self.limits.start_watching();
        for listener in listeners {
            tokio::spawn(self.clone().accept(listener, drain.stop(), drain.guard(), session.clone()));
        }
        Ok(())
    }

    async fn accept<S, F>(self, listener: Listener, mut stop: StopSignal, guard: DrainGuard, session: S)
    where
        S: Fn(Connection) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut is_short = false;
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.requested() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok(accepted) => {
                    is_short = false;
                    if accepted.peer().ip().is_some_and(|address| self.proxies.contains(address)) {
                        self.wait_for_header(accepted, stop.clone(), guard.clone(), session.clone());
                    } else {
                        self.admit(accepted, &stop, &guard, &session);
                    }
                }
                // The peer has disconnected before it was accepted, which does not affect others.
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if !is_short {
                        tracing::error!(service = self.name, %error, "cannot accept connections, retrying");
                    }
                    is_short = true;
                    tokio::select! {
                        () = stop.requested() => return,
                        () = tokio::time::sleep(ACCEPT_RETRY) => {}
                    }
                }
            }
        }
    }

    /// Admits a proxy's connection when its header has arrived. The limits count the client, not the proxy.
    fn wait_for_header<S, F>(
        &self,
        mut accepted: listener::Accepted,
        mut stop: StopSignal,
        guard: DrainGuard,
        session: S,
    ) where
        S: Fn(Connection) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let proxy = accepted.peer();
        let Ok(waiting) = Arc::clone(&self.waiting).try_acquire_owned() else {
            return self.refuse_proxy(proxy, &"too many connections wait for their PROXY header");
        };
        let service = self.clone();
        tokio::spawn(async move {
            let Some((stream, peer)) = accepted.tcp() else { return };
            let source = tokio::select! {
                biased;
                () = stop.requested() => return,
                source = service.proxies.read_source(stream, peer.ip(), service.limits.shared_addresses()) => source,
            };
            drop(waiting);
            match source {
                Ok(Some(client)) => *peer = client,
                Ok(None) => {}
                // A health check that only connects is common, and says nothing about the proxy's settings.
                Err(ProxyError::Closed) => return,
                Err(error) => return service.refuse_proxy(proxy, &error),
            }
            service.admit(accepted, &stop, &guard, &session);
        });
    }

    /// Logs that a proxy's connection is closed.
    fn refuse_proxy(&self, proxy: Peer, error: &dyn std::fmt::Display) {
        self.metrics.refused_connection();
        if let Some(unlogged) = self.refused_proxies.count(Instant::now()) {
            tracing::warn!(service = self.name, %proxy, %error, fix = proxy::FIX, unlogged, "connection of a proxy refused");
        }
    }

    fn admit<S, F>(&self, accepted: listener::Accepted, stop: &StopSignal, guard: &DrainGuard, session: &S)
    where
        S: Fn(Connection) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let peer = accepted.peer();
        self.limits.shared_addresses().record_connection(self.name, peer);
        self.metrics.connected(peer, accepted.local());
        let permit = match self.limits.admit(peer) {
            Ok(permit) => permit,
            Err(refusal) => {
                let limit = match refusal {
                    Refusal::Total => "total",
                    Refusal::Address => "address",
                };
                if let Some(unlogged) = self.refused.count(Instant::now()) {
                    tracing::warn!(service = self.name, %peer, limit, unlogged, "connection refused, too many");
                }
                self.metrics.refused_connection();
                accepted.refuse(self.busy);
                return;
            }
        };
        if let Some(evicted) = permit.evicted()
            && let Some(unlogged) = self.refused.count(Instant::now())
        {
            tracing::warn!(service = self.name, peer = %evicted, unlogged, "session evicted, too many connections");
        }
        let ending = Ending { name: self.name, peer };
        let guard = guard.clone();
        let running = self.metrics.begin();
        let pace = permit.pace().clone();
        let session = session(accepted.into_connection(stop.clone(), self.metrics.clone(), pace.clone()));
        tokio::spawn(async move {
            // Released when the session ends, normally or by a panic; the guard last.
            let _held = (ending, permit, running, guard);
            let cut_off = async {
                pace.ended().await;
                tokio::time::sleep(ENDING_TIMEOUT).await;
            };
            tokio::select! {
                biased;
                () = session => {}
                () = cut_off => {}
            }
        });
    }
}

/// Logs that a session panicked; the runtime keeps the panic from going further.
struct Ending {
    name: &'static str,
    peer: Peer,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(service = self.name, peer = %self.peer, "session panicked");
        }
    }
}

/// True for errors of accept(2) that concern only the connection that could not be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted | Kind::ConnectionReset | Kind::ConnectionRefused | Kind::Interrupted
    )
}

#[cfg(test)]
mod tests;
