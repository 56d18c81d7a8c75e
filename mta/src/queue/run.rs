//! The main loop of the queue: starts the workers of the lanes until the daemon stops.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serve::StopSignal;
use tokio::task::JoinSet;

use super::attempt::Claim;
use super::lane::Lane;
use super::{Queue, Reschedule, settle, worker};
use crate::site::Site;

/// Time between two checks of the agenda against the envelopes, and of the messages in `dead/`.
const CHECK_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// Delivers the messages that are due until the daemon stops, and then waits for the deliveries that are under way.
pub async fn run(site: Arc<Site>, mut stop: StopSignal) {
    let queue = &site.queue;
    let mut workers = JoinSet::new();
    let mut next_check = Instant::now() + CHECK_INTERVAL;
    loop {
        if let Some(due) = queue.take_reschedule_request() {
            reschedule_all(queue, due).await;
        }
        if next_check <= Instant::now() {
            site.metrics.strays(queue.repair());
            queue.recount_dead().await;
            next_check = Instant::now() + CHECK_INTERVAL;
        }
        while let Some((place, id)) = queue.start_worker() {
            let claim = Claim::new(queue.clone(), place.lane.clone(), id);
            let worker = worker::Worker::new(queue.clone(), place);
            workers.spawn(worker::run(site.clone(), worker, claim, stop.clone()));
        }
        let wake_at = queue.next_due().map_or(next_check, |due| due.min(next_check));
        tokio::select! {
            biased;
            () = stop.requested() => break,
            () = queue.shared.wake.notified() => {}
            () = tokio::time::sleep_until(wake_at.into()) => {}
            Some(ended) = workers.join_next(), if !workers.is_empty() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "delivery panicked");
                }
            }
        }
    }
    while workers.join_next().await.is_some() {}
    write_pending_states(&site).await;
}

/// After a full disk, an operator makes room and restarts: the last moment for the states that are in memory only.
async fn write_pending_states(site: &Arc<Site>) {
    for id in site.queue.ids() {
        let Some(entry) = site.queue.entry(id) else { continue };
        let mut envelope = entry.lock().await;
        if envelope.settle_at.0.is_some() {
            settle::settle(site, &mut envelope).await;
        }
    }
}

/// Puts every message on the agenda again: its lanes may have changed.
async fn reschedule_all(queue: &Queue, due: Reschedule) {
    for id in queue.ids() {
        let Some(entry) = queue.entry(id) else { continue };
        let mut envelope = entry.lock().await;
        if due == Reschedule::Immediately {
            for recipient in &mut envelope.recipients {
                if queue.routes().lane(&recipient.address) != Lane::Local {
                    // Not written to disk: after a crash it waits for the time in the file.
                    recipient.defer(Duration::ZERO);
                }
            }
        }
    }
}
