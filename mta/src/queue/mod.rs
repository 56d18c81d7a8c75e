//! The messages that we answer for until somebody else does.
//!
//! A message enters in two steps, so that nobody is told of it before it is safe: [`Queue::stage`] brings its octets
//! to disk, [`Staged::commit`] its envelope. From then on it survives anything but the disk, and leaves only
//! delivered, reported to its sender, or set aside for a person to see. [`run`] delivers what is due.
//!
//! | step                                      | file                      |
//! |-------------------------------------------|---------------------------|
//! | on disk, stage by stage                   | `store.rs`, `envelope.rs` |
//! | who is due next                           | `agenda.rs`               |
//! | one worker's messages to one destination  | `round.rs`                |
//! | one message's recipients on the way       | `parcel.rs`               |
//! | when to try again                         | `schedule.rs`             |
//! | what follows from the outcomes            | `settle.rs`               |
//! | telling the sender                        | `report.rs`               |

mod agenda;
mod envelope;
mod parcel;
mod report;
mod round;
mod run;
mod schedule;
mod settle;
mod store;

pub use envelope::{BodyKind, Envelope, Recipient, State};
pub use run::run;
pub use store::QueueError;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use address::{Address, ReversePath};
use serve::MailId;
use tokio::sync::{Notify, watch};

use crate::content::{Content, Spool};
use crate::timestamp::Timestamp;
use agenda::Agenda;
pub(crate) use agenda::Lane;
use store::{StagedMessage, Store};

/// The queue of this process. Cloned freely.
#[derive(Clone, Debug)]
pub struct Queue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    spool: Spool,
    /// All that is queued.
    entries: Mutex<HashMap<MailId, Entry>>,
    agenda: Mutex<Agenda>,
    /// What came in and is not on the agenda yet.
    fresh: Mutex<Vec<MailId>>,
    /// Whether everything is to be put on the agenda anew.
    rearrangement: Mutex<Option<Due>>,
    /// A reason to look at all this.
    wake: Notify,
    length: watch::Sender<usize>,
}

/// When what is put on the agenda anew is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// When it was due before.
    InTime,
    /// Now, where it goes elsewhere: what kept it there has changed.
    AtOnce,
}

/// One queued message. The lock is held while the envelope's file is written, so that the file is never older than
/// what others have seen.
type Entry = Arc<tokio::sync::Mutex<Envelope>>;

/// What a message is queued with.
#[derive(Clone, Debug)]
pub struct Posting {
    /// Who logged in to send it; none for a stranger, who is never told of failures.
    pub login: Option<Address>,
    /// Who hears of failures.
    pub sender: ReversePath,
    /// How the sender declared the body.
    pub body: BodyKind,
    /// For whom it is: at least one, each once.
    pub recipients: Vec<Address>,
}

/// A message whose octets are on disk, and for which nobody answers yet. Dropped, it is gone.
#[derive(Debug)]
pub struct Staged {
    queue: Queue,
    id: MailId,
    message: StagedMessage,
}

impl Queue {
    /// Opens the queue in `folder` and reads what is in it. Blocks.
    pub fn open(folder: &Path) -> Result<Self, QueueError> {
        let store = Store::open(folder)?;
        let envelopes = store.scan()?;
        let entries: HashMap<_, _> = envelopes
            .into_iter()
            .map(|envelope| (envelope.id, Arc::new(tokio::sync::Mutex::new(envelope))))
            .collect();
        let spool = Spool::new(store.tmp().to_owned());
        let length = watch::Sender::new(entries.len());
        let shared = Shared {
            store,
            spool,
            entries: Mutex::new(entries),
            agenda: Mutex::default(),
            fresh: Mutex::default(),
            rearrangement: Mutex::default(),
            wake: Notify::new(),
            length,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Where messages are kept while they arrive.
    pub fn spool(&self) -> &Spool {
        &self.shared.spool
    }

    /// How many messages are queued; tells of every change.
    pub fn length(&self) -> watch::Receiver<usize> {
        self.shared.length.subscribe()
    }

    /// Since when the oldest message is queued.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.entries().keys().min().map(|id| Timestamp::new(id.made_at()))
    }

    /// Brings a message's octets to disk under its name.
    pub async fn stage(&self, id: MailId, content: &Content) -> Result<Staged, QueueError> {
        let (queue, content) = (self.clone(), content.clone());
        off_the_runtime(move || {
            let message = queue.shared.store.stage(id, &content)?;
            Ok(Staged { queue, id, message })
        })
        .await
    }

    /// Puts everything on the agenda anew: what is local, and where the rest goes, may have changed.
    pub fn rearrange(&self, due: Due) {
        let mut asked = self.rearrangement();
        *asked = (*asked).max(Some(due));
        self.shared.wake.notify_one();
    }

    fn take_rearrangement(&self) -> Option<Due> {
        self.rearrangement().take()
    }

    fn rearrangement(&self) -> MutexGuard<'_, Option<Due>> {
        self.shared.rearrangement.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ids(&self) -> Vec<MailId> {
        let mut ids: Vec<_> = self.entries().keys().copied().collect();
        ids.sort();
        ids
    }

    fn take_fresh(&self) -> Vec<MailId> {
        std::mem::take(&mut self.fresh())
    }

    fn fresh(&self) -> MutexGuard<'_, Vec<MailId>> {
        self.shared.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<MailId, Entry>> {
        self.shared.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn agenda(&self) -> MutexGuard<'_, Agenda> {
        self.shared.agenda.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, id: MailId) -> Option<Entry> {
        self.entries().get(&id).cloned()
    }

    fn add(&self, envelope: Envelope) {
        let id = envelope.id;
        let mut entries = self.entries();
        entries.insert(id, Arc::new(tokio::sync::Mutex::new(envelope)));
        self.shared.length.send_replace(entries.len());
        drop(entries);
        self.fresh().push(id);
        self.shared.wake.notify_one();
    }

    fn forget(&self, id: MailId) {
        let mut entries = self.entries();
        entries.remove(&id);
        self.shared.length.send_replace(entries.len());
    }

    fn schedule(&self, id: MailId, lane: Lane, next: Timestamp) {
        self.agenda().add(id, lane, next);
        self.shared.wake.notify_one();
    }

    fn next(&self, lane: &Lane) -> Option<MailId> {
        self.agenda().next(lane, Timestamp::now())
    }

    fn next_all(&self, lane: &Lane) -> Vec<MailId> {
        self.agenda().next_all(lane)
    }

    fn finish(&self, lane: &Lane) {
        self.agenda().finish(lane);
        self.shared.wake.notify_one();
    }

    async fn read(&self, id: MailId) -> Result<Content, QueueError> {
        let queue = self.clone();
        off_the_runtime(move || Ok(queue.shared.store.read_message(id)?)).await
    }

    async fn write(&self, envelope: &Envelope) -> Result<(), QueueError> {
        let (queue, envelope) = (self.clone(), envelope.clone());
        off_the_runtime(move || queue.shared.store.write_envelope(&envelope)).await
    }

    async fn remove(&self, id: MailId) -> Result<(), QueueError> {
        let queue = self.clone();
        // Forgotten first: what cannot be removed now is done all the same, and is removed at the next start.
        self.forget(id);
        off_the_runtime(move || queue.shared.store.remove(id)).await
    }

    async fn set_aside(&self, id: MailId) -> Result<(), QueueError> {
        let queue = self.clone();
        self.forget(id);
        off_the_runtime(move || queue.shared.store.set_aside(id)).await
    }
}

impl Staged {
    /// Brings the envelope to disk: when this returns, we answer for the message. On failure nothing is left of it.
    pub async fn commit(self, posting: Posting) -> Result<MailId, QueueError> {
        off_the_runtime(move || {
            let now = Timestamp::now();
            let envelope = Envelope {
                id: self.id,
                created: now,
                login: posting.login,
                sender: posting.sender,
                body: posting.body,
                recipients: posting
                    .recipients
                    .into_iter()
                    .map(|address| Recipient::new(address, now))
                    .collect(),
                ahead_of_disk: false,
            };
            self.message.commit(&envelope)?;
            self.queue.add(envelope);
            Ok(self.id)
        })
        .await
    }
}

/// Runs what blocks on a thread made for it. Once begun it is finished, even when nobody waits for it any more.
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, QueueError> + Send + 'static,
) -> Result<T, QueueError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(QueueError::Disk(error.into())),
    }
}

#[cfg(test)]
mod tests;
