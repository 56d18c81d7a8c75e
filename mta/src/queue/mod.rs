//! The messages for which we are responsible until another host accepts them.
//!
//! A message enters in two steps, so that it is acknowledged only once it is safe: [`Queue::stage`] writes its octets
//! to disk, [`Staged::commit`] its envelope. From then on it survives anything but the loss of the disk, and leaves the
//! queue only when it is delivered, reported to its sender, or set aside for the operator. [`run()`] delivers the
//! messages that are due.
//!
//! | step                                      | file                      |
//! |-------------------------------------------|---------------------------|
//! | the files, and their stages               | `store.rs`, `envelope.rs` |
//! | undeliverable messages, for the operator  | `dead.rs`                 |
//! | the only way to change an envelope        | `entry.rs`                |
//! | the lane of an address                    | `lane.rs`                 |
//! | the next attempts, and their concurrency  | `agenda.rs`               |
//! | one worker's messages to one destination  | `worker.rs`, `slow.rs`    |
//! | one message's recipients in an attempt    | `attempt.rs`              |
//! | the times of retries                      | `schedule.rs`             |
//! | the consequences of the outcomes          | `settle.rs`               |
//! | a report, and the person that gets it     | `report.rs`               |
//! | one note a day for each failing forward   | `notes.rs`                |
//!
//! By construction a recipient that is neither delivered nor reported has a slot on the agenda or a live attempt:
//! [`entry::Locked`] computes the slots from the envelope after every change, and a message enters [`Shared::entries`]
//! together with its slots. [`Queue::repair`] compares them all the same from time to time.

mod agenda;
mod attempt;
mod dead;
mod entry;
mod envelope;
mod lane;
mod notes;
mod plan;
mod report;
mod run;
mod schedule;
mod settle;
mod slow;
mod store;
mod worker;

pub use dead::DeadMessages;
pub use envelope::{BodyKind, Envelope, Origin, Recipient, RecipientState};
pub(crate) use lane::Lane;
pub use lane::Routes;
pub use run::run;
pub use store::QueueError;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use address::{Address, ReversePath};
use serve::MailId;
use tokio::sync::{Notify, watch};

use crate::content::{Content, Spool};
use crate::local::TargetMailbox;
use crate::timestamp::Timestamp;
use agenda::{Agenda, WorkerLimits};
use notes::Notes;
use slow::SlowWorkers;
use store::{StagedMessage, Store};

/// The queue of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Queue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    spool: Spool,
    routes: Routes,
    /// All queued messages.
    entries: Mutex<HashMap<MailId, Arc<tokio::sync::Mutex<Envelope>>>>,
    agenda: Mutex<Agenda>,
    /// Recipients of attempts that are under way.
    underway: Mutex<usize>,
    slow: SlowWorkers,
    slow_after: Duration,
    /// The request to put every message on the agenda again.
    reschedule_request: Mutex<Option<Reschedule>>,
    /// Wakes the main loop.
    wake: Notify,
    length: watch::Sender<usize>,
    dead: watch::Sender<DeadMessages>,
    notes: Notes,
}

/// The workers for other hosts, and the time after which a destination counts as slow.
#[derive(Clone, Copy, Debug)]
struct WorkerSettings {
    workers: WorkerLimits,
    slow_after: Duration,
}

impl Default for WorkerSettings {
    /// A healthy host answers within a second or two; some delay their greeting to unknown clients.
    fn default() -> Self {
        Self { workers: WorkerLimits::default(), slow_after: Duration::from_secs(5) }
    }
}

/// The due time of messages that are put on the agenda again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reschedule {
    /// The same as before.
    AsPlanned,
    /// Now, for remote recipients: the cause of their delay has changed.
    Immediately,
}

/// The envelope of a message that is to be queued.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// The authenticated user; `None` for mail from a peer.
    pub login: Option<Address>,
    /// The origin of a message without a login.
    pub origin: Origin,
    /// The address for reports.
    pub sender: ReversePath,
    /// The sender's declaration of the body.
    pub body: BodyKind,
    /// The mailbox of each local recipient.
    pub mailbox: TargetMailbox,
    /// True if the client that sent it declared SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// The demand that it travels under TLS to verified hosts only (RFC 8689).
    pub requires_tls: bool,
    /// The recipients: at least one, each once.
    pub recipients: Vec<NewRecipient>,
}

/// A recipient of a message that is to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecipient {
    /// The mailbox.
    pub address: Address,
    /// The address here through which the message reaches the mailbox, if it is an alias.
    pub alias: Option<Address>,
}

impl From<Address> for NewRecipient {
    fn from(address: Address) -> Self {
        Self { address, alias: None }
    }
}

/// Numbers of recipients that are neither delivered nor reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipients {
    /// Recipients with a slot on the agenda.
    pub scheduled: usize,
    /// Recipients of attempts that are under way.
    pub underway: usize,
}

/// A message whose octets are on disk, and for which we are not responsible yet. Removed when it is dropped.
#[derive(Debug)]
pub struct Staged {
    queue: Queue,
    id: MailId,
    message: StagedMessage,
}

impl Queue {
    /// Opens the queue in `folder` and puts the messages in it on the agenda. Blocks.
    pub fn open(folder: &Path, routes: Routes) -> Result<Self, QueueError> {
        Self::open_with(folder, routes, WorkerSettings::default())
    }

    fn open_with(folder: &Path, routes: Routes, settings: WorkerSettings) -> Result<Self, QueueError> {
        let store = Store::open(folder)?;
        let envelopes = store.scan()?;
        let dead = store.dead().tidy()?;
        let spool = Spool::new(store.spool_folder().to_owned());
        let shared = Shared {
            store,
            spool,
            routes,
            entries: Mutex::default(),
            agenda: Mutex::new(Agenda::new(settings.workers)),
            underway: Mutex::default(),
            slow: SlowWorkers::default(),
            slow_after: settings.slow_after,
            reschedule_request: Mutex::default(),
            wake: Notify::new(),
            length: watch::Sender::new(0),
            dead: watch::Sender::new(dead),
            notes: Notes::default(),
        };
        let queue = Self { shared: Arc::new(shared) };
        let now = Timestamp::now();
        for mut envelope in envelopes {
            envelope.resume(now);
            queue.add(envelope);
        }
        Ok(queue)
    }

    /// The place of messages while they arrive.
    pub fn spool(&self) -> &Spool {
        &self.shared.spool
    }

    /// The number of queued messages; notifies of every change.
    pub fn length(&self) -> watch::Receiver<usize> {
        self.shared.length.subscribe()
    }

    /// The time since which the oldest message is queued.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.entries().keys().min().map(|id| Timestamp::new(id.created_at()))
    }

    /// The messages that were given up and are in `dead/`; notifies of every change.
    pub fn dead(&self) -> watch::Receiver<DeadMessages> {
        self.shared.dead.subscribe()
    }

    /// The numbers of recipients that wait.
    pub fn recipients(&self) -> Recipients {
        let agenda = self.agenda();
        Recipients { scheduled: agenda.recipients(), underway: *self.underway_count() }
    }

    /// Writes a message's octets to disk under its identifier.
    pub async fn stage(&self, id: MailId, content: &Content) -> Result<Staged, QueueError> {
        let (queue, content) = (self.clone(), content.clone());
        run_blocking(move || {
            let message = queue.shared.store.stage(id, &content)?;
            Ok(Staged { queue, id, message })
        })
        .await
    }

    fn ids(&self) -> Vec<MailId> {
        let mut ids: Vec<_> = self.entries().keys().copied().collect();
        ids.sort();
        ids
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<MailId, Arc<tokio::sync::Mutex<Envelope>>>> {
        self.shared.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, id: MailId) -> Result<Content, QueueError> {
        let queue = self.clone();
        run_blocking(move || Ok(queue.shared.store.read_message(id)?)).await
    }

    async fn write(&self, envelope: &Envelope) -> Result<(), QueueError> {
        let (queue, envelope) = (self.clone(), envelope.clone());
        run_blocking(move || queue.shared.store.write_envelope(&envelope)).await
    }

    /// Removes a message that is done. On failure the message stays in the queue, and this step is retried.
    async fn remove(&self, id: MailId) -> Result<(), QueueError> {
        let queue = self.clone();
        run_blocking(move || {
            queue.shared.store.remove(id)?;
            queue.remove_entry(id);
            Ok(())
        })
        .await
    }

    /// Moves a message to `dead/`. On failure the message stays in the queue, and this step is retried.
    async fn set_aside(&self, id: MailId) -> Result<(), QueueError> {
        let queue = self.clone();
        run_blocking(move || {
            queue.shared.store.set_aside(id)?;
            queue.remove_entry(id);
            queue.count_dead();
            Ok(())
        })
        .await
    }

    /// Counts the messages in `dead/`: an operator may have removed some.
    async fn recount_dead(&self) {
        let queue = self.clone();
        let looked = run_blocking(move || {
            queue.count_dead();
            Ok(())
        });
        // A failure to start a thread is not worth a log line: the count is repeated in ten minutes.
        let _ = looked.await;
    }

    /// Removes the messages in `dead/` above its limits, and counts the rest. Blocks.
    fn count_dead(&self) {
        match self.shared.store.dead().tidy() {
            Ok(dead) => _ = self.shared.dead.send_replace(dead),
            Err(error) => tracing::error!(%error, "cannot clean up queue/dead"),
        }
    }
}

impl Staged {
    /// Writes the envelope to disk: when this returns, we are responsible for the message. On failure both files are
    /// removed.
    pub async fn commit(self, entry: NewEntry) -> Result<MailId, QueueError> {
        run_blocking(move || {
            let envelope = Envelope::new(self.id, entry, Timestamp::now());
            self.message.commit(&envelope)?;
            self.queue.add(envelope);
            Ok(self.id)
        })
        .await
    }
}

/// Runs blocking work on a thread for such work. Once started it runs to its end, even if the caller no longer waits
/// for it.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, QueueError> + Send + 'static,
) -> Result<T, QueueError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(QueueError::Disk(error.into())),
    }
}

#[cfg(test)]
mod tests;
