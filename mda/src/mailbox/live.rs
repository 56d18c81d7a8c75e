//! A mailbox that somebody in this process uses: its state, and the snapshots that it shows.
//!
//! ```text
//! change the state, under its mutex ─▶ copy of the snapshot ─▶ UID list to disk ─▶ folder to disk ─▶ show it
//! ```
//!
//! The disk is waited for outside of the mutex, so that those who change the mailbox at one time wait together. What is
//! shown is never older than what was shown before, and names no UID that is not on disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use durable::SharedSync;
use tokio::sync::watch;

use super::account::Home;
use super::state::State;
use super::{Snapshot, StoreError};
use crate::maildir::{FileName, MailboxName};

/// One mailbox in use.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) home: Arc<Home>,
    pub(super) name: MailboxName,
    pub(super) folder: PathBuf,
    pub(super) guid: String,
    state: Mutex<State>,
    shown: watch::Sender<Arc<Snapshot>>,
    /// How many of the appendings to the UID list are on disk.
    synced: AtomicU64,
    /// Messages that were delivered and that the state does not know yet.
    arrivals: Mutex<Vec<FileName>>,
    /// A thread is about to take them in.
    taking: AtomicBool,
    gone: AtomicBool,
}

impl Live {
    /// Reads the mailbox in that folder. Blocks.
    pub(super) fn load(home: Arc<Home>, name: &MailboxName, folder: PathBuf) -> Result<Self, StoreError> {
        let state = State::load(&home.root, name, folder.clone(), &home.host, &|guid, validity| {
            home.index.take_mod_seqs(guid, validity)
        })?;
        let (appended, sync) = state.appended();
        // What is shown first must be on disk too, whoever wrote it.
        sync.sync().map_err(StoreError::disk("sync the uid list in", &folder))?;
        Ok(Self {
            name: name.clone(),
            guid: state.guid().to_owned(),
            shown: watch::Sender::new(Arc::new(state.snapshot().clone())),
            synced: AtomicU64::new(appended),
            state: Mutex::new(state),
            arrivals: Mutex::default(),
            taking: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            folder,
            home,
        })
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.shown.borrow().clone()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.shown.subscribe()
    }

    pub(super) fn is_watched(&self) -> bool {
        self.shown.receiver_count() > 0
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Ends the mailbox's use: it was removed or renamed, or what is known of it cannot be relied on. Those who watch are
    /// woken.
    pub(super) fn end(&self) {
        if !self.gone.swap(true, Ordering::AcqRel) {
            self.shown.send_modify(|_| {});
        }
    }

    /// Changes the state, and shows what it is then. Blocks.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<(T, Arc<Snapshot>), StoreError> {
        self.change_in(None, change)
    }

    /// As [`Live::change`]; the folder is brought to disk before the change is shown.
    pub(super) fn change_in<T>(
        &self,
        folder: Option<&SharedSync>,
        change: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<(T, Arc<Snapshot>), StoreError> {
        if self.is_gone() {
            return Err(StoreError::Gone(self.name.clone()));
        }
        let Ok(mut state) = self.state.lock() else {
            // A change was cut short by a fault of ours. Whoever opens the mailbox next reads it anew.
            self.end();
            return Err(StoreError::Interrupted);
        };
        let before = state.snapshot().version();
        let outcome = change(&mut state);
        if let Err(error) = &outcome
            && state.is_gone(error)
        {
            self.end();
            return Err(StoreError::Gone(self.name.clone()));
        }
        // What was changed before a failure is shown too: it is so.
        let changed = (state.snapshot().version() != before).then(|| Arc::new(state.snapshot().clone()));
        let (appended, sync) = state.appended();
        drop(state);
        if changed.is_some() && self.synced.load(Ordering::Acquire) < appended {
            sync.sync().map_err(StoreError::disk("sync the uid list in", &self.folder))?;
            self.synced.fetch_max(appended, Ordering::AcqRel);
        }
        if outcome.is_ok()
            && let Some(folder) = folder
        {
            folder.sync().map_err(StoreError::disk("sync", folder.path()))?;
        }
        let snapshot = match changed {
            Some(snapshot) => {
                self.show(snapshot.clone());
                snapshot
            }
            None => self.snapshot(),
        };
        outcome.map(|value| (value, snapshot))
    }

    /// Looks for changes by other processes, unless a session does so at this moment. Blocks.
    pub(super) fn look(&self) -> Result<(), StoreError> {
        // The session that holds the state shows what it changes, and looks itself.
        if matches!(self.state.try_lock(), Err(TryLockError::WouldBlock)) {
            return Ok(());
        }
        self.change(|state| state.refresh()).map(drop)
    }

    fn show(&self, snapshot: Arc<Snapshot>) {
        self.shown.send_if_modified(|shown| {
            let newer = snapshot.version() > shown.version();
            if newer {
                *shown = snapshot;
            }
            newer
        });
    }

    /// Takes in a delivered message, and with it all that were delivered meanwhile. `id` is its name in the log. Blocks.
    pub(super) fn arrived(&self, id: &str, file: FileName) {
        let arrivals = || self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals().push(file);
        // One thread at most waits for the state's mutex, and takes in what came meanwhile too.
        if self.taking.swap(true, Ordering::AcqRel) {
            return;
        }
        let taken = self.change(|state| {
            self.taking.store(false, Ordering::Release);
            match std::mem::take(&mut *arrivals()) {
                files if files.is_empty() => Ok(()),
                files => state.arrive(files),
            }
        });
        // A change that did not begin has not said so.
        self.taking.store(false, Ordering::Release);
        if let Err(error) = taken {
            // They lie in `new`, and are found when somebody looks.
            tracing::warn!(id, mailbox = %self.folder.display(), %error, "cannot take in delivered messages yet");
        }
    }

    /// Lets the index remember what would be lost when nobody uses the mailbox any more. Blocks.
    pub(super) fn remember(&self) {
        if !self.is_gone() && !self.guid.is_empty() {
            let snapshot = self.snapshot();
            let messages = snapshot.entries().map(|entry| (entry.uid, entry.flags, entry.mod_seq.value()));
            self.home.index.save_mod_seqs(&self.guid, snapshot.uid_validity(), messages);
        }
    }

    /// The path of a message's file.
    pub(super) fn path(&self, file: &FileName) -> PathBuf {
        self.folder.join(file.path())
    }
}
