//! COPY and MOVE: a second name for the same file, if the file system allows it.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use durable::Staged;

use super::live::{LiveMailbox, RequiredSync};
use super::state::MailboxState;
use super::usage::reserve;
use super::{Mailbox, MessageEntry, Snapshot, StoreError};
use crate::maildir::{FileName, Flags, Folder, Uid, UidValidity, maildirsize, regular};

/// The result of COPY and MOVE (COPYUID, RFC 4315 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The target's UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// Each message's UID here and its new one there, ascending in both. Messages that are gone are left out.
    pub uids: Vec<(Uid, Uid)>,
}

impl Mailbox {
    /// Copies messages into another mailbox of the same user, or this one: all or none.
    pub async fn copy_to(&self, uids: Vec<Uid>, target: &Mailbox) -> Result<Copied, StoreError> {
        let target = target.live.clone();
        self.run_blocking(move |source| {
            let octets = uids.iter().filter_map(|uid| size_of(source, *uid)).sum();
            let room = reserve(&source.home, octets)?;
            let _change = source.home.usage.change();
            let copied = copy(source, uids, &target)?;
            source.home.add_stored(copied.uids.iter().filter_map(|(uid, _)| size_of(source, *uid)));
            drop(room);
            Ok(copied)
        })
        .await
    }

    /// Moves messages into another mailbox of the same user: all or none. They are gone from the snapshots here.
    ///
    /// They are on disk there before they are removed here: a crash between the two leaves them in both. When it
    /// returns, both are on disk.
    pub async fn move_to(&self, uids: Vec<Uid>, target: &Mailbox) -> Result<Copied, StoreError> {
        let target = target.live.clone();
        self.run_blocking(move |source| {
            // The messages stay the same; a concurrent count must see them once.
            let _change = source.home.usage.change();
            let copied = copy(source, uids, &target)?;
            let gone: Vec<Uid> = copied.uids.iter().map(|(uid, _)| *uid).collect();
            source.change_synced(&RequiredSync::Renamed, |state| state.remove(&gone))?;
            source.home.index.forget(&source.guid, &gone);
            Ok(copied)
        })
        .await
    }
}

/// The octets of a message's file; `None` if it is gone.
fn size_of(source: &LiveMailbox, uid: Uid) -> Option<u64> {
    let snapshot = source.snapshot();
    let (_, entry) = snapshot.by_uid(uid)?;
    maildirsize::octets_of(&source.folder, &entry.file)
}

/// A copy in the target's `tmp`, removed when dropped.
struct StagedCopy {
    uid: Uid,
    path: PathBuf,
    /// The message's name in the source, with other programs' letters.
    from: FileName,
    base: String,
    flags: Flags,
}

impl Drop for StagedCopy {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn copy(source: &LiveMailbox, mut uids: Vec<Uid>, target: &LiveMailbox) -> Result<Copied, StoreError> {
    uids.sort_unstable();
    uids.dedup();
    target.create_missing_folders()?;
    let snapshot = source.snapshot();
    let mut waiting = Vec::with_capacity(uids.len());
    for uid in uids {
        let Some((_, entry)) = snapshot.by_uid(uid) else { continue };
        waiting.extend(link_into_tmp(source, uid, entry, target)?);
    }
    if waiting.is_empty() {
        return Ok(Copied { uid_validity: target.snapshot().uid_validity(), uids: Vec::new() });
    }
    let sync = target.home.registry.sync_of(&target.folder.join(Folder::Cur.as_str()));
    // In one change, so that no other session reassigns a keyword's letter in between.
    let (given, shown) = target.place_durably(&sync, |state| {
        let flags = translate_flags(&snapshot, &waiting, state)?;
        let messages: Vec<(FileName, Flags)> = waiting
            .iter()
            .map(|message| {
                let flags = flags.get(&message.flags).copied().unwrap_or_default();
                (message.from.with_base_and_flags(&message.base, flags), flags)
            })
            .collect();
        let paths: Vec<PathBuf> = messages.iter().map(|(file, _)| file.path()).collect();
        state.store_messages(messages, |folder| move_into_place(folder, &waiting, &paths))
    })?;
    let uids = waiting.iter().map(|message| message.uid).zip(given).collect();
    Ok(Copied { uid_validity: shown.uid_validity(), uids })
}

/// The messages' flags in the target, whose keywords have other letters.
fn translate_flags(
    snapshot: &Snapshot,
    messages: &[StagedCopy],
    target: &mut MailboxState,
) -> Result<HashMap<Flags, Flags>, StoreError> {
    let mut flags: HashMap<Flags, Flags> = HashMap::new();
    for message in messages {
        flags.entry(message.flags).or_default();
    }
    // All names at once, so that a letter that one message needs is not reassigned for the next one.
    let names = |flags: Flags| flags.keyword_indexes().filter_map(|index| snapshot.keywords().name(index));
    let all = flags.keys().fold(Flags::NONE, |all, flags| all | *flags);
    target.keyword_flags(&names(all).map(str::to_owned).collect::<Vec<_>>())?;
    let known = target.snapshot().keywords();
    for (there, here) in &mut flags {
        let kept = names(*there).filter_map(|name| known.flag(name));
        *here = kept.fold(there.without(Flags::KEYWORDS), |all, keyword| all | keyword);
    }
    Ok(flags)
}

/// Gives a message a second name in the target's `tmp`; `None` if it is gone.
fn link_into_tmp(
    source: &LiveMailbox,
    uid: Uid,
    entry: &MessageEntry,
    target: &LiveMailbox,
) -> Result<Option<StagedCopy>, StoreError> {
    let mut path = source.path(&entry.file);
    let mut tries = 0;
    loop {
        match try_link_into_tmp(&path, entry, uid, target) {
            Err(StoreError::MessageGone) if tries < MAX_RENAMES => {
                // Renamed since the snapshot, by another session that changes flags, or gone.
                match source.change(|state| state.locate(uid)) {
                    Ok((found, _)) => path = source.path(&found),
                    Err(StoreError::MessageGone) => return Ok(None),
                    Err(error) => return Err(error),
                }
                tries += 1;
            }
            named => return named.map(Some),
        }
    }
}

/// Number of times in a row that other processes may rename a message during a copy.
const MAX_RENAMES: u32 = 10;

fn try_link_into_tmp(
    path: &Path,
    entry: &MessageEntry,
    uid: Uid,
    target: &LiveMailbox,
) -> Result<StagedCopy, StoreError> {
    let MessageEntry { file, flags, .. } = entry;
    let stored = fs::symlink_metadata(path).map_err(|error| copy_error(path, error))?.len();
    // The name of a compressed file contains the message's size.
    let size = file.size().filter(|_| file.is_marked_as_compressed()).unwrap_or(stored);
    let base =
        file.with_date_of_this(FileName::unique_base(&target.home.host, size, file.virtual_size(stored)));
    let path_in_tmp = target.folder.join("tmp").join(&base);
    let waiting = StagedCopy { uid, path: path_in_tmp, from: file.clone(), base, flags: *flags };
    if fs::hard_link(path, &waiting.path).is_err() {
        // Renamed; or another file system, or a file with the maximum number of names.
        copy_file(path, &waiting.path)?;
    }
    Ok(waiting)
}

fn copy_error(path: &Path, error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::NotFound => StoreError::MessageGone,
        _ => StoreError::disk("copy", path)(error),
    }
}

/// Copies a file with its time, which is the message's INTERNALDATE.
fn copy_file(from: &Path, to: &Path) -> Result<(), StoreError> {
    let disk = |source| StoreError::disk("copy", from)(source);
    let original = regular::open_to_read(from).map_err(|error| copy_error(from, error))?;
    let mut original = original.ok_or(StoreError::MessageGone)?;
    let received = original.metadata().and_then(|metadata| metadata.modified()).map_err(disk)?;
    let written = to.with_extension("copy");
    let staged = Staged::create(written, 0o600)?;
    io::copy(&mut original, &mut staged.file()).map_err(disk)?;
    staged.file().set_modified(received).map_err(disk)?;
    staged.commit_unsynced(to).map_err(|refused| refused.error)?;
    Ok(())
}

/// Moves all messages from `tmp` to their paths, or none.
fn move_into_place(folder: &Path, waiting: &[StagedCopy], paths: &[PathBuf]) -> Result<(), StoreError> {
    for (done, (message, path)) in waiting.iter().zip(paths).enumerate() {
        if let Err(error) = fs::rename(&message.path, folder.join(path)) {
            for placed in &paths[..done] {
                let _ = fs::remove_file(folder.join(placed));
            }
            return Err(StoreError::disk("rename", &message.path)(error));
        }
    }
    Ok(())
}
