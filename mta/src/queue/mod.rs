//! The messages that we answer for until somebody else does.
//!
//! A message enters in two steps, so that nobody is told of it before it is safe: [`Queue::stage`] brings its octets
//! to disk, [`Staged::commit`] its envelope. From then on it survives anything but the disk, and leaves only
//! delivered, reported to its sender, or set aside for a person to see. [`Queue::run`] delivers what is due.
//!
//! | step                          | file                     |
//! |-------------------------------|--------------------------|
//! | on disk, stage by stage       | `store.rs`, `envelope.rs` |
//! | who is due next               | `agenda.rs`              |
//! | when to try again             | `schedule.rs`            |
//! | one destination's messages    | `round.rs`               |
//! | telling the sender            | `report.rs`              |

mod envelope;
mod id;
mod store;

pub use envelope::{BodyKind, Envelope, Recipient, State};
pub use id::QueueId;
pub use store::QueueError;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use address::{Address, ReversePath};
use tokio::sync::watch;

use crate::content::{Content, Spool};
use crate::timestamp::Timestamp;
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
    /// All that is queued. The lock of an envelope is held while its file is written.
    entries: Mutex<HashMap<QueueId, Entry>>,
    length: watch::Sender<usize>,
}

/// One queued message.
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
    id: QueueId,
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
        Ok(Self { shared: Arc::new(Shared { store, spool, entries: Mutex::new(entries), length }) })
    }

    /// Where messages are kept while they arrive.
    pub fn spool(&self) -> &Spool {
        &self.shared.spool
    }

    /// How many messages are queued; tells of every change.
    pub fn length(&self) -> watch::Receiver<usize> {
        self.shared.length.subscribe()
    }

    /// Brings a message's octets to disk under its name.
    pub async fn stage(&self, id: QueueId, content: &Content) -> Result<Staged, QueueError> {
        let (queue, content) = (self.clone(), content.clone());
        off_the_runtime(move || {
            let message = queue.shared.store.stage(id, &content)?;
            Ok(Staged { queue, id, message })
        })
        .await
    }

    fn add(&self, envelope: Envelope) {
        let mut entries = self.shared.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.insert(envelope.id, Arc::new(tokio::sync::Mutex::new(envelope)));
        self.shared.length.send_replace(entries.len());
    }
}

impl Staged {
    /// Brings the envelope to disk: when this returns, we answer for the message. On failure nothing is left of it.
    pub async fn commit(self, posting: Posting) -> Result<QueueId, QueueError> {
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
