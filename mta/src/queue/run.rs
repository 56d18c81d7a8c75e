//! The queue at work: gives lanes their workers until the daemon stops.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serve::Stop;
use tokio::task::JoinSet;

use super::agenda::Lane;
use super::envelope::State;
use super::{Due, MailId, Queue, round, settle};
use crate::site::Site;
use crate::timestamp::Timestamp;

/// The clock may be set while we wait by it; then the wait is at most this much too long.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Delivers what is due until the daemon stops, and then waits for the deliveries that are under way.
pub async fn run(site: Arc<Site>, mut stop: Stop) {
    let queue = &site.queue;
    let mut workers = JoinSet::new();
    queue.rearrange(Due::InTime);
    loop {
        if let Some(due) = queue.take_rearrangement() {
            queue.agenda().clear();
            arrange(&site, queue.ids(), due).await;
        }
        arrange(&site, queue.take_fresh(), Due::InTime).await;
        loop {
            let taken = queue.agenda().take(Timestamp::now());
            let Some((lane, first)) = taken else { break };
            workers.spawn(round::work(site.clone(), lane, first, stop.clone()));
        }
        tokio::select! {
            biased;
            () = stop.requested() => break,
            () = queue.shared.wake.notified() => {}
            () = tokio::time::sleep(wait(queue)) => {}
            Some(ended) = workers.join_next(), if !workers.is_empty() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a delivery was ended by a fault of ours");
                }
            }
        }
    }
    while workers.join_next().await.is_some() {}
    bring_to_disk(&site).await;
}

/// Whoever finds the disk full makes room and starts us anew: the last moment for what only we know.
async fn bring_to_disk(site: &Arc<Site>) {
    for id in site.queue.ids() {
        let Some(entry) = site.queue.entry(id) else { continue };
        let ahead = entry.lock().await.ahead_of_disk;
        if ahead {
            settle::settle(site, &entry).await;
        }
    }
}

/// How long nothing is due.
fn wait(queue: &Queue) -> Duration {
    let now = Timestamp::now();
    let next = queue.agenda().next_due();
    // The clock of the queue counts whole seconds: what is due in this one is due at its end.
    next.map_or(LONGEST_WAIT, |next| next.since(now).clamp(Duration::from_millis(100), LONGEST_WAIT))
}

/// Puts messages on the agenda, each once for every lane in which it has somebody waiting.
async fn arrange(site: &Arc<Site>, ids: Vec<MailId>, due: Due) {
    for id in ids {
        let Some(entry) = site.queue.entry(id) else { continue };
        let mut envelope = entry.lock().await;
        let mut lanes = BTreeMap::new();
        for recipient in &mut envelope.recipients {
            if recipient.state == State::Waiting && !recipient.underway {
                let lane = site.lane(&recipient.address);
                if due == Due::AtOnce && lane != Lane::Local {
                    // Not brought to disk: after a crash it waits for the time that was said before.
                    recipient.next = recipient.next.min(Timestamp::now());
                }
                let next = lanes.entry(lane).or_insert(recipient.next);
                *next = recipient.next.min(*next);
            }
        }
        let unsettled = envelope.is_unsettled();
        drop(envelope);
        for (lane, next) in lanes {
            site.queue.agenda().add(id, lane, next);
        }
        // A crash came between an outcome and what follows from it.
        if unsettled {
            settle::settle(site, &entry).await;
        }
    }
}
