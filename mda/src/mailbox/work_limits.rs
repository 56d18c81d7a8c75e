//! Permits for the threads that run blocking work.
//!
//! The daemon has few such threads ([`serve::runtime`]), and work on a mailbox may wait in one: for the mailbox's lock,
//! for a program that holds its files, for the disk. So work waits here first, without a thread, in the order of
//! arrival. A locked mailbox delays only its own sessions, and a busy user leaves threads to other users.
//!
//! ```text
//!   work on a mailbox ──► the mailbox's permits ──► the user's permits ──► a thread
//!   delivery ─────────────────────────────────────► the user's deliveries ─► a thread
//!   search ──────────────► the user's searches ───► all searches ──────────► a thread
//! ```
//!
//! A permit is for one piece of work, which never waits for another permit.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Threads per mailbox. They wait together for one sync of the disk.
pub(super) const MAX_PER_MAILBOX: usize = 8;
/// Threads per user. With deliveries and searches, less than half of all.
const MAX_PER_USER: usize = 12;
/// Concurrent deliveries per user, each of which waits for the disk.
const MAX_DELIVERIES: usize = 12;
/// Concurrent searches that read, per user. More would wait for the same disk.
const MAX_SEARCHES: usize = 2;
/// Concurrent searches that read, in total. Each holds about a megabyte at most: a header section, a part of the index,
/// a window.
const MAX_ALL_SEARCHES: usize = 4;

/// The limit on the searches of all users.
#[derive(Debug)]
pub(super) struct SearchLimit(Arc<Semaphore>);

impl Default for SearchLimit {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_ALL_SEARCHES)))
    }
}

/// One user's limits.
#[derive(Debug)]
pub(super) struct WorkLimits {
    work: Arc<Semaphore>,
    deliveries: Arc<Semaphore>,
    searches: Arc<Semaphore>,
    all_searches: Arc<Semaphore>,
}

/// The right to use a thread, until dropped.
#[derive(Debug)]
pub(crate) struct WorkPermit {
    /// Empty only while the runtime is shut down.
    _permits: [Option<OwnedSemaphorePermit>; 2],
}

impl WorkLimits {
    pub(super) fn new(searches: &SearchLimit) -> Self {
        let semaphore = |width| Arc::new(Semaphore::new(width));
        Self {
            work: semaphore(MAX_PER_USER),
            deliveries: semaphore(MAX_DELIVERIES),
            searches: semaphore(MAX_SEARCHES),
            all_searches: searches.0.clone(),
        }
    }

    /// A permit for work that does not wait for a mailbox.
    pub(super) async fn permit(&self) -> WorkPermit {
        WorkPermit { _permits: [acquire(&self.work).await, None] }
    }

    /// A permit for work on a mailbox, given that mailbox's permits.
    pub(super) async fn mailbox_permit(&self, mailbox: &Arc<Semaphore>) -> WorkPermit {
        let first = acquire(mailbox).await;
        WorkPermit { _permits: [first, acquire(&self.work).await] }
    }

    /// A permit to deliver.
    pub(super) async fn delivery_permit(&self) -> WorkPermit {
        WorkPermit { _permits: [acquire(&self.deliveries).await, None] }
    }

    /// A permit to read messages for a search.
    pub(super) async fn search_permit(&self) -> WorkPermit {
        let first = acquire(&self.searches).await;
        WorkPermit { _permits: [first, acquire(&self.all_searches).await] }
    }
}

async fn acquire(semaphore: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    semaphore.clone().acquire_owned().await.ok()
}
