//! How much a user keeps, and whether there is room for more.
//!
//! What counts are the octets of the messages' files, in all mailboxes. They are known without a look at the messages:
//! `maildirsize` tells them, and whatever changes a mailbox adds to it. Room is promised before a message is stored, so
//! that two that come at once do not both get the last of it; another process may still take it between the promise and
//! the message, and then the bound is passed by that one message.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

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
    /// Octets that were promised to messages that are not stored yet.
    promised: Mutex<u64>,
    /// Held for reading while a mailbox changes, and for writing while all are counted: what is counted is not added again.
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
        let mut promised = self.home.usage.promised();
        *promised = promised.saturating_sub(self.octets);
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
            let kept = home.usage.kept(&home.root, bound, |_| false)?;
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
    let mut promised = usage.promised();
    let is_too_much = |kept: Size| kept.octets.saturating_add(*promised).saturating_add(octets) > bound;
    if is_too_much(usage.kept(&home.root, bound, is_too_much)?) {
        return Err(StoreError::OverQuota { bound });
    }
    *promised += octets;
    Ok(Room { home: home.clone(), octets })
}

impl Usage {
    pub(super) fn new(user: Address, quotas: Arc<ArcSwap<Quotas>>) -> Self {
        Self { user, quotas, promised: Mutex::default(), changes: RwLock::default() }
    }

    pub(super) fn bound(&self) -> Option<u64> {
        self.quotas.load().of(&self.user)
    }

    fn promised(&self) -> MutexGuard<'_, u64> {
        self.promised.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept. It is counted when nobody has, and once more when what is said is not new and would be refused.
    fn kept(&self, root: &Path, bound: u64, is_too_much: impl Fn(Size) -> bool) -> Result<Size, StoreError> {
        if let Some(told) = size_file::read(root, bound)
            && (told.is_fresh || !is_too_much(told.size))
        {
            return Ok(told.size);
        }
        let _nobody_changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        Ok(size_file::count(root, bound)?)
    }

    /// To be held from before a mailbox changes until that is noted.
    pub(super) fn change(&self) -> RwLockReadGuard<'_, ()> {
        self.changes.read().unwrap_or_else(PoisonError::into_inner)
    }
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
