//! Several folders of a Maildir that are renamed together: a mailbox with its children.
//!
//! ```text
//!              all free                     each in its order              all done
//! lock ──▶ look ───────▶ write the journal ──────────────────▶ sync ──────────────────▶ remove the journal
//!                               │                  │ one cannot be renamed
//!                               │                  └──▶ rename those before it back ──▶ remove the journal
//!                               └─ crash: the next process that lists or renames folders finishes the journal
//! ```
//!
//! Readers of all folders hold the lock while there is a journal, so that they see all old names or all new ones. The
//! journal is whole or absent, and the folders alone show which of its steps are done.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::MaildirError;
use super::lock::DotLock;
use super::regular;

const JOURNAL: &str = "mailstead-renaming";
const LOCK: &str = "mailstead-renaming.lock";
const MODE: u32 = 0o600;
/// The limit of the journal; a user's folders do not fill it.
const MAX_JOURNAL: u64 = 64 << 20;

/// A folder's old and new name in the Maildir.
pub(crate) type FolderRename = (OsString, OsString);

/// Renames folders, all or none. The old name of one of these folders may be the new name of a later one. `false` if a
/// new name is taken.
pub(crate) fn rename(root: &Path, host: &str, moves: &[FolderRename]) -> Result<bool, MaildirError> {
    let _lock = lock(root, host)?;
    finish_interrupted(root)?;
    for (index, (_, to)) in moves.iter().enumerate() {
        let is_left = moves[..index].iter().any(|(from, _)| from == to);
        if !is_left && is_taken(&root.join(to)) {
            return Ok(false);
        }
    }
    // One folder is renamed or not, without a journal.
    let journal = (moves.len() > 1).then(|| root.join(JOURNAL));
    if let Some(journal) = &journal {
        durable::write_whole(journal, &encode_journal(moves), MODE)?;
    }
    let renamed = apply_renames(root, moves, 0, |from, to| fs::rename(from, to), durable::sync_folder);
    if let Some(journal) = &journal {
        remove_journal(journal)?;
    }
    match renamed {
        Ok(()) => Ok(true),
        // Another program has taken the name since. A folder that is not empty is not replaced, nor is a file of
        // another kind.
        Err(MaildirError::Disk { source, .. }) if is_refusal(&source) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, NotADirectory};
    matches!(error.kind(), AlreadyExists | DirectoryNotEmpty | NotADirectory)
}

/// Finishes a renaming that a crash interrupted, and waits for a running one. Costs one `stat` if there is no journal.
/// If it cannot be finished now, the mailboxes are served as they are.
pub(crate) fn recover(root: &Path, host: &str) {
    if fs::symlink_metadata(root.join(JOURNAL)).is_err() {
        return;
    }
    let finished = lock(root, host).and_then(|_lock| finish_interrupted(root));
    if let Err(error) = finished {
        tracing::warn!(maildir = %root.display(), %error, "cannot finish an interrupted rename yet");
    }
}

/// Reads all folders as they are before a renaming or after it: a read during which the Maildir's folder has changed is
/// repeated, within a limit, so that deliveries cannot delay it without end.
pub(crate) fn read_consistently<T, E>(
    root: &Path,
    host: &str,
    look: impl Fn() -> Result<T, E>,
) -> Result<T, E> {
    const MAX_LOOKS: usize = 4;
    let changed = || fs::metadata(root).and_then(|folder| folder.modified()).ok();
    for _ in 1..MAX_LOOKS {
        recover(root, host);
        let before = changed();
        let seen = look()?;
        if changed() == before {
            return Ok(seen);
        }
    }
    recover(root, host);
    look()
}

fn lock(root: &Path, host: &str) -> Result<DotLock, MaildirError> {
    let lock = root.join(LOCK);
    DotLock::acquire(lock.clone(), host).map_err(MaildirError::lock(&lock))
}

/// Carries out the journal, if there is one. Under the lock.
fn finish_interrupted(root: &Path) -> Result<(), MaildirError> {
    let journal = root.join(JOURNAL);
    let Some(moves) = read_journal(&journal)? else { return Ok(()) };
    tracing::warn!(maildir = %root.display(), folders = moves.len(), "finishing an interrupted rename");
    // The steps were done in order, so the last one that is visibly done proves those before it, whose old names may
    // have been taken by later ones.
    let is_done = |(from, to): &FolderRename| !is_taken(&root.join(from)) && is_taken(&root.join(to));
    let done = moves.iter().rposition(is_done).map_or(0, |last| last + 1);
    // A folder that another program has since created under either name stays as it is.
    let unless_taken = |from: &Path, to: &Path| if is_taken(to) { Ok(()) } else { fs::rename(from, to) };
    let finished = apply_renames(root, &moves, done, unless_taken, durable::sync_folder);
    if let Err(error) = finished {
        tracing::warn!(maildir = %root.display(), %error, "undid an interrupted rename");
    }
    remove_journal(&journal)
}

/// Removes the journal. It may reappear after a crash: then all its steps are visibly done.
fn remove_journal(journal: &Path) -> Result<(), MaildirError> {
    match durable::remove_file(journal) {
        Err(error) if error.step != durable::Step::SyncFolder => Err(error.into()),
        _ => Ok(()),
    }
}

/// Renames the folders of which the first `done` are renamed already. If one cannot be renamed, all get their old names
/// back.
fn apply_renames(
    root: &Path,
    moves: &[FolderRename],
    done: usize,
    rename: impl Fn(&Path, &Path) -> io::Result<()>,
    sync: impl Fn(&Path) -> Result<(), durable::Error>,
) -> Result<(), MaildirError> {
    for (index, (from, to)) in moves.iter().enumerate().skip(done) {
        if let Err(source) = rename(&root.join(from), &root.join(to)) {
            undo(root, &moves[..index]);
            sync(root)?;
            return Err(MaildirError::disk("rename", &root.join(from))(source));
        }
    }
    // The client is answered that nothing was renamed, so nothing may be.
    sync(root).inspect_err(|_| {
        undo(root, moves);
        let _ = sync(root);
    })?;
    Ok(())
}

fn undo(root: &Path, moves: &[FolderRename]) {
    for (from, to) in moves.iter().rev() {
        if let Err(error) = fs::rename(root.join(to), root.join(from)) {
            tracing::error!(maildir = %root.display(), folder = ?to, %error, "cannot undo a rename");
        }
    }
}

/// Returns true if the name is taken. An empty folder counts as free: a rename replaces it.
fn is_taken(path: &Path) -> bool {
    let is_empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_dir() || !is_empty())
}

/// The journal's content, divided by NUL: names of files hold every other octet.
fn encode_journal(moves: &[FolderRename]) -> Vec<u8> {
    moves.iter().flat_map(|(from, to)| [from.as_bytes(), b"\0", to.as_bytes(), b"\0"].concat()).collect()
}

fn read_journal(journal: &Path) -> Result<Option<Vec<FolderRename>>, MaildirError> {
    let disk = |source| MaildirError::disk("read", journal)(source);
    let metadata = match fs::symlink_metadata(journal) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(disk(error)),
    };
    // An entry that is not a file is not ours, and is removed like an empty file.
    if !metadata.is_file() || metadata.len() > MAX_JOURNAL {
        return Ok(Some(Vec::new()));
    }
    let octets = regular::read(journal, MAX_JOURNAL).map_err(disk)?;
    let names: Vec<&[u8]> =
        octets.strip_suffix(b"\0").unwrap_or(&octets).split(|octet| *octet == 0).collect();
    let moves = match names.as_chunks::<2>() {
        (pairs, []) if names.iter().all(|name| is_folder(name)) => pairs,
        _ => &[],
    };
    let name = |name: &[u8]| OsStr::from_bytes(name).to_owned();
    Ok(Some(moves.iter().map(|[from, to]| (name(from), name(to))).collect()))
}

/// Only folders of mailboxes are renamed, regardless of the journal.
fn is_folder(name: &[u8]) -> bool {
    matches!(name, [b'.', second, ..] if *second != b'.') && !name.contains(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = [".A", ".A.B", ".A.C"];

    fn root() -> tempfile::TempDir {
        root_of(&NAMES)
    }

    /// Each folder contains its own name, so that it is recognised under another.
    fn root_of(names: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        names.iter().for_each(|name| fs::create_dir_all(root.path().join(name).join(name)).unwrap());
        root
    }

    fn moves(pairs: &[(&str, &str)]) -> Vec<FolderRename> {
        pairs.iter().map(|(from, to)| ((*from).into(), (*to).into())).collect()
    }

    fn folders(root: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn tree() -> Vec<FolderRename> {
        moves(&[(".A", ".X"), (".A.B", ".X.B"), (".A.C", ".X.C")])
    }

    #[test]
    fn a_read_overlapped_by_a_rename_is_repeated() {
        let root = tempfile::tempdir().unwrap();
        for folder in [".a", ".a.b"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        let past = std::time::SystemTime::UNIX_EPOCH;
        fs::File::open(root.path()).unwrap().set_modified(past).unwrap();
        let there = |folder: &str| root.path().join(folder).exists();
        let looks = std::cell::Cell::new(0);
        let seen = read_consistently(root.path(), "host", || {
            looks.set(looks.get() + 1);
            let first = there(".a");
            if looks.get() == 1 {
                fs::rename(root.path().join(".a"), root.path().join(".c")).unwrap();
                fs::rename(root.path().join(".a.b"), root.path().join(".c.b")).unwrap();
            }
            Ok::<_, MaildirError>((first, there(".a.b"), there(".c.b")))
        });
        assert_eq!((seen.unwrap(), looks.get()), ((false, false, true), 2));
        // A read that is always overlapped ends.
        let looks = std::cell::Cell::new(0);
        let seen = read_consistently(root.path(), "host", || {
            looks.set(looks.get() + 1);
            let time = past + std::time::Duration::from_secs(looks.get());
            fs::File::open(root.path()).unwrap().set_modified(time).unwrap();
            Ok::<_, MaildirError>(looks.get())
        });
        assert_eq!(seen.unwrap(), 4);
    }

    #[test]
    fn all_folders_get_their_new_names_and_nothing_else_is_left() {
        let root = root();
        assert!(rename(root.path(), "host", &tree()).unwrap());
        assert_eq!(folders(root.path()), [".X", ".X.B", ".X.C"]);
    }

    #[test]
    fn nothing_is_renamed_when_one_name_is_taken() {
        let root = root();
        for taken in [".X", ".X.C"] {
            fs::write(root.path().join(taken), "").unwrap();
            assert!(!rename(root.path(), "host", &tree()).unwrap());
            fs::remove_file(root.path().join(taken)).unwrap();
            assert_eq!(folders(root.path()), NAMES);
        }
    }

    #[test]
    fn nothing_is_renamed_when_a_step_in_the_middle_fails() {
        let root = root();
        let broken = moves(&[(".A", ".X"), (".A.B", ".X.B"), (".gone", ".Y"), (".A.C", ".X.C")]);
        assert!(rename(root.path(), "host", &broken).is_err());
        assert_eq!(folders(root.path()), NAMES);
    }

    #[test]
    fn a_folder_may_take_the_name_that_another_leaves() {
        let root = root();
        let up = moves(&[(".A.B", ".B"), (".A", ".A.B"), (".A.C", ".A")]);
        assert!(rename(root.path(), "host", &up).unwrap());
        assert_eq!(folders(root.path()), [".A", ".A.B", ".B"]);
    }

    /// A crash leaves the journal and any number of steps done. Each such state becomes the one after the rename.
    #[test]
    fn a_rename_interrupted_at_any_step_is_finished() {
        for done in 0..=3 {
            let root = root();
            fs::write(root.path().join(JOURNAL), encode_journal(&tree())).unwrap();
            for (from, to) in &tree()[..done] {
                fs::rename(root.path().join(from), root.path().join(to)).unwrap();
            }
            recover(root.path(), "host");
            assert_eq!(folders(root.path()), [".X", ".X.B", ".X.C"], "{done} steps done");
            // The same where each folder gets the name that the one before it had.
            let root = root_of(&[".A.B", ".A.B.B", ".A.B.B.B"]);
            let up = moves(&[(".A.B", ".A"), (".A.B.B", ".A.B"), (".A.B.B.B", ".A.B.B")]);
            fs::write(root.path().join(JOURNAL), encode_journal(&up)).unwrap();
            for (from, to) in &up[..done] {
                fs::rename(root.path().join(from), root.path().join(to)).unwrap();
            }
            recover(root.path(), "host");
            assert_eq!(folders(root.path()), [".A", ".A.B", ".A.B.B"], "{done} steps done");
            assert!(root.path().join(".A/.A.B").exists() && root.path().join(".A.B.B/.A.B.B.B").exists());
        }
    }

    #[test]
    fn an_interrupted_rename_that_cannot_be_finished_is_undone() {
        let root = root();
        fs::remove_dir_all(root.path().join(".A.C")).unwrap();
        fs::write(root.path().join(JOURNAL), encode_journal(&tree())).unwrap();
        fs::rename(root.path().join(".A"), root.path().join(".X")).unwrap();
        recover(root.path(), "host");
        assert_eq!(folders(root.path()), [".A", ".A.B"]);
    }

    #[test]
    fn an_invalid_journal_renames_nothing_and_blocks_nothing() {
        let root = root();
        nix::unistd::mkfifo(&root.path().join(JOURNAL), nix::sys::stat::Mode::S_IRWXU).unwrap();
        recover(root.path(), "host");
        for content in [&b"cur\0.X\0"[..], b"\xff", b".A\0../../x\0", b".A\0.X/../../y\0"] {
            fs::write(root.path().join(JOURNAL), content).unwrap();
            recover(root.path(), "host");
            assert_eq!(folders(root.path()), NAMES);
        }
    }

    #[test]
    fn a_rename_that_cannot_be_synced_is_undone() {
        let root = tempfile::tempdir().unwrap();
        for folder in [".a", ".a.b"] {
            fs::create_dir_all(root.path().join(folder).join("cur")).unwrap();
        }
        let moves: Vec<FolderRename> =
            [(".a", ".c"), (".a.b", ".c.b")].map(|(from, to)| (from.into(), to.into())).into();
        let full = |path: &Path| {
            Err(durable::Error {
                step: durable::Step::SyncFolder,
                path: path.to_owned(),
                source: io::ErrorKind::StorageFull.into(),
            })
        };
        let rename = |from: &Path, to: &Path| fs::rename(from, to);
        apply_renames(root.path(), &moves, 0, rename, full).unwrap_err();
        assert!(root.path().join(".a/cur").is_dir() && root.path().join(".a.b/cur").is_dir());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
    }
}
