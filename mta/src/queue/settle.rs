//! The consequences of a message's state: its file, a report to the sender, setting aside, removal.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::QueueError;
use super::entry::Locked;
use super::envelope::{Envelope, InMemory, RecipientState};
use super::report;
use crate::site::Site;

/// The wait after a failure. A full disk is freed by the operator, or by another message's delivery. It is not long,
/// because until then a crash would deliver twice.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Writes a message's state to disk and takes the steps that follow from it.
///
/// A failure here loses nothing: the state stays in memory, and on disk at least the one before it, so that at worst a
/// recipient gets one more attempt after a restart. The write is retried in a minute.
pub(super) async fn settle(site: &Arc<Site>, envelope: &mut Locked) {
    let settled = write_and_report(site, envelope).await;
    envelope.settle_at = InMemory(settled.is_err().then(|| Instant::now() + RETRY_AFTER));
    if let Err(error) = settled {
        tracing::error!(id = %envelope.id, %error, "cannot write the state of a queued message");
    }
}

async fn write_and_report(site: &Arc<Site>, envelope: &mut Envelope) -> Result<(), QueueError> {
    let id = envelope.id;
    // Two lanes may end at once; the second finds everything done.
    if site.queue.entry(id).is_none() {
        return Ok(());
    }
    if envelope.is_done() {
        return site.queue.remove(id).await;
    }
    // Before the report, so that a crash in between reports twice rather than delivers twice.
    site.queue.write(envelope).await?;
    let failed = envelope.recipients.iter().any(|recipient| recipient.state == RecipientState::Failed);
    if !failed {
        return Ok(());
    }
    report::report_failures(site, envelope).await?;
    if envelope.is_done() {
        return site.queue.remove(id).await;
    }
    let is_any = |state| envelope.recipients.iter().any(|recipient| recipient.state == state);
    if is_any(RecipientState::Failed) && !is_any(RecipientState::Waiting) {
        tracing::error!(%id, sender = %envelope.sender, "message set aside: undeliverable, and no user can get a report");
        site.metrics.set_aside();
        return site.queue.set_aside(id).await;
    }
    site.queue.write(envelope).await
}
