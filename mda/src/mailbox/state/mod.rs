//! The state of one mailbox in this process, with one change at a time. Everything here blocks.
//!
//! The folders are authoritative for the messages and their flags, the UID list for their UIDs. A [`MailboxState`] is
//! the content last read of both, and every change is made on disk first. Other processes change both at any time,
//! which [`MailboxState::refresh`] finds.

mod add;
mod change;
mod compact;
mod keywords;
mod scan;

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use durable::SharedSync;

use super::StoreError;
use super::snapshot::Snapshot;
use crate::maildir::scan::FolderScanner;
use crate::maildir::uid_list::{ResetReason, UidEntry, UidList, UidListChange};
use crate::maildir::{Flags, Folder, MailboxName, Uid, UidValidity, layout, validity};

/// One mailbox as this process knows it.
#[derive(Debug)]
pub(super) struct MailboxState {
    name: MailboxName,
    root: PathBuf,
    folder: PathBuf,
    /// The folder, open: names of messages' files are relative to it.
    handle: File,
    /// Identity of the folder.
    identity: (u64, u64),
    host: Arc<str>,
    list: UidList,
    snapshot: Snapshot,
    keywords: keywords::KeywordFiles,
    new: FolderScanner,
    cur: FolderScanner,
    /// The bases of the messages in `new`.
    in_new: HashMap<Box<[u8]>, Uid>,
    /// The UIDs of bases whose files were not seen: not yet, or not any more.
    without_file: HashMap<Box<[u8]>, Uid>,
    /// Number of files without a UID, while the list cannot be written.
    hidden: usize,
    /// Number of records in the UID list of messages that were removed since it was read.
    obsolete: usize,
    /// Counts appends to the UID list, to know what has been synced.
    appended: u64,
}

/// Modification sequences left by an earlier process, each with the flags that it is for.
pub(super) type SavedModSeqs = HashMap<Uid, (Flags, u64)>;

impl MailboxState {
    /// Reads the mailbox in `folder` of the Maildir at `root`.
    pub(super) fn load(
        root: &Path,
        name: &MailboxName,
        folder: PathBuf,
        host: &Arc<str>,
        saved_mod_seqs: &dyn Fn(&str, UidValidity) -> SavedModSeqs,
    ) -> Result<Self, StoreError> {
        layout::create_missing_folders(&folder)?;
        let handle = File::open(&folder).map_err(StoreError::disk("open", &folder))?;
        let (list, known) = UidList::open(&folder, host, &|| validity::next(root))?;
        let saved_mod_seqs = saved_mod_seqs(list.guid().unwrap_or_default(), list.uid_validity());
        let mut state = Self {
            name: name.clone(),
            root: root.to_owned(),
            identity: identity(&handle.metadata().map_err(StoreError::disk("stat", &folder))?),
            handle,
            host: host.clone(),
            snapshot: Snapshot::empty(list.uid_validity(), list.next(), Arc::default()),
            list,
            keywords: keywords::KeywordFiles::default(),
            new: FolderScanner::new(Folder::New),
            cur: FolderScanner::new(Folder::Cur),
            in_new: HashMap::new(),
            without_file: HashMap::new(),
            hidden: 0,
            obsolete: 0,
            appended: 0,
            folder,
        };
        state.record_uids(known);
        state.refresh()?;
        state.snapshot.restore_mod_seqs(&saved_mod_seqs);
        state.compact_if_needed()?;
        Ok(state)
    }

    /// The current snapshot.
    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The mailbox's GUID.
    pub(super) fn guid(&self) -> &str {
        self.list.guid().unwrap_or_default()
    }

    /// The number of appends to the UID list, and the sync that brings them to disk.
    pub(super) fn appended(&self) -> (u64, SharedSync) {
        (self.appended, self.list.sync())
    }

    /// Finds changes by other processes. Costs a few `stat` calls if there are none.
    pub(super) fn refresh(&mut self) -> Result<(), StoreError> {
        let there = std::fs::metadata(&self.folder).map_err(StoreError::disk("stat", &self.folder))?;
        if identity(&there) != self.identity {
            // Removed and created again, or restored: another mailbox, perhaps with the same UIDVALIDITY.
            return Err(StoreError::MailboxGone(self.name.clone()));
        }
        let news = self.list.read_changes()?;
        self.apply_list_changes(news)?;
        self.reread_keywords()?;
        if !self.folder.join(Folder::New.as_str()).is_dir() && self.folder.join(Folder::Cur.as_str()).is_dir()
        {
            // Missing after a restore or a manual change.
            layout::create_missing_folders(&self.folder)?;
        }
        if self.new.is_due(&self.folder)? || self.cur.is_due(&self.folder)? {
            self.scan()?;
        }
        Ok(())
    }

    /// Applies changes that other processes made to the UID list.
    fn apply_list_changes(&mut self, news: UidListChange) -> Result<(), StoreError> {
        match news {
            UidListChange::Appended(known) => self.record_uids(known),
            UidListChange::Rewritten(_) if self.list.uid_validity() != self.snapshot.uid_validity() => {
                // The UIDs that clients know are no longer valid.
                return Err(StoreError::MailboxGone(self.name.clone()));
            }
            UidListChange::Lost => {
                self.list.reset(ResetReason::Lost, &|| validity::next(&self.root))?;
                return Err(StoreError::MailboxGone(self.name.clone()));
            }
            UidListChange::Rewritten(known) => {
                self.without_file.clear();
                self.obsolete = 0;
                self.record_uids(known);
            }
        }
        if self.snapshot.uid_next() != self.list.next().map_or(u32::MAX, Uid::value) {
            self.snapshot.begin_change();
            self.snapshot.set_uid_next(self.list.next());
        }
        Ok(())
    }

    /// Records the UIDs of files that are yet to be seen. Of two UIDs for one base the later one counts.
    fn record_uids(&mut self, known: Vec<UidEntry>) {
        // The writer may not have synced them yet, and this process may be the first to send them to a client.
        self.appended += u64::from(!known.is_empty());
        for UidEntry { uid, base } in known {
            if self.snapshot.by_uid(uid).is_none() {
                self.without_file.insert(base, uid);
            }
        }
    }

    /// Returns true if the operation failed because the mailbox does not exist any more.
    pub(super) fn is_gone(&self, error: &StoreError) -> bool {
        match error {
            StoreError::MailboxGone(_) => true,
            StoreError::Disk { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                let there = std::fs::metadata(&self.folder);
                !there.is_ok_and(|there| identity(&there) == self.identity)
                    || !self.folder.join("cur").is_dir()
                    || !UidList::is_in(&self.folder)
            }
            _ => false,
        }
    }
}

fn identity(folder: &Metadata) -> (u64, u64) {
    (folder.dev(), folder.ino())
}

/// Maps a missing file to `None`: the caller scans again.
fn none_if_missing<T>(outcome: Result<T, std::io::Error>) -> Result<Option<T>, std::io::Error> {
    match outcome {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
