use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use durable::Staged;

use super::account::{MailHome, open_current};
use super::store::run_with_permit;
use super::{Account, Reservation, StoreError};
use crate::maildir::{FileName, Flags, Folder, MailboxName, Uid, UidValidity, layout, seconds};

/// Octets of a message that are kept in memory before they are written to the file: most messages are smaller.
const BUFFER: usize = 128 << 10;
const MODE: u32 = 0o600;

/// A message on its way into a mailbox. Small ones are kept in memory, larger ones in `tmp`; nothing remains when
/// it is dropped.
#[derive(Debug)]
pub struct Incoming {
    home: Arc<MailHome>,
    name: MailboxName,
    /// The mailbox's folder.
    folder: PathBuf,
    buffer: Vec<u8>,
    staged: Option<Staged>,
    size: u64,
    /// The number of lines that end in LF alone.
    lone_line_feeds: u64,
    /// The last octet that was written.
    last: u8,
    /// The quota reserved for it.
    reservation: Option<Reservation>,
}

/// The UID of an appended message (APPENDUID, RFC 4315 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The mailbox's UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// The message's UID.
    pub uid: Uid,
}

impl Incoming {
    pub(super) fn new(home: Arc<MailHome>, name: MailboxName, folder: PathBuf) -> Self {
        Self {
            home,
            name,
            folder,
            buffer: Vec::new(),
            staged: None,
            size: 0,
            lone_line_feeds: 0,
            last: b'\n',
            reservation: None,
        }
    }

    /// Appends the next octets of the message.
    pub async fn write(&mut self, octets: &[u8]) -> Result<(), StoreError> {
        for end in memchr::memchr_iter(b'\n', octets) {
            let before = if end == 0 { self.last } else { octets[end - 1] };
            self.lone_line_feeds += u64::from(before != b'\r');
        }
        self.last = octets.last().copied().unwrap_or(self.last);
        self.size += octets.len() as u64;
        self.buffer.extend_from_slice(octets);
        if self.buffer.len() >= BUFFER { self.spill().await } else { Ok(()) }
    }

    /// Takes over an earlier reservation of quota, or else reserves as much as was written.
    pub async fn reserve(&mut self, room: Option<Reservation>) -> Result<(), StoreError> {
        self.reservation = match room {
            Some(room) => Some(room),
            None => Some(Account::new(self.home.clone()).reserve(self.size).await?),
        };
        Ok(())
    }

    /// The number of octets that were written.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends the octets after the first `skip` of this message to `other`: for another recipient, with other fields
    /// on top. The skipped octets, here and in `other`, are whole lines that end in CRLF.
    pub async fn continue_into(&self, skip: u64, other: &mut Self) -> Result<(), StoreError> {
        let mut rest = &self.buffer[..];
        match &self.staged {
            None => rest = rest.get(skip as usize..).unwrap_or_default(),
            Some(staged) => {
                let path = staged.path().to_owned();
                let from = staged.file().try_clone().map_err(StoreError::disk("read", &path))?;
                other.spill().await?;
                let into = other.staged.take().ok_or(StoreError::Interrupted)?;
                let permit = self.home.work_limits.delivery_permit().await;
                other.staged = Some(run_with_permit(permit, move || copy(from, skip, into, &path)).await?);
            }
        }
        other.buffer.extend_from_slice(rest);
        other.size += self.size - skip;
        other.lone_line_feeds += self.lone_line_feeds;
        other.last = self.last;
        Ok(())
    }

    /// Stores the message with flags, keywords by name, and the date of INTERNALDATE (now, if not given). When it
    /// returns, the message and its UID are on disk, and sessions that have the mailbox open are notified.
    pub async fn append(
        self,
        flags: Flags,
        keywords: &[String],
        received: Option<SystemTime>,
    ) -> Result<Appended, StoreError> {
        let keywords = keywords.to_vec();
        let permit = self.home.mailbox_permit(&self.name).await;
        run_with_permit(permit, move || self.append_blocking(flags, &keywords, received)).await
    }

    fn append_blocking(
        mut self,
        flags: Flags,
        keywords: &[String],
        received: Option<SystemTime>,
    ) -> Result<Appended, StoreError> {
        let live = open_current(&self.home, &self.name)?;
        let staged = self.write_and_sync(received)?;
        let base = match received.filter(|received| !has_time(&staged, *received)) {
            Some(received) => FileName::dated_base(&self.base(), received),
            None => self.base(),
        };
        live.create_missing_folders()?;
        let flags = flags & Flags::SYSTEM;
        let is_plain = flags.is_empty() && keywords.is_empty();
        let file = if is_plain { FileName::in_new(&base) } else { FileName::in_cur(&base, flags) };
        let sync = self.home.registry.sync_of(&live.folder.join(file.folder().as_str()));
        let home = Arc::clone(&self.home);
        let _change = home.usage.change();
        // In one change, so that no other session reassigns a keyword's letter in between.
        let (uids, snapshot) = live.place_durably(&sync, |state| {
            // A message is not refused for keywords that cannot be written.
            let keywords = state.keyword_flags(keywords).unwrap_or_else(|error| {
                tracing::warn!(mailbox = %live.folder.display(), %error, "keywords not stored");
                Flags::NONE
            });
            let flags = flags | keywords;
            let file = if is_plain { file } else { FileName::in_cur(&base, flags) };
            let path = file.path();
            state.store_messages(vec![(file, flags)], |folder| {
                staged.commit_unsynced(&folder.join(path)).map_err(|refused| refused.error)?;
                Ok(())
            })
        })?;
        self.record_stored();
        let uid = uids.first().copied().ok_or(StoreError::Interrupted)?;
        Ok(Appended { uid_validity: snapshot.uid_validity(), uid })
    }

    /// Delivers the message into `new`. When it returns, the message is on disk; its UID is assigned when a session
    /// looks, and sessions that have the mailbox open are notified at once. `id` is the message's name in the log.
    /// Returns the base of its file's name, which stays the message's forever.
    pub async fn deliver(mut self, id: &str) -> Result<String, StoreError> {
        let id = id.to_owned();
        let permit = self.home.work_limits.delivery_permit().await;
        run_with_permit(permit, move || {
            let staged = self.write_and_sync(None)?;
            let base = self.base();
            let file = FileName::in_new(&base);
            let folder = self.folder.clone();
            let sync = self.home.registry.sync_of(&folder.join(Folder::New.as_str()));
            let home = Arc::clone(&self.home);
            let change = home.usage.change();
            staged.commit_shared(&folder.join(file.path()), &sync).map_err(|refused| refused.error)?;
            self.record_stored();
            drop(change);
            if self.home.registry.is_used(&folder) {
                // The peer that waits for the delivery need not wait for the sessions that have the mailbox open.
                tokio::spawn(async move {
                    let permit = self.home.mailbox_permit(&self.name).await;
                    let taken_in = run_with_permit(permit, move || {
                        if let Some(live) = self.home.registry.find_watched(&folder) {
                            live.add_delivered(&id, file);
                        }
                        Ok(())
                    });
                    taken_in.await
                });
            }
            Ok(base)
        })
        .await
    }

    /// Records that the message is stored: its size counts, and its reservation ends.
    fn record_stored(&mut self) {
        self.home.add_stored([self.size]);
        self.reservation = None;
    }

    /// Writes all octets to the file, and syncs the file.
    fn write_and_sync(&mut self, received: Option<SystemTime>) -> Result<Staged, StoreError> {
        let mut staged = match self.staged.take() {
            Some(staged) => staged,
            None => stage(&self.home, &self.folder)?,
        };
        staged.write(&self.buffer)?;
        if let Some(received) = received {
            // A date that the file system cannot store is put into the file's name.
            let _ = staged.file().set_modified(received);
        }
        staged.sync()?;
        Ok(staged)
    }

    fn base(&self) -> String {
        FileName::unique_base(&self.home.host, self.size, Some(self.size + self.lone_line_feeds))
    }

    async fn spill(&mut self) -> Result<(), StoreError> {
        let buffer = std::mem::take(&mut self.buffer);
        let (home, folder, staged) = (self.home.clone(), self.folder.clone(), self.staged.take());
        let permit = self.home.work_limits.delivery_permit().await;
        let (staged, mut buffer) = run_with_permit(permit, move || {
            let mut staged = match staged {
                Some(staged) => staged,
                None => stage(&home, &folder)?,
            };
            staged.write(&buffer)?;
            Ok((staged, buffer))
        })
        .await?;
        buffer.clear();
        self.buffer = buffer;
        self.staged = Some(staged);
        Ok(())
    }
}

/// Returns true if the time of the file is that date. The range of file systems ends in 1901 and 2038, 2446 or later,
/// and they store the nearest possible date instead of others.
fn has_time(staged: &Staged, received: SystemTime) -> bool {
    let modified = staged.file().metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| seconds(modified) == seconds(received))
}

fn stage(home: &MailHome, folder: &Path) -> Result<Staged, StoreError> {
    // The name in `tmp` is as unique as the one to come; sizes are not known yet.
    let path = folder.join("tmp").join(FileName::unique_base(&home.host, 0, None));
    match Staged::create(path.clone(), MODE) {
        // A folder that was restored without its empty subfolders. A removed one is not created again.
        Err(error) if error.source.kind() == io::ErrorKind::NotFound && folder.is_dir() => {
            layout::create_missing_folders(folder)?;
            Ok(Staged::create(path, MODE)?)
        }
        staged => Ok(staged?),
    }
}

/// Appends the octets of a file after its first `skip`. The kernel copies, and shares blocks where it can.
fn copy(mut from: File, skip: u64, into: Staged, path: &Path) -> Result<Staged, StoreError> {
    let mut copied = || -> io::Result<()> {
        // The position is shared with the writer of the file, which writes at its end.
        from.seek(SeekFrom::Start(skip))?;
        io::copy(&mut from, &mut into.file())?;
        Ok(())
    };
    copied().map_err(StoreError::disk("copy", path))?;
    Ok(into)
}
