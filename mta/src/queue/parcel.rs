//! One message on its way to one lane: the recipients that are due there, from the moment they are taken up to the
//! moment their outcomes are on disk.

use std::sync::Arc;

use address::{Address, ReversePath};

use super::envelope::{Recipient, State};
use super::schedule::Schedule;
use super::{BodyKind, Entry, MailId, agenda::Lane, settle};
use crate::chance;
use crate::content::Content;
use crate::outcome::Outcome;
use crate::site::Site;
use crate::timestamp::Timestamp;

/// Recipients that are being delivered. Dropped without outcomes, they are as if nothing had been tried.
pub(super) struct Parcel {
    site: Arc<Site>,
    entry: Entry,
    pub(super) id: MailId,
    pub(super) sender: ReversePath,
    pub(super) body: BodyKind,
    pub(super) recipients: Vec<Address>,
    lane: Lane,
    ended: bool,
}

/// Takes up the recipients of a message that are due in a lane. None when there is not one: the message is gone, or
/// something else took them up.
pub(super) async fn take_up(site: &Arc<Site>, lane: &Lane, id: MailId) -> Option<Parcel> {
    let entry = site.queue.entry(id)?;
    let mut envelope = entry.lock().await;
    let now = Timestamp::now();
    let due = |recipient: &Recipient| {
        recipient.state == State::Waiting
            && !recipient.underway
            && recipient.next <= now
            && site.lane(&recipient.address) == *lane
    };
    let mut recipients = Vec::new();
    for recipient in envelope.recipients.iter_mut().filter(|recipient| due(recipient)) {
        recipient.underway = true;
        recipients.push(recipient.address.clone());
    }
    let (sender, body) = (envelope.sender.clone(), envelope.body);
    let unsettled = envelope.is_unsettled();
    drop(envelope);
    if recipients.is_empty() {
        // What an earlier attempt left to be told may be told now.
        if unsettled {
            settle::settle(site, &entry).await;
        }
        return None;
    }
    Some(Parcel { site: site.clone(), entry, id, sender, body, recipients, lane: lane.clone(), ended: false })
}

impl Parcel {
    /// The message's octets. When they cannot be read, the outcome of all recipients.
    pub(super) async fn content(&self) -> Result<Content, Outcome> {
        self.site.queue.read(self.id).await.map_err(|error| {
            tracing::error!(id = %self.id, %error, "cannot read a queued message");
            Outcome::deferred(
                crate::outcome::Status::new(4, 3, 0),
                format!("cannot read the message: {error}"),
            )
        })
    }

    /// Notes the outcomes, in the order of the recipients, and brings them to disk.
    pub(super) async fn end(mut self, outcomes: &[Outcome]) {
        self.ended = true;
        let now = Timestamp::now();
        let schedule = self.schedule();
        let mut envelope = self.entry.lock().await;
        let created = envelope.created;
        let mut next: Option<Timestamp> = None;
        for (address, outcome) in self.recipients.iter().zip(outcomes) {
            let underway = |recipient: &&mut Recipient| recipient.underway && recipient.address == *address;
            let Some(recipient) = envelope.recipients.iter_mut().find(underway) else { continue };
            let attempts = recipient.attempts.saturating_add(1);
            let retry = schedule.retry(created, attempts, now, chance::fraction());
            recipient.note(outcome, now, retry);
            recipient.underway = false;
            log(self.id, recipient, outcome);
            self.site.metrics.tried(&self.lane, recipient.state);
            if recipient.state == State::Waiting {
                next = Some(next.map_or(recipient.next, |next| next.min(recipient.next)));
            }
        }
        drop(envelope);
        settle::settle(&self.site, &self.entry).await;
        if let Some(next) = next {
            self.site.queue.schedule(self.id, self.lane.clone(), next);
        }
    }

    fn schedule(&self) -> Schedule {
        let outbound = &self.site.settings().config.outbound;
        let first = std::time::Duration::from_secs(outbound.retry_seconds);
        let expire = std::time::Duration::from_secs(outbound.expire_seconds);
        match self.lane {
            Lane::Local => Schedule::local(first, expire),
            Lane::Remote(_) => Schedule::remote(first, expire),
        }
    }
}

impl Drop for Parcel {
    /// A worker that was stopped, or tripped, must not keep the recipients for itself.
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.ended {
            return;
        }
        let (site, entry, id, lane) = (self.site.clone(), self.entry.clone(), self.id, self.lane.clone());
        let recipients = std::mem::take(&mut self.recipients);
        runtime.spawn(async move {
            let mut envelope = entry.lock().await;
            let ours =
                envelope.recipients.iter_mut().filter(|recipient| recipients.contains(&recipient.address));
            ours.for_each(|recipient| recipient.underway = false);
            drop(envelope);
            // Not at once: what tripped a worker may do so again.
            site.queue.schedule(id, lane, Timestamp::now().after(std::time::Duration::from_secs(60)));
        });
    }
}

fn log(id: MailId, recipient: &Recipient, outcome: &Outcome) {
    let (recipient, state, attempts) = (&recipient.address, recipient.state, recipient.attempts);
    match outcome.reason() {
        None => tracing::info!(%id, %recipient, attempts, "delivered"),
        Some(reason) if state == State::Waiting => {
            tracing::info!(%id, %recipient, attempts, status = %reason.status, %reason, "deferred");
        }
        Some(reason) => tracing::warn!(%id, %recipient, attempts, status = %reason.status, %reason, "failed"),
    }
}
