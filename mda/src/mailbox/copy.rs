//! COPY and MOVE: a second name for the same file, where the file system can give one.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use durable::Staged;

use super::live::Live;
use super::usage::room;
use super::{Mailbox, Snapshot, StoreError};
use crate::maildir::{FileName, Flags, Folder, Uid, UidValidity, size_file};

/// What COPY and MOVE did (COPYUID, RFC 4315 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The target's UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// Each message's UID here and its new one there, ascending in both. Messages that were gone are not among them.
    pub uids: Vec<(Uid, Uid)>,
}

impl Mailbox {
    /// Copies messages into another mailbox of the same user, or this one: all or none.
    pub async fn copy_to(&self, uids: Vec<Uid>, target: &Mailbox) -> Result<Copied, StoreError> {
        let target = target.live.clone();
        self.work(move |source| {
            let octets = uids.iter().filter_map(|uid| size_of(source, *uid)).sum();
            let room = room(&source.home, octets)?;
            let _change = source.home.usage.change();
            let copied = copy(source, uids, &target)?;
            source.home.grew(copied.uids.iter().filter_map(|(uid, _)| size_of(source, *uid)));
            drop(room);
            Ok(copied)
        })
        .await
    }

    /// Moves messages into another mailbox of the same user: all or none. They are gone from the snapshots here.
    ///
    /// They are on disk there before they are removed here: a crash between the two leaves them in both.
    pub async fn move_to(&self, uids: Vec<Uid>, target: &Mailbox) -> Result<Copied, StoreError> {
        let target = target.live.clone();
        self.work(move |source| {
            // What is kept stays the same; who counts shall see it once.
            let _change = source.home.usage.change();
            let copied = copy(source, uids, &target)?;
            let gone: Vec<Uid> = copied.uids.iter().map(|(uid, _)| *uid).collect();
            source.change(|state| state.remove(&gone))?;
            source.home.index.forget(&source.guid, &gone);
            Ok(copied)
        })
        .await
    }
}

/// The octets of a message's file; none when it is gone.
fn size_of(source: &Live, uid: Uid) -> Option<u64> {
    let snapshot = source.snapshot();
    let (_, entry) = snapshot.by_uid(uid)?;
    size_file::octets_of(&source.folder, &entry.file)
}

/// A message that waits in the target's `tmp`; dropped, it is removed.
struct Waiting {
    uid: Uid,
    path: PathBuf,
    file: FileName,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn copy(source: &Live, mut uids: Vec<Uid>, target: &Live) -> Result<Copied, StoreError> {
    uids.sort_unstable();
    uids.dedup();
    let snapshot = source.snapshot();
    let flags = translate(&snapshot, &uids, target)?;
    let mut waiting = Vec::with_capacity(uids.len());
    for uid in uids {
        let Some((_, entry)) = snapshot.by_uid(uid) else { continue };
        let flags = flags.get(&entry.flags).copied().unwrap_or_default();
        waiting.extend(second_name(source, uid, &entry.file, flags, target)?);
    }
    if waiting.is_empty() {
        return Ok(Copied { uid_validity: target.snapshot().uid_validity(), uids: Vec::new() });
    }
    let sync = target.home.registry.sync_of(&target.folder.join(Folder::Cur.as_str()));
    let (given, shown) =
        target.change_in(Some(&sync), |state| state.place(|folder| place(folder, &waiting)))?;
    let uids = waiting.iter().map(|message| message.uid).zip(given).collect();
    Ok(Copied { uid_validity: shown.uid_validity(), uids })
}

/// What the messages' flags are in the target, whose keywords have other letters.
fn translate(snapshot: &Snapshot, uids: &[Uid], target: &Live) -> Result<HashMap<Flags, Flags>, StoreError> {
    let mut flags: HashMap<Flags, Flags> = HashMap::new();
    for (_, entry) in uids.iter().filter_map(|uid| snapshot.by_uid(*uid)) {
        flags.entry(entry.flags).or_default();
    }
    target.change(|state| {
        for (there, here) in &mut flags {
            let names: Vec<String> = there
                .keyword_places()
                .filter_map(|place| snapshot.keywords().name(place))
                .map(str::to_owned)
                .collect();
            // A copy without a keyword for which there is no room is better than no copy.
            let keywords = state.keyword_flags(&names).or_else(|error| match error {
                StoreError::KeywordRefused(_) => Ok(Flags::NONE),
                error => Err(error),
            })?;
            *here = there.without(Flags::KEYWORDS) | keywords;
        }
        Ok(())
    })?;
    Ok(flags)
}

/// Gives a message a second name in the target's `tmp`; `None` if it is gone.
fn second_name(
    source: &Live,
    uid: Uid,
    file: &FileName,
    flags: Flags,
    target: &Live,
) -> Result<Option<Waiting>, StoreError> {
    let mut path = source.path(file);
    let mut tries = 0;
    loop {
        match name_again(&path, file, flags, uid, target) {
            Err(StoreError::MessageGone) if tries < RENAMES => {
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

/// So many times in a row a message may be renamed under our hands.
const RENAMES: u32 = 10;

fn name_again(
    path: &Path,
    file: &FileName,
    flags: Flags,
    uid: Uid,
    target: &Live,
) -> Result<Waiting, StoreError> {
    let size = match file.size() {
        Some(size) => size,
        None => fs::metadata(path).map_err(|error| lost(path, error))?.len(),
    };
    let mut base = FileName::unique_base(&target.home.host, size, file.virtual_size());
    if let Some(received) = file.received() {
        base = FileName::dated_base(&base, received);
    }
    let waiting =
        Waiting { uid, path: target.folder.join("tmp").join(&base), file: FileName::of_base(&base, flags) };
    if fs::hard_link(path, &waiting.path).is_err() {
        // Renamed; or another file system, or a file with as many names as it can have.
        duplicate(path, &waiting.path)?;
    }
    Ok(waiting)
}

fn lost(path: &Path, error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::NotFound => StoreError::MessageGone,
        _ => StoreError::disk("copy", path)(error),
    }
}

/// Copies a file with its time, which is the message's INTERNALDATE.
fn duplicate(from: &Path, to: &Path) -> Result<(), StoreError> {
    let disk = |source| StoreError::disk("copy", from)(source);
    let mut original = File::open(from).map_err(|error| lost(from, error))?;
    let received = original.metadata().and_then(|metadata| metadata.modified()).map_err(disk)?;
    let written = to.with_extension("copy");
    let staged = Staged::create(written, 0o600)?;
    io::copy(&mut original, &mut staged.file()).map_err(disk)?;
    staged.file().set_modified(received).map_err(disk)?;
    staged.place(to).map_err(|refused| refused.error)?;
    Ok(())
}

/// Moves all messages from `tmp` to `cur`, or none.
fn place(folder: &Path, waiting: &[Waiting]) -> Result<Vec<FileName>, StoreError> {
    for (done, message) in waiting.iter().enumerate() {
        if let Err(error) = fs::rename(&message.path, folder.join(message.file.path())) {
            for placed in &waiting[..done] {
                let _ = fs::remove_file(folder.join(placed.file.path()));
            }
            return Err(StoreError::disk("place", &message.path)(error));
        }
    }
    Ok(waiting.iter().map(|message| message.file.clone()).collect())
}
