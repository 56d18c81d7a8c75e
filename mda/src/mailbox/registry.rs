//! The mailboxes in use in this process, each once.
//!
//! A mailbox in use stays here. Of the others the most recently used ones stay for a while, since a client
//! that reconnects should find its mailbox loaded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use durable::SharedSync;
use tokio::sync::Semaphore;

use super::StoreError;
use super::live::LiveMailbox;
use super::work_limits::MAX_PER_MAILBOX;

/// Time that an unused mailbox stays loaded.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Maximum number of messages in all unused mailboxes: about 40 MB.
const MAX_IDLE_MESSAGES: u64 = 300_000;
/// Maximum number of unused mailboxes; each has two files open.
const MAX_IDLE_MAILBOXES: usize = 64;
/// Maximum number of folders' syncs kept; those in use live on when they are dropped here.
const MAX_SYNCS: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Registry {
    slots: Mutex<HashMap<PathBuf, Arc<Slot>>>,
    syncs: Mutex<HashMap<PathBuf, SharedSync>>,
}

/// The slot of one mailbox. Its mutex is held while the mailbox is loaded, so that it is loaded once.
#[derive(Debug)]
struct Slot {
    live: Mutex<Option<(Arc<LiveMailbox>, Instant)>>,
    /// Permits to wait for that mutex, or for the mailbox's own.
    permits: Arc<Semaphore>,
}

impl Default for Slot {
    fn default() -> Self {
        Self { live: Mutex::default(), permits: Arc::new(Semaphore::new(MAX_PER_MAILBOX)) }
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Option<(Arc<LiveMailbox>, Instant)>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the mailbox, or releases it if it is gone.
    fn current(live: &mut Option<(Arc<LiveMailbox>, Instant)>) -> Option<Arc<LiveMailbox>> {
        if live.as_ref().is_some_and(|(live, _)| live.is_gone()) {
            *live = None;
        }
        let (live, used) = live.as_mut()?;
        *used = Instant::now();
        Some(live.clone())
    }
}

impl Registry {
    /// The mailbox in this folder, loaded if it is not in use. Blocks.
    pub(super) fn open(
        &self,
        folder: &Path,
        load: impl FnOnce() -> Result<LiveMailbox, StoreError>,
    ) -> Result<Arc<LiveMailbox>, StoreError> {
        let slot = self.slots().entry(folder.to_owned()).or_default().clone();
        let mut held = slot.lock();
        if let Some(live) = Slot::current(&mut held) {
            return Ok(live);
        }
        let live = Arc::new(load()?);
        *held = Some((live.clone(), Instant::now()));
        Ok(live)
    }

    /// The permits of the mailbox in this folder.
    pub(super) fn permits(&self, folder: &Path) -> Arc<Semaphore> {
        self.slots().entry(folder.to_owned()).or_default().permits.clone()
    }

    /// Returns true if the mailbox in this folder may be in use.
    pub(super) fn is_used(&self, folder: &Path) -> bool {
        self.slots().contains_key(folder)
    }

    /// The mailbox in this folder, if it is watched. Blocks while it is being loaded.
    pub(super) fn find_watched(&self, folder: &Path) -> Option<Arc<LiveMailbox>> {
        let slot = self.slots().get(folder)?.clone();
        let live = slot.lock().as_ref().map(|(live, _)| live.clone());
        live.filter(|live| live.is_watched() && !live.is_gone())
    }

    /// Ends the use of the mailbox in this folder, which was removed or renamed.
    pub(super) fn mark_gone(&self, folder: &Path) {
        let slot = self.slots().remove(folder);
        if let Some((live, _)) = slot.and_then(|slot| slot.lock().take()) {
            live.mark_gone();
        }
    }

    /// Ends the use of all mailboxes below this folder, which was replaced.
    pub(super) fn mark_gone_below(&self, root: &Path) {
        let below: Vec<PathBuf> =
            self.slots().keys().filter(|folder| folder.starts_with(root)).cloned().collect();
        below.iter().for_each(|folder| self.mark_gone(folder));
    }

    /// The mailboxes that are watched.
    pub(super) fn watched(&self) -> Vec<Arc<LiveMailbox>> {
        let slots: Vec<_> = self.slots().values().cloned().collect();
        let live = slots.iter().filter_map(|slot| Some(slot.live.try_lock().ok()?.as_ref()?.0.clone()));
        live.filter(|live| live.is_watched()).collect()
    }

    /// Releases mailboxes that are unused for long, or too many. Blocks.
    pub(super) fn sweep(&self) {
        let mut idle = Vec::new();
        let slots: Vec<_> =
            self.slots().iter().map(|(folder, slot)| (folder.clone(), slot.clone())).collect();
        for (folder, slot) in slots {
            let Ok(held) = slot.live.try_lock() else { continue };
            match &*held {
                Some((live, used)) if Arc::strong_count(live) == 1 || live.is_gone() => {
                    idle.push((*used, u64::from(live.snapshot().len()), folder));
                }
                Some(_) => {}
                None => idle.push((long_ago(), 0, folder)),
            }
        }
        // The most recently used ones stay.
        idle.sort_by_key(|(used, ..)| std::cmp::Reverse(*used));
        let mut messages = 0;
        for (kept, (used, length, folder)) in idle.into_iter().enumerate() {
            messages += length;
            if used.elapsed() >= IDLE_TIMEOUT || kept >= MAX_IDLE_MAILBOXES || messages > MAX_IDLE_MESSAGES {
                self.release(&folder);
            }
        }
    }

    fn release(&self, folder: &Path) {
        let mut slots = self.slots();
        let Some(slot) = slots.get(folder).cloned() else { return };
        // Held only by the table and this function, so it is not about to be used.
        if Arc::strong_count(&slot) > 2 {
            return;
        }
        let Ok(mut held) = slot.live.try_lock() else { return };
        let is_held = held.as_ref().is_some_and(|(live, _)| Arc::strong_count(live) > 1 && !live.is_gone());
        if is_held {
            return;
        }
        match held.take() {
            None => {
                slots.remove(folder);
            }
            Some((live, _)) => {
                // A thread that opens it meanwhile waits for the slot, and finds the saved data. The slot is removed
                // the next time.
                drop(slots);
                live.save_mod_seqs();
            }
        }
    }

    /// Releases everything, at the end of the process. Blocks.
    pub(super) fn close(&self) {
        for (_, slot) in self.slots().drain() {
            if let Some((live, _)) = slot.lock().take() {
                live.save_mod_seqs();
            }
        }
    }

    /// The sync of a folder, shared by all deliveries to it.
    pub(super) fn sync_of(&self, folder: &Path) -> SharedSync {
        let mut syncs = self.syncs.lock().unwrap_or_else(PoisonError::into_inner);
        if syncs.len() >= MAX_SYNCS && !syncs.contains_key(folder) {
            syncs.clear();
        }
        syncs.entry(folder.to_owned()).or_insert_with(|| SharedSync::new(folder.to_owned())).clone()
    }

    /// Makes every sync of a folder fail from now on.
    #[cfg(test)]
    pub(super) fn fail_syncs_of(&self, folder: &Path) {
        let mut syncs = self.syncs.lock().unwrap_or_else(PoisonError::into_inner);
        syncs.insert(folder.to_owned(), SharedSync::new(folder.join("nowhere")));
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time long enough ago to be idle, or now on a machine that has only just started.
fn long_ago() -> Instant {
    let now = Instant::now();
    now.checked_sub(IDLE_TIMEOUT).unwrap_or(now)
}
