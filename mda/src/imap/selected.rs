//! A selected mailbox as one session sees it.
//!
//! The session's view is a snapshot. Others may change the mailbox at any time; the client is told at the moments that
//! the protocol allows, by the difference between its snapshot and the newest one, and only then moves on. Until it is
//! told of an expunge, the numbers it uses are those of its old snapshot (RFC 3501 §7.4.1).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::mailbox::{Mailbox, Snapshot};
use crate::maildir::{Flags, Uid};

/// Whether the mailbox may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// By SELECT.
    ReadWrite,
    /// By EXAMINE.
    ReadOnly,
}

/// A selected mailbox.
#[derive(Debug)]
pub(crate) struct Selected {
    /// The mailbox.
    pub(super) mailbox: Mailbox,
    /// What may be done with it.
    pub(super) access: Access,
    /// The mailbox as the client knows it.
    pub(super) snapshot: Arc<Snapshot>,
    /// Flags that the client has been told, or was left to work out, since that snapshot.
    pub(super) told: HashMap<Uid, Flags>,
    /// The messages that are `\Recent` to this session.
    pub(super) recent: BTreeSet<Uid>,
}

impl Selected {
    /// The mailbox.
    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The mailbox as the client knows it: its sequence numbers are those that the client uses.
    pub(crate) fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Whether a message is `\Recent` to this session.
    pub(crate) fn is_recent(&self, uid: Uid) -> bool {
        self.recent.contains(&uid)
    }
}
