use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::watch;

use super::lanes::Turn;
use super::live::Live;
use super::store::in_turn;
use super::{Entry, Snapshot, StoreError};
use crate::index::Facts;
use crate::maildir::{FileName, Flags, MailboxName, Uid, size_file};

/// An open mailbox. Cloning it is cheap; all who opened it in this process share its state.
#[derive(Debug, Clone)]
pub struct Mailbox {
    pub(super) live: Arc<Live>,
}

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
    /// INTERNALDATE: the file's time of modification, or the date in its name.
    pub received: SystemTime,
}

impl Mailbox {
    pub(super) fn new(live: Arc<Live>) -> Self {
        Self { live }
    }

    /// Its name.
    pub fn name(&self) -> &MailboxName {
        &self.live.name
    }

    /// The newest snapshot. Cheap.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.live.snapshot()
    }

    /// Tells of each newer snapshot, and of the mailbox's end ([`Mailbox::is_gone`]). While somebody watches, changes by
    /// other processes are looked for every few seconds; changes by this one are told at once.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.live.watch()
    }

    /// Whether the mailbox was removed or renamed since it was opened.
    pub fn is_gone(&self) -> bool {
        self.live.is_gone()
    }

    /// Looks for changes by other processes, and gives the newest snapshot. Cheap when there are none.
    pub async fn refresh(&self) -> Result<Arc<Snapshot>, StoreError> {
        self.work(|live| Ok(live.change(|state| state.refresh())?.1)).await
    }

    /// Claims the messages that no session has claimed yet: they are `\Recent` to the caller and to nobody else. Their
    /// UIDs ascend.
    pub async fn claim_recent(&self) -> Result<Vec<Uid>, StoreError> {
        if self.snapshot().unclaimed() == 0 {
            return Ok(Vec::new());
        }
        self.work(|live| Ok(live.change(|state| state.claim())?.0)).await
    }

    /// Changes flags of messages; UIDs that are gone are passed over. Gives the snapshot with the change.
    pub async fn store_flags(&self, uids: Vec<Uid>, change: FlagChange) -> Result<Arc<Snapshot>, StoreError> {
        self.work(move |live| {
            let ((), snapshot) = live.change(|state| {
                let keywords = match change.operation {
                    // What nobody knows nobody has.
                    FlagOperation::Remove => known(state.snapshot(), &change.keywords),
                    FlagOperation::Add | FlagOperation::Replace => state.keyword_flags(&change.keywords)?,
                };
                let flags = (change.flags & Flags::SYSTEM) | keywords;
                state.store_flags(&uids, &|old| match change.operation {
                    FlagOperation::Add => old | flags,
                    FlagOperation::Remove => old.without(flags),
                    FlagOperation::Replace => (old & Flags::PASSED) | flags,
                })
            })?;
            Ok(snapshot)
        })
        .await
    }

    /// Removes the messages that are `\Deleted`: all, or those among `uids` (UID EXPUNGE). Gives the snapshot
    /// without them.
    pub async fn expunge(&self, uids: Option<Vec<Uid>>) -> Result<Arc<Snapshot>, StoreError> {
        self.work(move |live| {
            let among: Option<HashSet<Uid>> = uids.map(HashSet::from_iter);
            let _change = live.home.usage.change();
            let before = live.snapshot();
            let (gone, snapshot) = live.change(|state| {
                let deleted = state.snapshot().entries().filter(|entry| entry.flags.contains(Flags::DELETED));
                let chosen =
                    deleted.filter(|entry| among.as_ref().is_none_or(|uids| uids.contains(&entry.uid)));
                let gone: Vec<Uid> = chosen.map(|entry| entry.uid).collect();
                state.remove(&gone)?;
                Ok(gone)
            })?;
            let files = gone.iter().filter_map(|uid| Some(&before.by_uid(*uid)?.1.file));
            let sizes: Option<Vec<u64>> = files.map(FileName::size).collect();
            match sizes {
                Some(sizes) => live.home.shrank(sizes),
                // A name that does not tell it: the files are gone, and what is left is counted when somebody asks.
                None => size_file::forget(&live.home.root),
            }
            live.home.index.forget(&live.guid, &gone);
            Ok(snapshot)
        })
        .await
    }

    /// Opens a message's file. Blocks, for microseconds: whoever reads many calls it off the runtime.
    pub fn read(&self, entry: &Entry) -> Result<StoredMessage, StoreError> {
        let mut name = entry.file.clone();
        let mut path = self.live.path(&name);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Renamed since the snapshot: by us, or by somebody else.
                name = match self.snapshot().by_uid(entry.uid) {
                    Some((_, current))
                        if current.file != entry.file && self.live.path(&current.file).exists() =>
                    {
                        current.file.clone()
                    }
                    _ => self.live.change(|state| state.locate(entry.uid))?.0,
                };
                path = self.live.path(&name);
                File::open(&path)
            }
            opened => opened,
        };
        let disk = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::MessageGone,
            _ => StoreError::disk("open", &path)(error),
        };
        let file = file.map_err(disk)?;
        let metadata = file.metadata().map_err(disk)?;
        let received = match name.received() {
            Some(received) => received,
            None => metadata.modified().map_err(disk)?,
        };
        Ok(StoredMessage { file, stored_size: metadata.len(), size: name.virtual_size(), received })
    }

    /// What the index remembers of the messages in the range, ascending; those it knows nothing of are missing. Blocks.
    /// The index is a cache: whoever asks must be able to find out anew.
    pub fn facts(&self, uids: RangeInclusive<Uid>) -> Vec<(Uid, Facts)> {
        self.live.home.index.facts(&self.live.guid, uids)
    }

    /// Lets the index remember facts. Blocks. A failure is logged and costs only time later.
    pub fn remember(&self, facts: &[(Uid, Facts)]) {
        self.live.home.index.remember(&self.live.guid, facts);
    }

    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Live) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let live = self.live.clone();
        let turn = live.home.turn_at(&live.name).await;
        in_turn(turn, move || work(&live)).await
    }

    /// A turn to read messages of this user, to be waited for before a thread is taken for that.
    pub(crate) async fn turn(&self) -> Turn {
        self.live.home.lanes.turn().await
    }

    /// A turn to read messages for a search, of which few read at one time.
    pub(crate) async fn turn_to_search(&self) -> Turn {
        self.live.home.lanes.turn_to_search().await
    }
}

/// The flags of those keywords that the mailbox knows.
fn known(snapshot: &Snapshot, keywords: &[String]) -> Flags {
    let flags = keywords.iter().filter_map(|name| snapshot.keywords().flag(name));
    flags.fold(Flags::NONE, |flags, keyword| flags | keyword)
}
