//! How much a user keeps, and whether there is room for more.
//!
//! What counts are the octets of the messages' files, in all mailboxes. They are known without a look at the messages:
//! `maildirsize` tells them, and whatever changes a mailbox adds to it. Room is promised before a message is stored, so
//! that two that come at once do not both get the last of it; another process may still take it between the promise and
//! the message, and then the bound is passed by that one message.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use address::Address;
use arc_swap::ArcSwap;
use handover::config::Quotas;

use super::account::Home;
use super::{Account, StoreError};
use crate::maildir::size_file::{self, Size};

/// What a user may keep, and keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The bound, in octets.
    pub bound: u64,
    /// What is kept.
    pub kept: u64,
}

/// One user's account of octets.
#[derive(Debug)]
pub(super) struct Usage {
    user: Address,
    quotas: Arc<ArcSwap<Quotas>>,
    /// Held by who asks for room, until it is promised.
    asking: Mutex<()>,
    /// Octets that were promised to messages that are not stored yet.
    promised: AtomicU64,
    /// Held for reading while a mailbox changes, until that is noted and a promise for it is at its end; and for writing
    /// while all are counted. So what is counted is not added again, and is not promised any more.
    changes: RwLock<()>,
}

/// Room that was promised to a message; it ends with this value, when the message is stored or given up.
#[derive(Debug)]
pub struct Room {
    home: Arc<Home>,
    octets: u64,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.home.usage.promised.fetch_sub(self.octets, Ordering::SeqCst);
    }
}

impl Account {
    /// Promises room for so many octets.
    pub async fn room(&self, octets: u64) -> Result<Room, StoreError> {
        let home = self.home();
        // Most have no bound, and need no thread to be told so.
        match home.usage.bound() {
            Some(_) => self.work(move |home| room(home, octets)).await,
            None => Ok(Room { home: home.clone(), octets: 0 }),
        }
    }

    /// What the user may keep; nothing when there is no bound.
    pub async fn quota(&self) -> Result<Option<Quota>, StoreError> {
        self.work(|home| {
            let Some(bound) = home.usage.bound() else { return Ok(None) };
            let kept = home.usage.kept(&home.root, bound)?;
            Ok(Some(Quota { bound, kept: kept.octets }))
        })
        .await
    }
}

/// As [`Account::room`]. Blocks.
pub(super) fn room(home: &Arc<Home>, octets: u64) -> Result<Room, StoreError> {
    let usage = &home.usage;
    let Some(bound) = usage.bound() else { return Ok(Room { home: home.clone(), octets: 0 }) };
    // Held while it is counted: who asks at the same time would count as well.
    let _asking = usage.asking.lock().unwrap_or_else(PoisonError::into_inner);
    if !usage.is_surely_room(&home.root, bound, octets) && !usage.is_room(&home.root, bound, octets)? {
        return Err(StoreError::OverQuota { bound });
    }
    usage.promised.fetch_add(octets, Ordering::SeqCst);
    Ok(Room { home: home.clone(), octets })
}

impl Usage {
    pub(super) fn new(user: Address, quotas: Arc<ArcSwap<Quotas>>) -> Self {
        Self {
            user,
            quotas,
            asking: Mutex::default(),
            promised: AtomicU64::new(0),
            changes: RwLock::default(),
        }
    }

    pub(super) fn bound(&self) -> Option<u64> {
        self.quotas.load().of(&self.user)
    }

    /// Whether there is room by what is known without keeping anybody from changing a mailbox. A message that is stored at
    /// this moment may be counted twice, never not at all: its promise, which is looked at first, ends after it was noted.
    fn is_surely_room(&self, root: &Path, bound: u64, octets: u64) -> bool {
        let promised = self.promised.load(Ordering::SeqCst);
        size_file::read(root, bound).is_some_and(|told| fits(told.size, promised, octets, bound))
    }

    /// Whether there is room, while nobody changes a mailbox. All is counted, but for what was counted lately.
    fn is_room(&self, root: &Path, bound: u64, octets: u64) -> Result<bool, StoreError> {
        let _nobody_changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        let promised = self.promised.load(Ordering::SeqCst);
        let told = size_file::read(root, bound).filter(|told| told.is_fresh);
        let kept = match told {
            Some(told) => told.size,
            None => size_file::count(root, bound)?,
        };
        Ok(fits(kept, promised, octets, bound))
    }

    /// What is kept. It is counted when nobody has.
    fn kept(&self, root: &Path, bound: u64) -> Result<Size, StoreError> {
        if let Some(told) = size_file::read(root, bound) {
            return Ok(told.size);
        }
        let _nobody_changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        Ok(size_file::count(root, bound)?)
    }

    /// To be held from before a mailbox changes until that is noted, and a promise for it is at its end.
    pub(super) fn change(&self) -> RwLockReadGuard<'_, ()> {
        self.changes.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fits(kept: Size, promised: u64, octets: u64, bound: u64) -> bool {
    kept.octets.saturating_add(promised).saturating_add(octets) <= bound
}

impl Home {
    /// Notes that messages of these sizes were stored.
    pub(super) fn grew(&self, sizes: impl IntoIterator<Item = u64>) {
        self.note(1, sizes);
    }

    /// Notes that messages of these sizes were removed.
    pub(super) fn shrank(&self, sizes: impl IntoIterator<Item = u64>) {
        self.note(-1, sizes);
    }

    fn note(&self, sign: i64, sizes: impl IntoIterator<Item = u64>) {
        let (octets, messages) = sizes
            .into_iter()
            .fold((0_u64, 0), |(octets, messages), size| (octets.saturating_add(size), messages + 1));
        if messages > 0 {
            size_file::add(&self.root, sign * i64::try_from(octets).unwrap_or(i64::MAX), sign * messages);
        }
    }
}
