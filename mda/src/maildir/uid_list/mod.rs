//! `dovecot-uidlist`: the UIDs of files.
//!
//! Every process may read it at any time; one that assigns UIDs holds `dovecot-uidlist.lock` and first reads what
//! other processes appended. A record is appended under the lock and synced afterwards, by [`UidList::sync`], before
//! the UID is sent to a client: so the lock is held for microseconds, and concurrent appends share one sync. The UID of
//! a record that a crash tore was not sent to any client.
//!
//! The list is rewritten (to `dovecot-uidlist.tmp`, renamed) when it is damaged, of an old version, or when most of its
//! records are of removed messages. Its next UID never decreases.

mod parse;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use durable::{SharedSync, Staged};

use super::lock::DotLock;
use super::{MaildirError, Uid, UidValidity, regular};
pub use parse::{Header, ParsedRecords, Record, parse_header, parse_records};

/// The list of one mailbox, as far as it was read.
#[derive(Debug)]
pub(crate) struct UidList {
    folder: PathBuf,
    host: Arc<str>,
    header: Header,
    file: Arc<File>,
    identity: (u64, u64),
    sync: SharedSync,
    /// The end of the part that was read.
    read_to: u64,
    /// The UID of the last record that was read.
    last: Option<Uid>,
    /// Set if it should be rewritten when it is next locked.
    needs_rewrite: bool,
    /// Set when the file may be written.
    is_file_writable: bool,
}

/// A message in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UidEntry {
    pub(crate) uid: Uid,
    pub(crate) base: Box<[u8]>,
}

/// The changes of the list since it was last read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UidListChange {
    /// More records, possibly none.
    Appended(Vec<UidEntry>),
    /// Another file, with all of its records.
    Rewritten(Vec<UidEntry>),
    /// The list was truncated, damaged or replaced by an older one. UIDs that were assigned would be assigned again, so
    /// the mailbox needs a new UIDVALIDITY: [`UidList::reset`].
    Lost,
}

/// The reason for resetting a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResetReason {
    /// It lost UIDs that it had assigned.
    Lost,
    /// It has fewer UIDs left than there are messages without one.
    Exhausted,
}

impl UidList {
    const FILE: &'static str = "dovecot-uidlist";
    const TEMPORARY: &'static str = "dovecot-uidlist.tmp";
    const LOCK: &'static str = "dovecot-uidlist.lock";
    const MODE: u32 = 0o600;

    /// Reads the list of the mailbox in `folder`. If there is no list, or no reliable one, a new one is created, with a
    /// validity from the caller.
    pub(crate) fn open(
        folder: &Path,
        host: &Arc<str>,
        new_validity: &dyn Fn() -> Result<UidValidity, MaildirError>,
    ) -> Result<(Self, Vec<UidEntry>), MaildirError> {
        // One at the end of the UID space could accept no message any more.
        let continued = |(list, _): &(Self, Vec<UidEntry>)| list.next().is_some() || !list.is_file_writable;
        if let Some(opened) = Self::read_whole(folder, host)?.filter(continued) {
            return Ok(opened);
        }
        let lock = Self::dot_lock(folder, host)?;
        // Another process may have created it meanwhile.
        match Self::read_whole(folder, host)? {
            Some(opened) if continued(&opened) => return Ok(opened),
            Some((list, _)) => {
                tracing::warn!(path = %list.path().display(), "no UIDs left, new UIDVALIDITY");
                create_empty(folder, Some(&list.header), new_validity)?;
            }
            None => create_empty(folder, None, new_validity)?,
        }
        drop(lock);
        Self::read_whole(folder, host)?.ok_or_else(|| {
            MaildirError::disk("read", &folder.join(Self::FILE))(io::ErrorKind::NotFound.into())
        })
    }

    fn read_whole(folder: &Path, host: &Arc<str>) -> Result<Option<(Self, Vec<UidEntry>)>, MaildirError> {
        let path = folder.join(Self::FILE);
        let (opened, is_file_writable) =
            match regular::open(OpenOptions::new().read(true).append(true), &path) {
                Err(error) if is_forbidden(&error) => (regular::open_to_read(&path), false),
                opened => (opened, true),
            };
        let file = match opened {
            Ok(Some(file)) => file,
            Ok(None) => {
                tracing::warn!(path = %path.display(), "uid list is not a regular file");
                return Ok(None);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(MaildirError::disk("open", &path)(error)),
        };
        let disk = |source| MaildirError::disk("read", &path)(source);
        let metadata = file.metadata().map_err(disk)?;
        let octets = read_from(&file, 0, metadata.len()).map_err(disk)?;
        let Some((header, start)) = parse_header(&octets) else {
            tracing::warn!(path = %path.display(), "uid list has no header");
            return Ok(None);
        };
        let parsed = parse_records(&octets[start..], None);
        let known = to_entries(&parsed);
        let needs_rewrite = parsed.needs_rewrite
            || header.guid.is_none()
            || octets.first() == Some(&b'1')
            || octets[..start].ends_with(b"\r\n");
        let file = Arc::new(file);
        let list = Self {
            folder: folder.to_owned(),
            host: host.clone(),
            sync: SharedSync::of_file(file.clone(), path.clone()),
            file,
            identity: (metadata.dev(), metadata.ino()),
            read_to: (start + parsed.length) as u64,
            last: known.last().map(|known| known.uid),
            needs_rewrite,
            is_file_writable,
            header,
        };
        Ok(Some((list, known)))
    }

    /// Returns true if the mailbox in `folder` has a list.
    pub(crate) fn is_in(folder: &Path) -> bool {
        folder.join(Self::FILE).exists()
    }

    /// The identifier of the mailbox in `folder`, without reading all of its list.
    pub(crate) fn guid_in(folder: &Path) -> Option<String> {
        let mut octets = Vec::new();
        let file = regular::open_to_read(&folder.join(Self::FILE)).ok()??;
        file.take(512).read_to_end(&mut octets).ok()?;
        parse_header(&octets)?.0.guid
    }

    /// UIDVALIDITY.
    pub(crate) fn uid_validity(&self) -> UidValidity {
        self.header.uid_validity
    }

    /// The mailbox's own identifier.
    pub(crate) fn guid(&self) -> Option<&str> {
        self.header.guid.as_deref()
    }

    /// The UID that the next message gets.
    pub(crate) fn next(&self) -> Option<Uid> {
        let behind = self.last.map_or(Some(Uid::FIRST), Uid::next);
        behind.zip(self.header.next).map(|(behind, next)| behind.max(next))
    }

    /// Syncs earlier appends; shared with all concurrent callers.
    pub(crate) fn sync(&self) -> SharedSync {
        self.sync.clone()
    }

    /// Reads what other processes wrote. Costs one `stat` if they wrote nothing.
    pub(crate) fn read_changes(&mut self) -> Result<UidListChange, MaildirError> {
        let path = self.path();
        match std::fs::metadata(&path) {
            Ok(there) if self.is_open_file(&there) && there.len() == self.read_to => {
                Ok(UidListChange::Appended(Vec::new()))
            }
            Ok(there) if self.is_open_file(&there) && there.len() > self.read_to => self.tail(there.len()),
            Ok(_) => self.reopen(),
            Err(error) => Err(MaildirError::disk("stat", &path)(error)),
        }
    }

    /// Acquires the lock. Then the changes of other processes must be read before anything is written.
    pub(crate) fn lock(&self) -> Result<ListLock, MaildirError> {
        Ok(ListLock { _lock: Self::dot_lock(&self.folder, &self.host)? })
    }

    /// The same; `None` if the list, or the folder of the lock, cannot be written.
    pub(crate) fn lock_if_writable(&self) -> Result<Option<ListLock>, MaildirError> {
        if !self.is_file_writable {
            return Ok(None);
        }
        match self.lock() {
            Err(MaildirError::Disk { source, .. })
                if is_forbidden(&source) || durable::is_disk_full(&source) =>
            {
                Ok(None)
            }
            lock => lock.map(Some),
        }
    }

    fn dot_lock(folder: &Path, host: &str) -> Result<DotLock, MaildirError> {
        let path = folder.join(Self::LOCK);
        DotLock::acquire(path.clone(), host).map_err(MaildirError::lock(&path))
    }

    fn path(&self) -> PathBuf {
        self.folder.join(Self::FILE)
    }

    fn is_open_file(&self, there: &std::fs::Metadata) -> bool {
        // The file is held open, so its number cannot have been reused.
        self.identity == (there.dev(), there.ino())
    }

    fn tail(&mut self, length: u64) -> Result<UidListChange, MaildirError> {
        let disk = |source| MaildirError::disk("read", &self.path())(source);
        let octets = read_from(&self.file, self.read_to, length).map_err(disk)?;
        let parsed = parse_records(&octets, self.last);
        let known = to_entries(&parsed);
        self.read_to += parsed.length as u64;
        self.needs_rewrite |= parsed.needs_rewrite;
        self.last = known.last().map(|known| known.uid).or(self.last);
        Ok(UidListChange::Appended(known))
    }

    fn reopen(&mut self) -> Result<UidListChange, MaildirError> {
        match Self::read_whole(&self.folder, &self.host)? {
            Some((list, known)) if list.keeps_uids_of(self) => {
                *self = list;
                Ok(UidListChange::Rewritten(known))
            }
            _ => Ok(UidListChange::Lost),
        }
    }

    /// Returns true if no UID that `earlier` assigned will be assigned again under the same validity.
    fn keeps_uids_of(&self, earlier: &Self) -> bool {
        let next = |list: &Self| list.next().map_or(u32::MAX, Uid::value);
        self.uid_validity() != earlier.uid_validity() || next(self) >= next(earlier)
    }
}

/// The exclusive right to write a list.
pub(crate) struct ListLock {
    _lock: DotLock,
}

/// Operations of the lock's holder.
impl UidList {
    /// Reads everything that other processes wrote.
    pub(crate) fn read_all_changes(&mut self, _: &ListLock) -> Result<UidListChange, MaildirError> {
        // Opening a file, and not only a `stat`, makes a shared file system ask its server.
        let path = self.path();
        regular::open_to_read(&path).map_err(MaildirError::disk("open", &path))?;
        self.read_changes()
    }

    /// Resets the list to another validity, when it was lost ([`UidListChange::Lost`]) or has no UIDs left,
    /// unless another process has done so. The known records of this list are void afterwards.
    pub(crate) fn reset(
        &self,
        reason: ResetReason,
        new_validity: &dyn Fn() -> Result<UidValidity, MaildirError>,
    ) -> Result<(), MaildirError> {
        let _lock = Self::dot_lock(&self.folder, &self.host)?;
        let is_repaired = |there: &Self| match reason {
            ResetReason::Lost => there.next().is_some() && there.keeps_uids_of(self),
            ResetReason::Exhausted => there.uid_validity() != self.uid_validity(),
        };
        if Self::read_whole(&self.folder, &self.host)?.is_some_and(|(there, _)| is_repaired(&there)) {
            return Ok(());
        }
        tracing::warn!(path = %self.path().display(), ?reason, "uid list reset, new UIDVALIDITY");
        create_empty(&self.folder, Some(&self.header), new_validity)
    }

    /// Assigns UIDs to these bases, in their order. They are on disk, and may be sent to clients, once
    /// [`UidList::sync`] has synced.
    pub(crate) fn append(&mut self, _: &ListLock, bases: &[&[u8]]) -> Result<Vec<Uid>, MaildirError> {
        let path = self.path();
        let mut text = Vec::new();
        let mut uids = Vec::with_capacity(bases.len());
        let mut next = self.next();
        for base in bases {
            let uid = next.ok_or_else(|| MaildirError::NoUidsLeft(path.clone()))?;
            parse::write_record(&mut text, &Record { uid, extensions: b"", base });
            uids.push(uid);
            next = uid.next();
        }
        let disk = |source| MaildirError::disk("write", &path)(source);
        if !self.is_file_writable {
            return Err(disk(io::ErrorKind::PermissionDenied.into()));
        }
        if self.file.metadata().map_err(disk)?.len() != self.read_to {
            // A record that a crash tore: its UID was not sent to any client, and the next record must not be joined to
            // it.
            self.file.set_len(self.read_to).map_err(disk)?;
        }
        if let Err(error) = (&*self.file).write_all(&text) {
            // A partial write is removed; if that fails too, it is a torn record.
            let _ = self.file.set_len(self.read_to);
            return Err(disk(error));
        }
        self.read_to += text.len() as u64;
        self.last = uids.last().copied().or(self.last);
        self.header.next = next;
        Ok(uids)
    }

    /// Returns true if UIDs can be assigned.
    pub(crate) fn is_writable(&self) -> bool {
        self.is_file_writable
    }

    /// Returns true if the list should be rewritten regardless of its content.
    pub(crate) fn is_damaged(&self) -> bool {
        self.needs_rewrite && self.is_file_writable
    }

    /// Rewrites the list with the records that `keep` accepts, and with one more: a message that gets another base. On
    /// disk when it returns.
    pub(crate) fn rewrite(
        &mut self,
        _: &ListLock,
        keep: &dyn Fn(&Record<'_>) -> bool,
        renamed: Option<(Uid, &[u8])>,
    ) -> Result<(), MaildirError> {
        let path = self.path();
        let disk = |source| MaildirError::disk("read", &path)(source);
        let octets = read_from(&self.file, 0, self.read_to).map_err(disk)?;
        let start = parse_header(&octets).map_or(0, |(_, start)| start);
        let mut header = self.header.clone();
        header.next = self.next();
        if header.guid.is_none() {
            header.guid = Some(new_guid()?);
        }
        let mut text = parse::header_line(&header).into_bytes();
        let mut kept: Vec<Record<'_>> = parse_records(&octets[start..], None).records;
        kept.retain(keep);
        if let Some((uid, base)) = renamed {
            kept.insert(
                kept.partition_point(|record| record.uid < uid),
                Record { uid, extensions: b"", base },
            );
        }
        for record in &kept {
            parse::write_record(&mut text, record);
        }
        replace(&self.folder, &text)?;
        self.reopen().map(drop)
    }
}

/// Creates a list without records. The mailbox's identifier stays, if it has one. The caller holds the lock.
fn create_empty(
    folder: &Path,
    before: Option<&Header>,
    new_validity: &dyn Fn() -> Result<UidValidity, MaildirError>,
) -> Result<(), MaildirError> {
    let mut uid_validity = new_validity()?;
    if let Some(before) = before {
        // The earlier one may be in the future of our clock.
        let above = UidValidity::new(before.uid_validity.value().wrapping_add(1));
        uid_validity = above.map_or(uid_validity, |above| above.max(uid_validity));
    }
    let guid = match before.and_then(|before| before.guid.clone()) {
        Some(guid) => guid,
        None => new_guid()?,
    };
    let header = Header { uid_validity, next: Some(Uid::FIRST), guid: Some(guid), others: Vec::new() };
    replace(folder, parse::header_line(&header).as_bytes())
}

/// Replaces the list, if there is one. The caller holds the lock.
fn replace(folder: &Path, content: &[u8]) -> Result<(), MaildirError> {
    let temporary = folder.join(UidList::TEMPORARY);
    regular::move_aside(&temporary).map_err(MaildirError::disk("move aside", &temporary))?;
    // Left over by a process that died while writing it.
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(MaildirError::disk("remove", &temporary)(error));
        }
        _ => {}
    }
    let list = folder.join(UidList::FILE);
    regular::move_aside(&list).map_err(MaildirError::disk("move aside", &list))?;
    let mut staged = Staged::create(temporary, UidList::MODE)?;
    staged.write(content)?;
    staged.commit(&list).map(drop).map_err(|refused| refused.error.into())
}

fn read_from(file: &File, start: u64, end: u64) -> io::Result<Vec<u8>> {
    let mut octets = vec![0; end.saturating_sub(start) as usize];
    let mut read = 0;
    while read < octets.len() {
        match file.read_at(&mut octets[read..], start + read as u64) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    octets.truncate(read);
    Ok(octets)
}

fn to_entries(parsed: &ParsedRecords<'_>) -> Vec<UidEntry> {
    parsed.records.iter().map(|record| UidEntry { uid: record.uid, base: record.base.into() }).collect()
}

/// Returns true if an error means that a file may be read, perhaps, and not written.
pub(crate) fn is_forbidden(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// 32 hexadecimal digits that no other mailbox has.
fn new_guid() -> Result<String, MaildirError> {
    let mut octets = [0; 16];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| {
        MaildirError::disk("read random octets from", Path::new("the system"))(io::ErrorKind::Other.into())
    })?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}

#[cfg(test)]
mod tests;
