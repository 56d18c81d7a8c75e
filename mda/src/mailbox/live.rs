//! A mailbox in use by this process: its state, and the snapshots that it shows.
//!
//! ```text
//! change the state, under its mutex ─▶ copy of the snapshot ─▶ UID list to disk ─▶ folder to disk ─▶ show it
//! ```
//!
//! Syncs run outside of the mutex, so that concurrent changes of the mailbox share them. A snapshot that is
//! shown is never older than the one shown before, and names no UID that is not on disk.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use durable::SharedSync;
use tokio::sync::watch;

use super::account::MailHome;
use super::state::MailboxState;
use super::{Snapshot, StoreError};
use crate::maildir::{FileName, Folder, MailboxName, Uid, layout, regular};

/// The names that must be on disk when a change is shown.
pub(super) enum RequiredSync<'a> {
    /// Not necessarily any: messages that were found, claimed or marked as read are not promised to a client.
    None,
    /// The names of messages that were put into one folder.
    Placed(&'a SharedSync),
    /// The names of messages in both folders that were renamed or removed.
    Renamed,
}

/// The current state of `cur`: every change of a flag changes it, and a restored folder has another.
fn stamp(mailbox: &Path) -> String {
    std::fs::metadata(mailbox.join(Folder::Cur.as_str())).map_or(String::new(), |metadata| {
        format!("{} {} {}", metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
    })
}

/// One mailbox in use.
#[derive(Debug)]
pub(super) struct LiveMailbox {
    pub(super) home: Arc<MailHome>,
    pub(super) name: MailboxName,
    pub(super) folder: PathBuf,
    pub(super) guid: String,
    state: Mutex<MailboxState>,
    published: watch::Sender<Arc<Snapshot>>,
    /// The number of appends to the UID list that are on disk.
    synced_appends: AtomicU64,
    /// The version up to which changes of names in the folders are on disk.
    folders_synced: AtomicU64,
    /// Delivered messages that the state does not contain yet.
    delivered: Mutex<Vec<FileName>>,
    /// Set while a thread is about to add them.
    is_adding: AtomicBool,
    is_marked_gone: AtomicBool,
}

impl LiveMailbox {
    /// Reads the mailbox in that folder. Blocks.
    pub(super) fn load(home: Arc<MailHome>, name: &MailboxName, folder: PathBuf) -> Result<Self, StoreError> {
        let state = MailboxState::load(&home.root, name, folder.clone(), &home.host, &|guid, validity| {
            home.index.take_mod_seqs(guid, validity, &stamp(&folder))
        })?;
        let (appended, sync) = state.appended();
        // The first snapshot must be on disk too, whichever process wrote it.
        sync.sync().map_err(StoreError::disk("sync the uid list in", &folder))?;
        Ok(Self {
            name: name.clone(),
            guid: state.guid().to_owned(),
            published: watch::Sender::new(Arc::new(state.snapshot().clone())),
            synced_appends: AtomicU64::new(appended),
            folders_synced: AtomicU64::new(state.snapshot().version()),
            state: Mutex::new(state),
            delivered: Mutex::default(),
            is_adding: AtomicBool::new(false),
            is_marked_gone: AtomicBool::new(false),
            folder,
            home,
        })
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.published.borrow().clone()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.published.subscribe()
    }

    pub(super) fn is_watched(&self) -> bool {
        self.published.receiver_count() > 0
    }

    pub(super) fn is_gone(&self) -> bool {
        self.is_marked_gone.load(Ordering::Acquire)
    }

    /// Ends the mailbox's use: it was removed or renamed, or the known state cannot be relied on. Watchers are woken.
    pub(super) fn mark_gone(&self) {
        if !self.is_marked_gone.swap(true, Ordering::AcqRel) {
            self.published.send_modify(|_| {});
        }
    }

    /// Changes the state, and shows the result. Blocks.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut MailboxState) -> Result<T, StoreError>,
    ) -> Result<(T, Arc<Snapshot>), StoreError> {
        self.change_synced(&RequiredSync::None, change)
    }

    /// As [`LiveMailbox::change`]; names are synced before the change is shown.
    pub(super) fn change_synced<T>(
        &self,
        durable: &RequiredSync<'_>,
        change: impl FnOnce(&mut MailboxState) -> Result<T, StoreError>,
    ) -> Result<(T, Arc<Snapshot>), StoreError> {
        if self.is_gone() {
            return Err(StoreError::MailboxGone(self.name.clone()));
        }
        let Ok(mut state) = self.state.lock() else {
            // A change panicked. The next session that opens the mailbox reads it again.
            self.mark_gone();
            return Err(StoreError::Interrupted);
        };
        let before = state.snapshot().version();
        let outcome = change(&mut state);
        if let Err(error) = &outcome
            && state.is_gone(error)
        {
            self.mark_gone();
            return Err(StoreError::MailboxGone(self.name.clone()));
        }
        // The changes before a failure are shown too: they were made.
        let version = state.snapshot().version();
        let changed = (version != before).then(|| Arc::new(state.snapshot().clone()));
        let (appended, sync) = state.appended();
        drop(state);
        if changed.is_some() && self.synced_appends.load(Ordering::Acquire) < appended {
            sync.sync().map_err(StoreError::disk("sync the uid list in", &self.folder))?;
            self.synced_appends.fetch_max(appended, Ordering::AcqRel);
        }
        if outcome.is_ok() {
            self.sync_names(durable, version)?;
        }
        let snapshot = match changed {
            Some(snapshot) => {
                self.publish(snapshot.clone());
                snapshot
            }
            None => self.snapshot(),
        };
        outcome.map(|value| (value, snapshot))
    }

    /// Stores messages in the mailbox with `place`, which returns their UIDs. If they cannot be synced, they are
    /// removed again: the client gets an error, and must not find them later. Blocks.
    pub(super) fn place_durably(
        &self,
        folder: &SharedSync,
        place: impl FnOnce(&mut MailboxState) -> Result<Vec<Uid>, StoreError>,
    ) -> Result<(Vec<Uid>, Arc<Snapshot>), StoreError> {
        let mut placed = Vec::new();
        let outcome = self.change_synced(&RequiredSync::Placed(folder), |state| {
            placed = place(state)?;
            Ok(placed.clone())
        });
        if outcome.is_err()
            && !placed.is_empty()
            && let Err(error) = self.change(|state| state.remove(&placed))
        {
            tracing::error!(mailbox = %self.folder.display(), %error, "cannot remove refused messages, clients may see them");
        }
        outcome
    }

    /// Looks for changes by other processes, unless a session does so at this moment. Blocks.
    pub(super) fn poll(&self) -> Result<(), StoreError> {
        // The session that holds the state looks for changes itself, and shows them.
        if matches!(self.state.try_lock(), Err(TryLockError::WouldBlock)) {
            return Ok(());
        }
        self.change(|state| state.refresh()).map(drop)
    }

    fn sync_names(&self, durable: &RequiredSync<'_>, version: u64) -> Result<(), StoreError> {
        let sync = |folder: &SharedSync| folder.sync().map_err(StoreError::disk("sync", folder.path()));
        match durable {
            RequiredSync::None => Ok(()),
            RequiredSync::Placed(folder) => sync(folder),
            // A change of another session that is still being synced counts for this one too.
            RequiredSync::Renamed if self.folders_synced.load(Ordering::Acquire) < version => {
                // The second costs nothing if one journal holds both.
                for folder in [Folder::Cur, Folder::New] {
                    sync(&self.home.registry.sync_of(&self.folder.join(folder.as_str())))?;
                }
                self.folders_synced.fetch_max(version, Ordering::AcqRel);
                Ok(())
            }
            RequiredSync::Renamed => Ok(()),
        }
    }

    fn publish(&self, snapshot: Arc<Snapshot>) {
        self.published.send_if_modified(|shown| {
            let newer = snapshot.version() > shown.version();
            if newer {
                *shown = snapshot;
            }
            newer
        });
    }

    /// Adds a delivered message, and those delivered since. `id` is its mail id, for the log. Blocks.
    pub(super) fn add_delivered(&self, id: &str, file: FileName) {
        let arrivals = || self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals().push(file);
        // One thread at most waits for the state's mutex, and adds later ones too.
        if self.is_adding.swap(true, Ordering::AcqRel) {
            return;
        }
        let taken = self.change(|state| {
            self.is_adding.store(false, Ordering::Release);
            match std::mem::take(&mut *arrivals()) {
                files if files.is_empty() => Ok(()),
                files => state.add_delivered(files),
            }
        });
        // A change that did not begin has not reset it.
        self.is_adding.store(false, Ordering::Release);
        if let Err(error) = taken {
            // They are in `new`, and the next scan finds them.
            tracing::warn!(id, mailbox = %self.folder.display(), %error, "cannot show delivered messages yet");
        }
    }

    /// Saves in the index what would be lost when the mailbox is unloaded. Blocks.
    pub(super) fn save_mod_seqs(&self) {
        if !self.is_gone() && !self.guid.is_empty() {
            let snapshot = self.snapshot();
            let messages = snapshot.entries().map(|entry| (entry.uid, entry.flags, entry.mod_seq.value()));
            self.home.index.save_mod_seqs(
                &self.guid,
                snapshot.uid_validity(),
                &stamp(&self.folder),
                messages,
            );
        }
    }

    /// Creates folders of an existing mailbox that a restore or a manual change left out.
    pub(super) fn create_missing_folders(&self) -> Result<(), StoreError> {
        if self.folder.join(Folder::Cur.as_str()).is_dir() {
            layout::create_missing_folders(&self.folder)?;
        }
        Ok(())
    }

    /// Opens a message's file. Blocks.
    pub(super) fn open_message(&self, file: &FileName) -> Result<File, StoreError> {
        let path = self.path(file);
        match regular::open_to_read(&path) {
            Ok(Some(file)) => Ok(file),
            // Replaced by a file that is not a message.
            Ok(None) => Err(StoreError::MessageGone),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(StoreError::MessageGone),
            Err(error) => Err(StoreError::disk("open", &path)(error)),
        }
    }

    /// The path of a message's file.
    pub(super) fn path(&self, file: &FileName) -> PathBuf {
        self.folder.join(file.path())
    }
}
