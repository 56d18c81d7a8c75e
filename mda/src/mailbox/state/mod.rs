//! What this process knows of one mailbox and works on, one change at a time. Everything here blocks.
//!
//! The folders are the truth about which messages there are and what flags they have, the UID list about their UIDs; a
//! [`State`] is what was last read of both, and every change is made to the disk first. Other processes change both at
//! any time: [`State::refresh`] finds out.

mod admit;
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
use crate::maildir::scan::Watched;
use crate::maildir::uid_list::{Known, News, Reason, UidList};
use crate::maildir::{Flags, Folder, MailboxName, Uid, UidValidity, layout, validity};

/// One mailbox as this process knows it.
#[derive(Debug)]
pub(super) struct State {
    name: MailboxName,
    root: PathBuf,
    folder: PathBuf,
    /// The folder, open: names of messages' files are looked up from here.
    handle: File,
    /// Which folder it is.
    identity: (u64, u64),
    host: Arc<str>,
    list: UidList,
    snapshot: Snapshot,
    keywords: keywords::Known,
    new: Watched,
    cur: Watched,
    /// The bases of the messages that stand in `new`.
    in_new: HashMap<Box<[u8]>, Uid>,
    /// The UIDs of bases whose files were not seen: not yet, or not any more.
    absent: HashMap<Box<[u8]>, Uid>,
    /// The number of files without a UID, while the list cannot be written.
    hidden: usize,
    /// How many records of the UID list are of messages that were removed since it was read.
    obsolete: usize,
    /// Counts the appendings to the UID list, to tell what has been synced.
    appended: u64,
}

/// Modification sequences as an earlier process left them, each with the flags that it is for.
pub(super) type Remembered = HashMap<Uid, (Flags, u64)>;

impl State {
    /// Reads the mailbox in `folder` of the Maildir at `root`.
    pub(super) fn load(
        root: &Path,
        name: &MailboxName,
        folder: PathBuf,
        host: &Arc<str>,
        remembered: &dyn Fn(&str, UidValidity) -> Remembered,
    ) -> Result<Self, StoreError> {
        layout::complete(&folder)?;
        let handle = File::open(&folder).map_err(StoreError::disk("open", &folder))?;
        let (list, known) = UidList::open(&folder, host, &|| validity::next(root))?;
        let remembered = remembered(list.guid().unwrap_or_default(), list.uid_validity());
        let mut state = Self {
            name: name.clone(),
            root: root.to_owned(),
            identity: identity(&handle.metadata().map_err(StoreError::disk("look at", &folder))?),
            handle,
            host: host.clone(),
            snapshot: Snapshot::empty(list.uid_validity(), list.next(), Arc::default()),
            list,
            keywords: keywords::Known::default(),
            new: Watched::new(Folder::New),
            cur: Watched::new(Folder::Cur),
            in_new: HashMap::new(),
            absent: HashMap::new(),
            hidden: 0,
            obsolete: 0,
            appended: 0,
            folder,
        };
        state.expect(known);
        state.refresh()?;
        state.snapshot.remember(&remembered);
        state.compact_if_worthwhile()?;
        Ok(state)
    }

    /// What is known.
    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The mailbox's own identifier.
    pub(super) fn guid(&self) -> &str {
        self.list.guid().unwrap_or_default()
    }

    /// How often the UID list was appended to, and how that is brought to disk.
    pub(super) fn appended(&self) -> (u64, SharedSync) {
        (self.appended, self.list.sync())
    }

    /// Finds out what others changed. Costs a few looks when they changed nothing.
    pub(super) fn refresh(&mut self) -> Result<(), StoreError> {
        let there = std::fs::metadata(&self.folder).map_err(StoreError::disk("look at", &self.folder))?;
        if identity(&there) != self.identity {
            // Removed and made again, or restored: another mailbox, perhaps under the same validity.
            return Err(StoreError::Gone(self.name.clone()));
        }
        let news = self.list.news()?;
        self.learn(news)?;
        self.reread_keywords()?;
        if !self.folder.join(Folder::New.as_str()).is_dir() && self.folder.join(Folder::Cur.as_str()).is_dir()
        {
            // Left out by a restore or a careless hand.
            layout::complete(&self.folder)?;
        }
        if self.new.is_due(&self.folder)? || self.cur.is_due(&self.folder)? {
            self.scan()?;
        }
        Ok(())
    }

    /// Takes in what others wrote into the UID list.
    fn learn(&mut self, news: News) -> Result<(), StoreError> {
        match news {
            News::Appended(known) => self.expect(known),
            News::Rewritten(_) if self.list.uid_validity() != self.snapshot.uid_validity() => {
                // The UIDs that we told mean nothing any more.
                return Err(StoreError::Gone(self.name.clone()));
            }
            News::Lost => {
                self.list.begin_anew(Reason::Lost, &|| validity::next(&self.root))?;
                return Err(StoreError::Gone(self.name.clone()));
            }
            News::Rewritten(known) => {
                self.absent.clear();
                self.obsolete = 0;
                self.expect(known);
            }
        }
        if self.snapshot.uid_next() != self.list.next().map_or(u32::MAX, Uid::value) {
            self.snapshot.begin_change();
            self.snapshot.set_uid_next(self.list.next());
        }
        Ok(())
    }

    /// Notes the UIDs of files that are yet to be seen. Of two UIDs for one base the later one counts.
    fn expect(&mut self, known: Vec<Known>) {
        // Whoever appended them may not have brought them to disk yet, and we may be the first to tell them.
        self.appended += u64::from(!known.is_empty());
        for Known { uid, base } in known {
            if self.snapshot.by_uid(uid).is_none() {
                self.absent.insert(base, uid);
            }
        }
    }

    /// Whether what failed did so because the mailbox is not there any more.
    pub(super) fn is_gone(&self, error: &StoreError) -> bool {
        match error {
            StoreError::Gone(_) => true,
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

/// For a file that was not there, the caller looks again.
fn unless_missing<T>(outcome: Result<T, std::io::Error>) -> Result<Option<T>, std::io::Error> {
    match outcome {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
