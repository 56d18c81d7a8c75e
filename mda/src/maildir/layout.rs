//! Folders of a Maildir++: the INBOX is the Maildir itself, every other mailbox a folder `.A.B` in it.
//!
//! A folder appears and disappears whole: it is made under a name that begins with two dots and renamed, and it is
//! renamed to such a name before it is removed. Dovecot takes no notice of those, and what a crash leaves of them
//! `sweep` removes.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{MailboxName, MaildirError, subscriptions};

const SUBFOLDERS: [&str; 3] = ["tmp", "new", "cur"];
const MODE: u32 = 0o700;
/// Marks a folder of Maildir++, for programs that deliver to it.
const MARKER: &str = "maildirfolder";
pub(super) const BEING_MADE: &str = "..new-";
pub(super) const BEING_REMOVED: &str = "..gone-";

/// The folder of a mailbox in the Maildir at `root`.
pub(crate) fn folder(root: &Path, name: &MailboxName) -> PathBuf {
    if name.is_inbox() { root.to_owned() } else { root.join(name.folder()) }
}

/// Whether there is such a mailbox.
pub(crate) fn exists(root: &Path, name: &MailboxName) -> bool {
    folder(root, name).join("cur").is_dir()
}

/// Makes what is missing of the Maildir itself, or of a mailbox's folders.
pub(crate) fn complete(folder: &Path) -> Result<(), MaildirError> {
    // `cur` is the last: it is what makes the folder a mailbox.
    SUBFOLDERS.iter().try_for_each(|sub| Ok(durable::create_folder(&folder.join(sub), MODE)?))
}

/// Makes the Maildir of a new user with some mailboxes, subscribed to. What a crash leaves of it is no Maildir yet, and
/// is completed by the next who tries.
pub(crate) fn found(root: &Path, host: &str, mailboxes: &[MailboxName]) -> Result<(), MaildirError> {
    durable::create_folder(root, MODE)?;
    for name in mailboxes {
        create(root, name)?;
    }
    subscriptions::set(root, host, mailboxes, true)?;
    complete(root)
}

/// All mailboxes but the INBOX, by name.
pub(crate) fn list(root: &Path) -> Result<Vec<MailboxName>, MaildirError> {
    let disk = |source| MaildirError::disk("list", root)(source);
    let mut names = Vec::new();
    for entry in fs::read_dir(root).map_err(disk)? {
        let entry = entry.map_err(disk)?;
        let Some(name) = entry.file_name().to_str().and_then(|name| MailboxName::of_folder(name).ok()) else {
            continue;
        };
        // A link to a folder is one: some share mailboxes so.
        if entry.path().join("cur").is_dir() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Makes a mailbox. `false` when there is one already.
pub(crate) fn create(root: &Path, name: &MailboxName) -> Result<bool, MaildirError> {
    let target = folder(root, name);
    if exists(root, name) {
        return Ok(false);
    }
    let made = root.join(unique(BEING_MADE));
    let build = || -> io::Result<()> {
        let mut folders = fs::DirBuilder::new();
        folders.mode(MODE).create(&made)?;
        SUBFOLDERS.iter().try_for_each(|sub| folders.create(made.join(sub)))?;
        fs::write(made.join(MARKER), "")
    };
    build().map_err(MaildirError::disk("create", &made))?;
    durable::sync_folder(&made)?;
    place(&made, &target).inspect_err(|_| {
        // A leftover is in nobody's way, and is swept later.
        let _ = fs::remove_dir_all(&made);
    })
}

/// Gives a folder its name. `false` when there is one of that name already.
fn place(from: &Path, to: &Path) -> Result<bool, MaildirError> {
    match durable::rename(from, to) {
        Ok(()) => Ok(true),
        // A folder that is not empty is not replaced.
        Err(error)
            if matches!(
                error.source.kind(),
                io::ErrorKind::DirectoryNotEmpty
                    | io::ErrorKind::AlreadyExists
                    | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes a mailbox with its messages. `false` when there is none.
pub(crate) fn remove(root: &Path, name: &MailboxName) -> Result<bool, MaildirError> {
    if !exists(root, name) {
        return Ok(false);
    }
    let gone = root.join(unique(BEING_REMOVED));
    match durable::rename(&folder(root, name), &gone) {
        Ok(()) => {}
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    // The mailbox is gone; what cannot be removed now is swept later.
    if let Err(error) = fs::remove_dir_all(&gone) {
        tracing::warn!(path = %gone.display(), %error, "cannot remove the files of a removed mailbox yet");
    }
    Ok(true)
}

/// Renames one mailbox, and none below it. `false` when there is one of the new name.
pub(crate) fn rename(root: &Path, from: &MailboxName, to: &MailboxName) -> Result<bool, MaildirError> {
    if exists(root, to) {
        return Ok(false);
    }
    place(&folder(root, from), &folder(root, to))
}

fn unique(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("{prefix}{now}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> MailboxName {
        MailboxName::parse(text).unwrap()
    }

    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        complete(root.path()).unwrap();
        root
    }

    #[test]
    fn a_mailbox_is_made_whole_once_and_listed() {
        let root = root();
        assert!(create(root.path(), &name("Entwürfe")).unwrap());
        assert!(create(root.path(), &name("A.B")).unwrap());
        assert!(!create(root.path(), &name("A.B")).unwrap());
        assert!(root.path().join(".Entw&APw-rfe/maildirfolder").exists());
        fs::create_dir(root.path().join(".no-mailbox")).unwrap();
        fs::create_dir_all(root.path().join("..gone-1/cur")).unwrap();
        assert_eq!(list(root.path()).unwrap(), [name("A.B"), name("Entwürfe")]);
        assert!(!exists(root.path(), &name("A")));
    }

    #[test]
    fn a_removed_mailbox_leaves_nothing_and_those_below_it_stay() {
        let root = root();
        create(root.path(), &name("A")).unwrap();
        create(root.path(), &name("A.B")).unwrap();
        fs::write(root.path().join(".A/cur/1"), b"x").unwrap();
        assert!(remove(root.path(), &name("A")).unwrap());
        assert!(!remove(root.path(), &name("A")).unwrap());
        assert_eq!(list(root.path()).unwrap(), [name("A.B")]);
        assert!(!fs::read_dir(root.path()).unwrap().any(|e| e.unwrap().file_name() == ".A"));
    }

    #[test]
    fn renaming_replaces_nothing() {
        let root = root();
        create(root.path(), &name("A")).unwrap();
        create(root.path(), &name("B")).unwrap();
        assert!(!rename(root.path(), &name("A"), &name("B")).unwrap());
        assert!(rename(root.path(), &name("A"), &name("C")).unwrap());
        assert_eq!(list(root.path()).unwrap(), [name("B"), name("C")]);
    }
}
