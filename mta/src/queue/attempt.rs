//! One attempt to deliver a message in one lane: the recipients that are due there, from the moment they are claimed to
//! the moment their outcomes are on disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use address::{Address, ReversePath};

use super::entry::{Entry, Locked};
use super::envelope::{Recipient, RecipientState};
use super::lane::Lane;
use super::schedule::Schedule;
use super::{MailId, Queue, settle};
use crate::content::Content;
use crate::jitter;
use crate::local::TargetMailbox;
use crate::outbound::Declared;
use crate::outcome::{Outcome, Status};
use crate::site::Site;
use crate::timestamp::Timestamp;

/// The wait after a panic: the message that made one worker panic may make the next one panic as well.
const RETRY_AFTER_PANIC: Duration = Duration::from_secs(60);

/// A message that a worker has claimed from a lane. Dropped, the message waits in its lane again.
#[derive(Debug)]
pub(super) struct Claim {
    queue: Queue,
    lane: Lane,
    pub(super) id: MailId,
    is_started: bool,
}

/// Recipients that are being delivered. Dropped without outcomes, they wait again as if no attempt had been made.
pub(super) struct Attempt {
    site: Arc<Site>,
    entry: Entry,
    pub(super) id: MailId,
    /// The sender of the transaction: for mail from a peer that goes to another host, a return path at this host.
    pub(super) sender: ReversePath,
    pub(super) mailbox: TargetMailbox,
    pub(super) declared: Declared,
    pub(super) recipients: Vec<Address>,
    lane: Lane,
    /// As long as it lives, the recipients count as under way. `None` once the outcomes are noted.
    mark: Option<Arc<()>>,
    _counted: Underway,
}

/// The recipients of attempts that are under way, for the metrics.
#[derive(Debug)]
struct Underway(Queue, usize);

impl Underway {
    fn new(queue: Queue, count: usize) -> Self {
        queue.change_underway_count(|recipients| recipients + count);
        Self(queue, count)
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.change_underway_count(|recipients| recipients - self.1);
    }
}

impl Claim {
    pub(super) fn new(queue: Queue, lane: Lane, id: MailId) -> Self {
        Self { queue, lane, id, is_started: false }
    }

    /// Begins an attempt for the recipients that are due. Returns `None` when none is due: the message is gone, or its
    /// recipients wait for another moment or in another lane by now.
    pub(super) async fn begin(mut self, site: &Arc<Site>) -> Option<Attempt> {
        let entry = self.queue.entry(self.id);
        let Some(entry) = entry else {
            self.is_started = true;
            return None;
        };
        let mut envelope = entry.lock().await;
        self.is_started = true;
        let now = Instant::now();
        let mark = Arc::new(());
        let mut recipients = Vec::new();
        for recipient in &mut envelope.recipients {
            let is_due = recipient.due().is_some_and(|due| due <= now);
            if is_due && self.queue.routes().lane(&recipient.address) == self.lane {
                recipient.begin(&mark);
                recipients.push(recipient.address.clone());
            }
        }
        if recipients.is_empty() {
            return None;
        }
        let counted = Underway::new(self.queue.clone(), recipients.len());
        let mailbox = envelope.mailbox;
        let declared = Declared {
            body: envelope.body.into(),
            smtputf8: envelope.smtputf8,
            requires_tls: envelope.requires_tls,
        };
        let sender = match (&self.lane, &envelope.login) {
            (Lane::Remote(_), None) => site.return_path(&envelope.sender),
            _ => envelope.sender.clone(),
        };
        drop(envelope);
        let (site, id, lane) = (site.clone(), self.id, self.lane.clone());
        Some(Attempt {
            site,
            entry,
            id,
            sender,
            mailbox,
            declared,
            recipients,
            lane,
            mark: Some(mark),
            _counted: counted,
        })
    }

    /// Settles the message: retries the steps that follow from its recipients' states.
    pub(super) async fn settle(mut self, site: &Arc<Site>) {
        self.is_started = true;
        if let Some(entry) = self.queue.entry(self.id) {
            settle::settle(site, &mut entry.lock().await).await;
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Once begun, the envelope has decided; then this changes nothing but a slot that it has left in this lane.
        let wait = if self.is_started { Duration::ZERO } else { RETRY_AFTER_PANIC };
        self.queue.release(self.id, &self.lane, Instant::now() + wait);
    }
}

impl Attempt {
    /// The message's octets, or, when they cannot be read, the outcome of all recipients.
    pub(super) async fn content(&self) -> Result<Content, Outcome> {
        self.site.queue.read(self.id).await.map_err(|error| {
            tracing::error!(id = %self.id, %error, "cannot read a queued message");
            Outcome::deferred(Status::new(4, 3, 0), format!("cannot read the message: {error}"))
        })
    }

    /// Notes the outcomes, in the order of the recipients, and writes them to disk.
    pub(super) async fn record_outcomes(mut self, outcomes: &[Outcome]) {
        let now = Timestamp::now();
        let schedule = self.schedule();
        // Recipients that failed together are retried together.
        let random = jitter::fraction();
        let entry = self.entry.clone();
        let mut envelope = entry.lock().await;
        let age = envelope.age();
        let mark = self.mark.take().unwrap_or_default();
        for (address, outcome) in self.recipients.iter().zip(outcomes) {
            if let Some(recipient) = find(&mut envelope, address, &mark) {
                let attempts = recipient.attempts.saturating_add(1);
                recipient.note(outcome, now, schedule.wait(age, attempts, random));
                log(self.id, recipient, outcome);
                self.site.metrics.attempted(&self.lane, recipient.state);
            }
        }
        drop(mark);
        settle::settle(&self.site, &mut envelope).await;
    }

    fn schedule(&self) -> Schedule {
        let outbound = &self.site.settings().config.outbound;
        let first = Duration::from_secs(outbound.retry_seconds);
        let expire = Duration::from_secs(outbound.expire_seconds);
        match self.lane {
            Lane::Local | Lane::Settlement => Schedule::local(first, expire),
            Lane::Remote(_) => Schedule::remote(first, expire),
        }
    }
}

/// The recipient with that address in the attempt with this mark.
fn find<'a>(envelope: &'a mut Locked, address: &Address, mark: &Arc<()>) -> Option<&'a mut Recipient> {
    envelope.recipients.iter_mut().find(|recipient| recipient.is_in(mark) && recipient.address == *address)
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let (Some(mark), Ok(runtime)) = (self.mark.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (entry, recipients) = (self.entry.clone(), std::mem::take(&mut self.recipients));
        runtime.spawn(async move {
            let mut envelope = entry.lock().await;
            for address in &recipients {
                if let Some(recipient) = find(&mut envelope, address, &mark) {
                    recipient.defer(RETRY_AFTER_PANIC);
                }
            }
            drop(mark);
        });
    }
}

fn log(id: MailId, recipient: &Recipient, outcome: &Outcome) {
    let (recipient, state, attempts) = (&recipient.address, recipient.state, recipient.attempts);
    match outcome.reason() {
        None => tracing::info!(%id, %recipient, attempts, "delivered"),
        Some(reason) if state == RecipientState::Waiting => {
            tracing::info!(%id, %recipient, attempts, status = %reason.status, %reason, "deferred");
        }
        Some(reason) => tracing::warn!(%id, %recipient, attempts, status = %reason.status, %reason, "failed"),
    }
}
