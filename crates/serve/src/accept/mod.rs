//! Accepting connections: one loop per listener, one task per connection.
//!
//! What must never happen here: that the loop ends while the daemon runs, that it spins when the system is out
//! of descriptors, and that one peer keeps others from being accepted.

mod listener;
mod turned_away;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::drain::Guard;
use crate::metrics::Meter;
use crate::{Drain, Limits, Peer, Refusal, Stop, Stream};
pub use listener::Listener;
use turned_away::TurnedAway;

/// One accepted connection.
#[derive(Debug)]
pub struct Connection {
    /// Its octets, not encrypted yet.
    pub stream: Stream,
    /// Who is at the other end.
    pub peer: Peer,
    /// Our own address that the peer has reached, for a host.
    pub local: Option<SocketAddr>,
    /// Says when the daemon stops. It waits for the session to end, up to a limit.
    pub stop: Stop,
}

/// What is offered on some listeners.
#[derive(Debug, Clone)]
pub struct Service {
    name: &'static str,
    limits: Arc<Limits>,
    busy: &'static [u8],
    meter: Meter,
    turned_away: Arc<TurnedAway>,
}

/// The wait after an accept that failed for want of descriptors or memory. Whoever is in the backlog waits as
/// long; a session that ends meanwhile makes room.
const SHORT_OF_MEANS: Duration = Duration::from_millis(200);

/// How long a session that we have ended may take to say so and close. It was waiting for its peer then, so that nothing
/// is cut off in the middle.
const LAST_WORDS: Duration = Duration::from_secs(3);

impl Service {
    /// A service by its name in the log. `busy` is what a peer beyond the limits is told in the protocol's own
    /// words before the connection is closed; empty where TLS comes first.
    pub fn new(name: &'static str, limits: Arc<Limits>, busy: &'static [u8]) -> Self {
        Self { name, limits, busy, meter: Meter::default(), turned_away: Arc::default() }
    }

    /// The same, with its sessions counted.
    #[must_use]
    pub fn counted(self, meter: Meter) -> Self {
        Self { meter, ..self }
    }

    /// Accepts on each of the listeners until the daemon stops, and runs `session` as a task for each
    /// connection. A listener that cannot be used is an error; nothing is accepted then.
    pub fn start<L, S, F>(&self, listeners: Vec<L>, drain: &Drain, session: S) -> io::Result<()>
    where
        Listener: TryFrom<L, Error = io::Error>,
        S: Fn(Connection) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listeners: Vec<Listener> =
            listeners.into_iter().map(Listener::try_from).collect::<Result<_, _>>()?;
        self.limits.start_looking_after();
        for listener in listeners {
            tokio::spawn(self.clone().accept(listener, drain.stop(), drain.guard(), session.clone()));
        }
        Ok(())
    }

    async fn accept<S, F>(self, listener: Listener, mut stop: Stop, guard: Guard, session: S)
    where
        S: Fn(Connection) -> F,
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
                    self.admit(accepted, &stop, &guard, &session);
                }
                // The peer was gone before we came to it: nobody else's matter.
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if !is_short {
                        tracing::error!(service = self.name, %error, "cannot accept connections; trying on");
                    }
                    is_short = true;
                    tokio::select! {
                        () = stop.requested() => return,
                        () = tokio::time::sleep(SHORT_OF_MEANS) => {}
                    }
                }
            }
        }
    }

    fn admit<S, F>(&self, accepted: listener::Accepted, stop: &Stop, guard: &Guard, session: &S)
    where
        S: Fn(Connection) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let peer = accepted.peer();
        self.limits.crowd().greets(self.name, peer);
        let permit = match self.limits.admit(peer) {
            Ok(permit) => permit,
            Err(refusal) => {
                let limit = match refusal {
                    Refusal::Total => "total",
                    Refusal::Address => "address",
                };
                if let Some(unsaid) = self.turned_away.count(Instant::now()) {
                    tracing::warn!(service = self.name, %peer, limit, unsaid, "connection refused, too many");
                }
                self.meter.turned_away();
                accepted.refuse(self.busy);
                return;
            }
        };
        if let Some(evicted) = permit.evicted()
            && let Some(unsaid) = self.turned_away.count(Instant::now())
        {
            tracing::warn!(service = self.name, peer = %evicted, unsaid, "slowest session ended, too many");
        }
        let ending = Ending { name: self.name, peer };
        let guard = guard.clone();
        let running = self.meter.begin();
        let pace = permit.pace().clone();
        let session = session(accepted.into_connection(stop.clone(), self.meter.clone(), pace.clone()));
        tokio::spawn(async move {
            // Given back when the session ends, by itself or by a panic; the guard last.
            let _held = (ending, permit, running, guard);
            let cut_off = async {
                pace.ended().await;
                tokio::time::sleep(LAST_WORDS).await;
            };
            tokio::select! {
                biased;
                () = session => {}
                () = cut_off => {}
            }
        });
    }
}

/// Logs that a session was ended by a panic; the runtime has kept it from going further.
struct Ending {
    name: &'static str,
    peer: Peer,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(service = self.name, peer = %self.peer, "session ended by a fault of ours");
        }
    }
}

/// Errors of accept(2) that concern the one connection that could not be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted | Kind::ConnectionReset | Kind::ConnectionRefused | Kind::Interrupted
    )
}

#[cfg(test)]
mod tests;
