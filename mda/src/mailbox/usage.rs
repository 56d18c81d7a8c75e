//! The usage of a user's quota, and reservations for new messages.
//!
//! The octets of the messages' files in all mailboxes count. They are known without reading the messages: `maildirsize`
//! has them, and every change of a mailbox is added to it. Room is reserved before a message is stored, so that two
//! concurrent messages do not both get the last of it. Another process may still use it between the reservation and the
//! message; then that one message exceeds the quota.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use address::Address;
use arc_swap::ArcSwap;
use handover::config::Quotas;

use super::account::MailHome;
use super::{Account, StoreError};
use crate::maildir::maildirsize::{self, MaildirUsage};

/// A user's quota and usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The limit, in octets.
    pub limit: u64,
    /// The octets in use.
    pub used: u64,
}

/// The usage of one user.
#[derive(Debug)]
pub(super) struct QuotaUsage {
    user: Address,
    quotas: Arc<ArcSwap<Quotas>>,
    /// Held while room is checked, until it is reserved.
    reserving: Mutex<()>,
    /// Octets reserved for messages that are not stored yet.
    reserved: AtomicU64,
    /// Held for reading while a mailbox changes, until the change is recorded and its reservation has ended; held for
    /// writing during a full count. So no counted message is added again, or is still reserved.
    changes: RwLock<()>,
}

/// Quota reserved for a message, until dropped: when the message is stored or given up.
#[derive(Debug)]
pub struct Reservation {
    home: Arc<MailHome>,
    octets: u64,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.home.usage.reserved.fetch_sub(self.octets, Ordering::SeqCst);
    }
}

impl Account {
    /// Reserves room for this many octets.
    pub async fn reserve(&self, octets: u64) -> Result<Reservation, StoreError> {
        let home = self.home();
        // Most users have no quota, and need no thread for this.
        match home.usage.limit() {
            Some(_) => self.run_blocking(move |home| reserve(home, octets)).await,
            None => Ok(Reservation { home: home.clone(), octets: 0 }),
        }
    }

    /// The user's quota and usage, or `None` without a quota.
    pub async fn quota(&self) -> Result<Option<Quota>, StoreError> {
        self.run_blocking(|home| {
            let Some(limit) = home.usage.limit() else { return Ok(None) };
            let usage = home.usage.used(&home.root, limit)?;
            Ok(Some(Quota { limit, used: usage.octets }))
        })
        .await
    }
}

/// Like [`Account::reserve`]. Blocks.
pub(super) fn reserve(home: &Arc<MailHome>, octets: u64) -> Result<Reservation, StoreError> {
    let usage = &home.usage;
    let Some(limit) = usage.limit() else { return Ok(Reservation { home: home.clone(), octets: 0 }) };
    // Held during the count: concurrent callers would count as well.
    let _reserving = usage.reserving.lock().unwrap_or_else(PoisonError::into_inner);
    if !usage.has_room_by_record(&home.root, limit, octets) && !usage.has_room(&home.root, limit, octets)? {
        return Err(StoreError::OverQuota { limit });
    }
    usage.reserved.fetch_add(octets, Ordering::SeqCst);
    Ok(Reservation { home: home.clone(), octets })
}

impl QuotaUsage {
    pub(super) fn new(user: Address, quotas: Arc<ArcSwap<Quotas>>) -> Self {
        Self {
            user,
            quotas,
            reserving: Mutex::default(),
            reserved: AtomicU64::new(0),
            changes: RwLock::default(),
        }
    }

    pub(super) fn limit(&self) -> Option<u64> {
        self.quotas.load().of(&self.user)
    }

    /// Returns true if there is room by the recorded figures, without stopping changes of mailboxes. A message that is
    /// being stored may be counted twice, but never missed: its reservation, which is read first, ends after the
    /// message is recorded.
    fn has_room_by_record(&self, root: &Path, limit: u64, octets: u64) -> bool {
        let reserved = self.reserved.load(Ordering::SeqCst);
        maildirsize::read(root, limit).is_some_and(|recorded| fits(recorded.usage, reserved, octets, limit))
    }

    /// Returns true if there is room, while changes of mailboxes are stopped. Counts everything, unless that was done
    /// recently.
    fn has_room(&self, root: &Path, limit: u64, octets: u64) -> Result<bool, StoreError> {
        let _changes_stopped = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        let reserved = self.reserved.load(Ordering::SeqCst);
        let recorded = maildirsize::read(root, limit).filter(|recorded| recorded.is_fresh);
        let usage = match recorded {
            Some(recorded) => recorded.usage,
            None => maildirsize::count(root, limit)?,
        };
        Ok(fits(usage, reserved, octets, limit))
    }

    /// The octets in use. Counted if they are not known.
    fn used(&self, root: &Path, limit: u64) -> Result<MaildirUsage, StoreError> {
        if let Some(recorded) = maildirsize::read(root, limit) {
            return Ok(recorded.usage);
        }
        let _changes_stopped = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        Ok(maildirsize::count(root, limit)?)
    }

    /// A guard to hold from before a mailbox changes until the change is recorded and its reservation has ended.
    pub(super) fn change(&self) -> RwLockReadGuard<'_, ()> {
        self.changes.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fits(usage: MaildirUsage, reserved: u64, octets: u64, limit: u64) -> bool {
    usage.octets.saturating_add(reserved).saturating_add(octets) <= limit
}

impl MailHome {
    /// Records that messages of these sizes were stored.
    pub(super) fn add_stored(&self, sizes: impl IntoIterator<Item = u64>) {
        self.record_change(1, sizes);
    }

    /// Records that messages of these sizes were removed.
    pub(super) fn subtract_removed(&self, sizes: impl IntoIterator<Item = u64>) {
        self.record_change(-1, sizes);
    }

    fn record_change(&self, sign: i64, sizes: impl IntoIterator<Item = u64>) {
        let (octets, messages) = sizes
            .into_iter()
            .fold((0_u64, 0), |(octets, messages), size| (octets.saturating_add(size), messages + 1));
        if messages > 0 {
            maildirsize::add(&self.root, sign * i64::try_from(octets).unwrap_or(i64::MAX), sign * messages);
        }
    }
}
