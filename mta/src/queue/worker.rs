//! One worker: the messages of one lane, one after the other.

use std::sync::Arc;
use std::time::Duration;

use serve::StopSignal;

use super::agenda::WorkerPlace;
use super::attempt::{Attempt, Claim};
use super::lane::Lane;
use super::{Queue, slow};
use crate::local;
use crate::outbound::{Connection, Destination};
use crate::outcome::{Outcome, Status};
use crate::site::Site;

/// Messages on one connection at most. A host may expect a break after this many.
const MAX_MESSAGES: usize = 100;

/// A worker of one lane, with its place, which is returned however the worker ends.
pub(super) struct Worker {
    queue: Queue,
    place: WorkerPlace,
    /// The request to end, while the worker waits for a connection in a slow place.
    waiter: Option<slow::Waiter>,
}

impl Worker {
    pub(super) fn new(queue: Queue, place: WorkerPlace) -> Self {
        Self { queue, place, waiter: None }
    }

    fn lane(&self) -> Lane {
        self.place.lane.clone()
    }

    /// The next message of the lane, if the worker may continue.
    fn next(&mut self) -> Option<Claim> {
        let id = self.queue.next_message(&mut self.place)?;
        Some(Claim::new(self.queue.clone(), self.lane(), id))
    }

    /// All other messages that are ready in the lane.
    fn next_all(&self) -> Vec<Claim> {
        let ids = self.queue.claim_all_ready(&self.place.lane);
        ids.into_iter().map(|id| Claim::new(self.queue.clone(), self.lane(), id)).collect()
    }

    /// Waits for a peer. After some seconds the quick place is given up; a worker that waits for a connection may then
    /// be evicted, so that others get its slow place. The error is the outcome of an eviction.
    async fn wait_for<T>(&mut self, connecting: bool, work: impl Future<Output = T>) -> Result<T, Outcome> {
        let mut work = std::pin::pin!(work);
        let slow_after = self.queue.slow_after();
        self.waiter = (connecting && self.place.is_slow()).then(|| self.queue.slow().add_waiter());
        loop {
            tokio::select! {
                biased;
                done = &mut work => {
                    self.waiter = None;
                    return Ok(done);
                }
                () = slow::eviction_requested(&mut self.waiter) => {
                    self.waiter = None;
                    return Err(no_answer(slow_after));
                }
                () = tokio::time::sleep(slow_after), if !self.place.is_slow() => {
                    if self.queue.move_to_slow_pool(&mut self.place) && connecting {
                        self.waiter = Some(self.queue.slow().add_waiter());
                    }
                }
            }
        }
    }
}

fn no_answer(waited: Duration) -> Outcome {
    let text =
        format!("no connection after {} seconds, and other destinations are waiting", waited.as_secs());
    Outcome::deferred(Status::new(4, 4, 1), text)
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.queue.finish_worker(&self.place);
    }
}

/// Delivers the lane's messages, beginning with the first, until the worker has to end or the daemon stops.
pub(super) async fn run(site: Arc<Site>, mut worker: Worker, first: Claim, stop: StopSignal) {
    match worker.lane() {
        Lane::Settlement => settle(&site, &mut worker, first, &stop).await,
        Lane::Local => deliver_local(&site, &mut worker, first, &stop).await,
        Lane::Remote(destination) => deliver_remote(&site, &mut worker, &destination, first, &stop).await,
    }
}

async fn settle(site: &Arc<Site>, worker: &mut Worker, first: Claim, stop: &StopSignal) {
    let mut next = Some(first);
    while let Some(claim) = next {
        claim.settle(site).await;
        next = if stop.is_requested() { None } else { worker.next() };
    }
}

async fn deliver_local(site: &Arc<Site>, worker: &mut Worker, first: Claim, stop: &StopSignal) {
    let mut next = Some(first);
    while let Some(claim) = next {
        if let Some(attempt) = claim.begin(site).await {
            let outcomes = match attempt.content().await {
                Ok(content) => {
                    let config = &site.settings().config;
                    let (socket, recipients) = (&config.lmtp, &attempt.recipients);
                    let (hostname, sender) = (&config.hostname, &attempt.sender);
                    local::deliver(
                        socket,
                        hostname,
                        attempt.id,
                        sender,
                        recipients,
                        attempt.mailbox,
                        &content,
                    )
                    .await
                }
                Err(outcome) => vec![outcome; attempt.recipients.len()],
            };
            attempt.record_outcomes(&outcomes).await;
        }
        next = if stop.is_requested() { None } else { worker.next() };
    }
}

async fn deliver_remote(
    site: &Arc<Site>,
    worker: &mut Worker,
    destination: &Destination,
    first: Claim,
    stop: &StopSignal,
) {
    let mut held = HeldConnection::default();
    let mut next = Some(first);
    while let Some(claim) = next {
        if let Some(attempt) = claim.begin(site).await {
            match held.send(site, worker, destination, &attempt).await {
                Ok(outcomes) => attempt.record_outcomes(&outcomes).await,
                Err(outcome) => {
                    end_all(attempt, &outcome).await;
                    // An obstacle to reaching the host applies to all messages that are ready for it.
                    for claim in worker.next_all() {
                        if let Some(attempt) = claim.begin(site).await {
                            end_all(attempt, &outcome).await;
                        }
                    }
                }
            }
        }
        next = if stop.is_requested() { None } else { worker.next() };
    }
    held.quit().await;
}

async fn end_all(attempt: Attempt, outcome: &Outcome) {
    let outcomes = vec![outcome.clone(); attempt.recipients.len()];
    attempt.record_outcomes(&outcomes).await;
}

/// The connection that a worker holds, and the number of messages sent on it.
#[derive(Default)]
struct HeldConnection {
    connection: Option<Connection>,
    messages: usize,
}

impl HeldConnection {
    /// Sends a message over the open connection, or a new one. The error means that no host can be reached.
    async fn send(
        &mut self,
        site: &Arc<Site>,
        worker: &mut Worker,
        destination: &Destination,
        attempt: &Attempt,
    ) -> Result<Vec<Outcome>, Outcome> {
        let content = match attempt.content().await {
            Ok(content) => content,
            Err(outcome) => return Ok(vec![outcome; attempt.recipients.len()]),
        };
        loop {
            let used = self.messages;
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => {
                    let connected = worker.wait_for(true, connect(site, destination, attempt)).await??;
                    worker.queue.note_reachable(&worker.place.lane);
                    connected
                }
            };
            let (sender, recipients, declared) = (&attempt.sender, &attempt.recipients, attempt.declared);
            let sending = connection.send(attempt.id, sender, recipients, declared, &content);
            let outcomes = worker.wait_for(false, sending).await?;
            if connection.is_ready() && used + 1 < MAX_MESSAGES {
                (self.connection, self.messages) = (Some(connection), used + 1);
            } else {
                self.messages = 0;
                tokio::spawn(connection.quit());
            }
            // A host may close a connection that it considers used up; the message has nothing to do with that.
            let closed = self.connection.is_none() && outcomes.iter().all(only_connection_ended);
            if used == 0 || !closed {
                return Ok(outcomes);
            }
        }
    }

    async fn quit(self) {
        if let Some(connection) = self.connection {
            connection.quit().await;
        }
    }
}

/// Opens a new connection, by the current settings. A failure with settings that were replaced
/// meanwhile says nothing about the new ones.
async fn connect(site: &Site, destination: &Destination, attempt: &Attempt) -> Result<Connection, Outcome> {
    loop {
        let settings = site.settings();
        let connected = settings.outbound.connect(attempt.id, destination).await;
        if connected.is_err() && !Arc::ptr_eq(&settings, &site.settings()) {
            continue;
        }
        if let Destination::Relay(relay) = destination {
            site.note_relay(relay, &connected);
        }
        return connected;
    }
}

/// True if an outcome says only that the connection ended: it broke, or the host sent 421 (RFC 5321 §3.8).
fn only_connection_ended(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Deferred(reason) => reason.remote.is_none() || reason.text.starts_with("421"),
        Outcome::Delivered | Outcome::Failed(_) => false,
    }
}
