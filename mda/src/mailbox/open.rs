use std::collections::HashSet;
use std::fs::File;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::SystemTime;

use nix::unistd::{AccessFlags, access};
use tokio::sync::watch;

use super::live::{LiveMailbox, RequiredSync};
use super::store::run_with_permit;
use super::work_limits::WorkPermit;
use super::{MessageEntry, Snapshot, StoreError};
use crate::index::{Facts, FileStamp};
use crate::maildir::{Flags, Folder, MailboxName, Uid, compressed, maildirsize};

/// An open mailbox. Cloning it is cheap; all handles in this process share its state.
#[derive(Debug, Clone)]
pub struct Mailbox {
    pub(super) live: Arc<LiveMailbox>,
}

/// An operation of STORE on flags (RFC 3501 §6.4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagOperation {
    /// `+FLAGS`
    Add,
    /// `-FLAGS`
    Remove,
    /// `FLAGS`
    Replace,
}

/// A change of flags: system flags as bits, keywords by name. Keywords that the mailbox does not know yet are added
/// when they are set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagChange {
    /// The operation.
    pub operation: FlagOperation,
    /// System flags; keyword bits are ignored.
    pub flags: Flags,
    /// Names of keywords.
    pub keywords: Vec<String>,
}

/// A message's file, open for reading.
#[derive(Debug)]
pub struct StoredMessage {
    /// The message, at its beginning: its file, or an unnamed file with the decompressed message.
    pub file: File,
    /// That file's size.
    pub stored_size: u64,
    /// The size with CRLF at the end of each line (RFC822.SIZE), where the file's name has it and it can be trusted. If
    /// it equals `stored_size` the file holds CRLF throughout; otherwise it has bare LFs, to be sent as CRLF.
    pub size: Option<u64>,
    /// INTERNALDATE: the file's modification time, or the date in its name.
    pub received: SystemTime,
    /// The identity of the opened file: facts read from it are valid for it alone.
    pub stamp: FileStamp,
}

impl Mailbox {
    pub(super) fn new(live: Arc<LiveMailbox>) -> Self {
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

    /// Notifies of each newer snapshot, and of the mailbox's end ([`Mailbox::is_gone`]). While it is watched, changes
    /// by other processes are looked for every few seconds; changes by this process are shown at once.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.live.watch()
    }

    /// Returns true if the mailbox was removed or renamed since it was opened.
    pub fn is_gone(&self) -> bool {
        self.live.is_gone()
    }

    /// Looks for changes by other processes, and returns the newest snapshot. Cheap when there are none.
    pub async fn refresh(&self) -> Result<Arc<Snapshot>, StoreError> {
        self.run_blocking(|live| Ok(live.change(|state| state.refresh())?.1)).await
    }

    /// Claims the messages that no session has claimed yet: they are `\Recent` to the caller and to no other session.
    /// Their UIDs ascend.
    pub async fn claim_recent(&self) -> Result<Vec<Uid>, StoreError> {
        if self.snapshot().unclaimed() == 0 {
            return Ok(Vec::new());
        }
        self.run_blocking(|live| Ok(live.change(|state| state.claim())?.0)).await
    }

    /// Changes flags of messages and returns the snapshot with the change; UIDs that are gone are skipped. The flags
    /// are on disk when it returns.
    pub async fn store_flags(&self, uids: Vec<Uid>, change: FlagChange) -> Result<Arc<Snapshot>, StoreError> {
        self.run_blocking(move |live| {
            let ((), snapshot) = live.change_synced(&RequiredSync::Renamed, |state| {
                let keywords = match change.operation {
                    // An unknown keyword is set on no message.
                    FlagOperation::Remove => known_keywords(state.snapshot(), &change.keywords),
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

    /// Marks messages as `\Seen` because they were read. A crash may undo it: no client asked for it to be stored.
    pub async fn mark_seen(&self, uids: Vec<Uid>) -> Result<Arc<Snapshot>, StoreError> {
        self.run_blocking(move |live| {
            Ok(live.change(|state| state.store_flags(&uids, &|old| old | Flags::SEEN))?.1)
        })
        .await
    }

    /// Returns true if flags can be written: the messages' folder may be on a read-only file system, or belong to
    /// another user.
    pub async fn is_writable(&self) -> Result<bool, StoreError> {
        self.run_blocking(|live| {
            let folders = [Folder::Cur, Folder::New].map(|folder| live.folder.join(folder.as_str()));
            let refused = folders.iter().find_map(|folder| Some((folder, access(folder, AccessFlags::W_OK).err()?)));
            if let Some((folder, error)) = refused {
                tracing::warn!(folder = %folder.display(), %error, "cannot write flags, mailbox opened read-only");
            }
            Ok(refused.is_none())
        })
        .await
    }

    /// Removes the messages that are `\Deleted`: all, or those among `uids` (UID EXPUNGE). Returns the snapshot without
    /// them.
    pub async fn expunge(&self, uids: Option<Vec<Uid>>) -> Result<Arc<Snapshot>, StoreError> {
        self.run_blocking(move |live| {
            let among: Option<HashSet<Uid>> = uids.map(HashSet::from_iter);
            let _change = live.home.usage.change();
            let (gone, snapshot) = live.change_synced(&RequiredSync::Renamed, |state| {
                let before = state.snapshot().clone();
                let deleted = before.entries().filter(|entry| entry.flags.contains(Flags::DELETED));
                let chosen =
                    deleted.filter(|entry| among.as_ref().is_none_or(|uids| uids.contains(&entry.uid)));
                let chosen: Vec<(Uid, u64)> = chosen
                    .map(|entry| (entry.uid, maildirsize::octets_of(&live.folder, &entry.file).unwrap_or(0)))
                    .collect();
                state.expunge(&chosen.iter().map(|(uid, _)| *uid).collect::<Vec<_>>())?;
                let is_gone = |(uid, _): &(Uid, u64)| state.snapshot().by_uid(*uid).is_none();
                Ok(chosen.into_iter().filter(is_gone).collect::<Vec<_>>())
            })?;
            let (gone, sizes): (Vec<Uid>, Vec<u64>) = gone.into_iter().unzip();
            live.home.subtract_removed(sizes);
            live.home.index.forget(&live.guid, &gone);
            Ok(snapshot)
        })
        .await
    }

    /// Opens a message's file. Blocks for microseconds, or for as long as it takes to decompress the message: a caller
    /// that reads many messages calls it off the runtime.
    pub fn read(&self, entry: &MessageEntry) -> Result<StoredMessage, StoreError> {
        let mut name = entry.file.clone();
        let mut opened = self.live.open_message(&name);
        if matches!(opened, Err(StoreError::MessageGone)) {
            // Renamed since the snapshot, by this or another program.
            name = match self.snapshot().by_uid(entry.uid) {
                Some((_, current))
                    if current.file != entry.file && self.live.path(&current.file).exists() =>
                {
                    current.file.clone()
                }
                _ => self.live.change(|state| state.locate(entry.uid))?.0,
            };
            opened = self.live.open_message(&name);
        }
        let file = opened?;
        let disk = |error| StoreError::disk("stat", &self.live.path(&name))(error);
        let metadata = file.metadata().map_err(disk)?;
        let received = match name.received() {
            Some(received) => received,
            None => metadata.modified().map_err(disk)?,
        };
        let stamp = FileStamp::of(&metadata);
        let size = name.virtual_size(metadata.len());
        let file = compressed::decompress_if_needed(file, metadata.len(), &self.live.home.scratch, &name)
            .map_err(disk)?;
        let stored_size = file.metadata().map_err(disk)?.len();
        Ok(StoredMessage { file, stored_size, size, received, stamp })
    }

    /// RFC822.SIZE, where the file's name has it and it is right. Blocks for microseconds.
    pub fn size(&self, entry: &MessageEntry) -> Option<u64> {
        entry.size()?;
        entry.file.virtual_size(maildirsize::octets_of(&self.live.folder, &entry.file)?)
    }

    /// The facts that the index has of the messages in the range, ascending; unknown ones are missing. Blocks. The
    /// index is a cache: a caller must be able to read the facts from the message. Facts of a file other than the
    /// current one are left out.
    pub fn facts(&self, uids: RangeInclusive<Uid>) -> Vec<(Uid, Facts)> {
        let snapshot = self.snapshot();
        self.live.home.index.facts(&self.live.guid, uids, &|uid| {
            let file = &snapshot.by_uid(uid)?.1.file;
            let metadata = std::fs::symlink_metadata(self.live.path(file)).ok()?;
            Some((file.base().to_vec(), FileStamp::of(&metadata)))
        })
    }

    /// Stores facts in the index. Blocks. A failure is logged and costs only time later.
    pub fn store_facts(&self, facts: &[(Uid, Facts)]) {
        let snapshot = self.snapshot();
        let based: Vec<(Uid, &[u8], &Facts)> = facts
            .iter()
            .filter_map(|(uid, facts)| Some((*uid, snapshot.by_uid(*uid)?.1.file.base(), facts)))
            .collect();
        self.live.home.index.store_facts(&self.live.guid, &based);
    }

    pub(super) async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&LiveMailbox) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let live = self.live.clone();
        let permit = live.home.mailbox_permit(&live.name).await;
        run_with_permit(permit, move || work(&live)).await
    }

    /// A permit to read messages of this user, to be acquired before a thread is used for that.
    pub(crate) async fn read_permit(&self) -> WorkPermit {
        self.live.home.work_limits.permit().await
    }

    /// A permit to read messages for a search. Few searches read at the same time.
    pub(crate) async fn search_permit(&self) -> WorkPermit {
        self.live.home.work_limits.search_permit().await
    }
}

/// The flags of those keywords that the mailbox knows.
fn known_keywords(snapshot: &Snapshot, keywords: &[String]) -> Flags {
    let flags = keywords.iter().filter_map(|name| snapshot.keywords().flag(name));
    flags.fold(Flags::NONE, |flags, keyword| flags | keyword)
}
