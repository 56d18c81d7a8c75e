use std::fs::File;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::watch;

use super::{Entry, Snapshot, StoreError};
use crate::index::Facts;
use crate::maildir::{Flags, MailboxName, Uid, UidValidity};

/// An open mailbox. Cloning it is cheap; all who opened it in this process share its state.
#[derive(Debug, Clone)]
pub struct Mailbox {}

/// What STORE does with flags (RFC 3501 §6.4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagOperation {
    /// `+FLAGS`
    Add,
    /// `-FLAGS`
    Remove,
    /// `FLAGS`
    Replace,
}

/// A change of flags: system flags as bits, keywords by name. Keywords that the mailbox does not know yet are taken in
/// when they are set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagChange {
    /// What to do.
    pub operation: FlagOperation,
    /// System flags; keyword bits are ignored.
    pub flags: Flags,
    /// Names of keywords.
    pub keywords: Vec<String>,
}

/// What COPY and MOVE did (COPYUID, RFC 4315 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The target's UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// Each message's UID here and its new one there, ascending in both. Messages that were gone are not among them.
    pub uids: Vec<(Uid, Uid)>,
}

/// A message's file, open for reading.
#[derive(Debug)]
pub struct StoredMessage {
    /// The file, at its beginning.
    pub file: File,
    /// The file's size.
    pub stored_size: u64,
    /// The size with CRLF at the end of each line (RFC822.SIZE), where the file's name tells it. When it equals
    /// `stored_size` the file holds CRLF throughout; otherwise it has bare LFs, to be sent as CRLF.
    pub size: Option<u64>,
    /// INTERNALDATE: the file's time of modification.
    pub received: SystemTime,
}

impl Mailbox {
    /// Its name.
    pub fn name(&self) -> &MailboxName {
        unimplemented!()
    }

    /// The newest snapshot. Cheap.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        unimplemented!()
    }

    /// Tells of each newer snapshot, and of the mailbox's end ([`Mailbox::is_gone`]). While somebody watches, changes by
    /// other processes are looked for every few seconds; changes by this one are told at once.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        unimplemented!()
    }

    /// Whether the mailbox was removed or renamed since it was opened.
    pub fn is_gone(&self) -> bool {
        unimplemented!()
    }

    /// Looks for changes by other processes, and gives the newest snapshot. Cheap when there are none.
    pub async fn refresh(&self) -> Result<Arc<Snapshot>, StoreError> {
        unimplemented!()
    }

    /// Claims the messages that no session has claimed yet: they are `\Recent` to the caller and to nobody else. Their
    /// UIDs ascend.
    pub async fn claim_recent(&self) -> Result<Vec<Uid>, StoreError> {
        unimplemented!()
    }

    /// Changes flags of messages; UIDs that are gone are passed over. Gives the snapshot with the change.
    pub async fn store_flags(
        &self,
        _uids: Vec<Uid>,
        _change: FlagChange,
    ) -> Result<Arc<Snapshot>, StoreError> {
        unimplemented!()
    }

    /// Removes the messages that are `\Deleted`: all, or those among `uids` (UID EXPUNGE). Gives the snapshot
    /// without them.
    pub async fn expunge(&self, _uids: Option<Vec<Uid>>) -> Result<Arc<Snapshot>, StoreError> {
        unimplemented!()
    }

    /// Copies messages into another mailbox of the same user, or this one: all or none.
    pub async fn copy_to(&self, _uids: Vec<Uid>, _target: &Mailbox) -> Result<Copied, StoreError> {
        unimplemented!()
    }

    /// Moves messages into another mailbox of the same user: all or none. They are gone from the snapshots here.
    pub async fn move_to(&self, _uids: Vec<Uid>, _target: &Mailbox) -> Result<Copied, StoreError> {
        unimplemented!()
    }

    /// Opens a message's file. Blocks, for microseconds: whoever reads many calls it off the runtime.
    pub fn read(&self, _entry: &Entry) -> Result<StoredMessage, StoreError> {
        unimplemented!()
    }

    /// What the index remembers of the messages in the range, ascending; those it knows nothing of are missing. Blocks.
    /// The index is a cache: whoever asks must be able to find out anew.
    pub fn facts(&self, _uids: RangeInclusive<Uid>) -> Vec<(Uid, Facts)> {
        unimplemented!()
    }

    /// Lets the index remember facts. Blocks. A failure is logged and costs only time later.
    pub fn remember(&self, _facts: &[(Uid, Facts)]) {
        unimplemented!()
    }
}
