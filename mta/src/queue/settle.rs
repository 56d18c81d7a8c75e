//! What follows from a message's state: tell the sender, set it aside, or forget it.

use std::sync::Arc;
use std::time::Duration;

use super::agenda::Lane;
use super::envelope::{Envelope, State};
use super::report::{self, Told};
use super::{Entry, QueueError};
use crate::site::Site;
use crate::timestamp::Timestamp;

/// A full disk takes a person, or another message's delivery. Until then a crash would deliver twice, so it is not long.
const AGAIN: Duration = Duration::from_secs(60);

/// Brings a message's state to disk and does what is left to be done for it.
///
/// Nothing is lost by a failure here: the state stays in memory, and on disk at least the one before it, so that at
/// worst a recipient is tried once more after a restart.
pub(super) async fn settle(site: &Arc<Site>, entry: &Entry) {
    let mut envelope = entry.lock().await;
    let settled = settle_locked(site, &mut envelope).await;
    envelope.ahead_of_disk = settled.is_err();
    if let Err(error) = settled {
        tracing::error!(id = %envelope.id, %error, "cannot bring a queued message's state to disk");
        // Whoever looks whether somebody is due settles what is left.
        site.queue.schedule(envelope.id, Lane::Local, Timestamp::now().after(AGAIN));
    }
}

async fn settle_locked(site: &Arc<Site>, envelope: &mut Envelope) -> Result<(), QueueError> {
    let id = envelope.id;
    // Two lanes may end at once; whoever comes second finds everything done.
    if site.queue.entry(id).is_none() {
        return Ok(());
    }
    if envelope.is_done() {
        return site.queue.remove(id).await;
    }
    // Before the sender is told, so that a crash in between tells twice rather than delivers twice.
    site.queue.write(envelope).await?;
    let failed = envelope.recipients.iter().any(|recipient| recipient.state == State::Failed);
    if !failed {
        return Ok(());
    }
    if report::send(site, envelope).await? == Told::Sender {
        site.metrics.bounced();
        for recipient in &mut envelope.recipients {
            if recipient.state == State::Failed {
                recipient.state = State::Reported;
            }
        }
        if envelope.is_done() {
            return site.queue.remove(id).await;
        }
        return site.queue.write(envelope).await;
    }
    // Nobody may be told: a stranger's address may be anybody's.
    if envelope.recipients.iter().all(|recipient| recipient.state != State::Waiting) {
        tracing::error!(%id, sender = %envelope.sender, "gave up a message whose sender cannot be told; set aside");
        site.metrics.set_aside();
        return site.queue.set_aside(id).await;
    }
    Ok(())
}
