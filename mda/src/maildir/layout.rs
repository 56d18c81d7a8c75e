//! Folders of a Maildir++: the INBOX is the Maildir itself, every other mailbox a folder `.A.B` in it.
//!
//! A folder appears and disappears whole: it is created under a name that begins with two dots and renamed, and it is
//! renamed to such a name before it is removed. Dovecot ignores those, and `sweep` removes the leftovers of a crash.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::folder_name::{self, FolderName};
use super::{MailboxName, MaildirError, subscriptions};

const SUBFOLDERS: [&str; 3] = ["tmp", "new", "cur"];
const MODE: u32 = 0o700;
/// Marks a folder of Maildir++, for programs that deliver to it.
const MARKER: &str = "maildirfolder";
const UID_LIST: &str = "dovecot-uidlist";
pub(super) const CREATING_PREFIX: &str = "..new-";
pub(super) const REMOVING_PREFIX: &str = "..gone-";

/// A mailbox other than the INBOX, and its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailboxFolder {
    /// Its name.
    pub(crate) name: MailboxName,
    /// The name of its folder in the Maildir.
    pub(crate) folder: OsString,
}

/// Returns true if there is a Maildir.
pub(crate) fn is_maildir(root: &Path) -> bool {
    root.join("cur").is_dir()
}

/// Returns true if it is a mailbox's folder. A restore or a copy may have left out empty folders, and so `cur`; missing
/// ones are created when the mailbox is opened.
fn is_mailbox(folder: &Path) -> bool {
    let has = |part: &str| folder.join(part).is_dir();
    has("cur")
        || has("new")
        || has("tmp")
        || [MARKER, UID_LIST].iter().any(|file| folder.join(file).is_file())
}

/// The folder of a mailbox in the Maildir at `root`, if the mailbox exists.
pub(crate) fn find(root: &Path, name: &MailboxName) -> Result<Option<PathBuf>, MaildirError> {
    if name.is_inbox() {
        return Ok(Some(root.to_owned()));
    }
    let proper = root.join(name.folder());
    if is_mailbox(&proper) {
        return Ok(Some(proper));
    }
    let folders = folders(root)?;
    if folders.iter().all(|folder| matches!(read(folder), Some(FolderName::Canonical(_)))) {
        return Ok(None);
    }
    let found = assign_names(root, folders).0.into_iter().find(|mailbox| mailbox.name == *name);
    Ok(found.map(|mailbox| root.join(mailbox.folder)))
}

/// All mailboxes but the INBOX, by name.
pub(crate) fn list(root: &Path) -> Result<Vec<MailboxFolder>, MaildirError> {
    Ok(assign_names(root, folders(root)?).0)
}

/// Logs each folder whose name is not the one that we use for its mailbox, and each that is hidden.
pub(crate) fn log_unusual_folders(root: &Path) {
    let (mailboxes, hidden) = assign_names(root, folders(root).unwrap_or_default());
    for folder in hidden {
        tracing::warn!(maildir = %root.display(), ?folder, "folder hidden: its name is taken");
    }
    for MailboxFolder { name, folder } in mailboxes {
        if *folder != *name.folder() {
            let (maildir, mailbox) = (root.display(), name.as_str());
            tracing::info!(%maildir, ?folder, mailbox, "folder with an unusual name");
        }
    }
}

/// The names in the Maildir that can be names of mailboxes' folders.
fn folders(root: &Path) -> Result<Vec<OsString>, MaildirError> {
    let disk = |source| MaildirError::disk("list", root)(source);
    let mut folders = Vec::new();
    for entry in fs::read_dir(root).map_err(disk)? {
        let name = entry.map_err(disk)?.file_name();
        if matches!(name.as_bytes(), [b'.', second, ..] if *second != b'.') {
            folders.push(name);
        }
    }
    Ok(folders)
}

fn read(folder: &OsStr) -> Option<FolderName> {
    folder_name::decode(folder.to_str()?.strip_prefix('.')?)
}

/// The mailboxes among the folders, and the folders that are hidden. Names are unique: a folder with our name for the
/// mailbox precedes any that is only decoded to the same name, and of several of those the first one gets it. The
/// others are shown by their octets, and hidden only if even that name is taken.
fn assign_names(root: &Path, folders: Vec<OsString>) -> (Vec<MailboxFolder>, Vec<OsString>) {
    let mut mailboxes = BTreeMap::new();
    let mut others = Vec::new();
    // Only a folder has a name. A link to a folder counts: some share mailboxes so.
    for folder in folders.into_iter().filter(|folder| is_mailbox(&root.join(folder))) {
        match read(&folder) {
            Some(FolderName::Canonical(name)) => drop(mailboxes.insert(name, folder)),
            other => others.push((folder, other)),
        }
    }
    others.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut left = Vec::new();
    for (folder, other) in others {
        match other.map(|other| mailboxes.entry(other.name().clone())) {
            Some(Entry::Vacant(entry)) => drop(entry.insert(folder)),
            Some(Entry::Occupied(_)) | None => left.push(folder),
        }
    }
    let mut hidden = Vec::new();
    for folder in left {
        match folder_name::escape_octets(&folder.as_bytes()[1..]).map(|name| mailboxes.entry(name)) {
            Some(Entry::Vacant(entry)) => drop(entry.insert(folder)),
            Some(Entry::Occupied(_)) | None => hidden.push(folder),
        }
    }
    (mailboxes.into_iter().map(|(name, folder)| MailboxFolder { name, folder }).collect(), hidden)
}

/// Creates the missing parts of the Maildir itself, or of a mailbox's folders.
pub(crate) fn create_missing_folders(folder: &Path) -> Result<(), MaildirError> {
    // `cur` comes last: it makes the folder a mailbox.
    SUBFOLDERS.iter().try_for_each(|sub| Ok(durable::create_folder(&folder.join(sub), MODE)?))
}

/// Creates the Maildir of a new user with some mailboxes, subscribed to. The leftovers of a crash are not a Maildir
/// yet, and are completed by the next attempt.
pub(crate) fn create_maildir(root: &Path, host: &str, mailboxes: &[MailboxName]) -> Result<(), MaildirError> {
    durable::create_folder(root, MODE)?;
    for name in mailboxes {
        create(root, name)?;
    }
    subscriptions::set(root, host, mailboxes, true)?;
    create_missing_folders(root)
}

/// Creates a mailbox. `false` if it exists already.
pub(crate) fn create(root: &Path, name: &MailboxName) -> Result<bool, MaildirError> {
    if find(root, name)?.is_some() {
        return Ok(false);
    }
    let made = root.join(unique(CREATING_PREFIX));
    let build = || -> io::Result<()> {
        let mut folders = fs::DirBuilder::new();
        folders.mode(MODE).create(&made)?;
        SUBFOLDERS.iter().try_for_each(|sub| folders.create(made.join(sub)))?;
        fs::write(made.join(MARKER), "")
    };
    build().map_err(MaildirError::disk("create", &made))?;
    durable::sync_folder(&made)?;
    rename_into_place(&made, &root.join(name.folder())).inspect_err(|_| {
        // A leftover does no harm, and is swept later.
        let _ = fs::remove_dir_all(&made);
    })
}

/// Renames a folder to its final name. `false` if that exists already.
fn rename_into_place(from: &Path, to: &Path) -> Result<bool, MaildirError> {
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

/// Removes a mailbox's folder with its messages. `false` if it does not exist any more.
pub(crate) fn remove(root: &Path, folder: &Path) -> Result<bool, MaildirError> {
    let gone = root.join(unique(REMOVING_PREFIX));
    match durable::rename(folder, &gone) {
        Ok(()) => {}
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    // The mailbox is gone; the remaining files are swept later.
    if let Err(error) = fs::remove_dir_all(&gone) {
        tracing::warn!(path = %gone.display(), %error, "cannot remove the files of a removed mailbox yet");
    }
    Ok(true)
}

fn unique(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("{prefix}{now}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn name(text: &str) -> MailboxName {
        MailboxName::parse(text).unwrap()
    }

    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        create_missing_folders(root.path()).unwrap();
        root
    }

    fn listed(root: &Path) -> Vec<String> {
        list(root).unwrap().iter().map(|mailbox| mailbox.name.to_string()).collect()
    }

    fn make(root: &Path, folder: impl AsRef<OsStr>) -> PathBuf {
        let path = root.join(folder.as_ref());
        fs::create_dir_all(path.join("cur")).unwrap();
        path
    }

    #[test]
    fn a_mailbox_is_created_once_with_all_folders_and_listed() {
        let root = root();
        assert!(create(root.path(), &name("Entwürfe")).unwrap());
        assert!(create(root.path(), &name("A/B. C")).unwrap());
        assert!(!create(root.path(), &name("A/B. C")).unwrap());
        assert!(root.path().join(".Entw&APw-rfe/maildirfolder").exists());
        assert!(root.path().join(".A.B^2e C/cur").exists());
        fs::create_dir(root.path().join(".no-mailbox")).unwrap();
        make(root.path(), "..gone-1");
        assert_eq!(listed(root.path()), ["A/B. C", "Entwürfe"]);
        assert_eq!(find(root.path(), &name("A")).unwrap(), None);
    }

    #[test]
    fn a_removed_mailbox_leaves_nothing_and_its_children_stay() {
        let root = root();
        create(root.path(), &name("A")).unwrap();
        create(root.path(), &name("A/B")).unwrap();
        fs::write(root.path().join(".A/cur/1"), b"x").unwrap();
        assert!(remove(root.path(), &root.path().join(".A")).unwrap());
        assert!(!remove(root.path(), &root.path().join(".A")).unwrap());
        assert_eq!(listed(root.path()), ["A/B"]);
        assert!(!fs::read_dir(root.path()).unwrap().any(|e| e.unwrap().file_name() == ".A"));
    }

    #[test]
    fn folders_named_by_other_programs_are_listed_and_found() {
        let root = root();
        let latin1 = OsStr::from_bytes(b".b\xfcro");
        for folder in
            [".Büro", ".R&D", ".a^b", ".inbox.Kid", ".INBOX", ".x..y"].map(OsStr::new).iter().chain([&latin1])
        {
            make(root.path(), folder);
        }
        assert_eq!(listed(root.path()), ["Büro", "INBOX/Kid", "R&D", "^49NBOX", "a^b", "b^fcro", "x/^2ey"]);
        for MailboxFolder { name, folder } in list(root.path()).unwrap() {
            assert_eq!(find(root.path(), &name).unwrap(), Some(root.path().join(folder)));
            assert!(!create(root.path(), &name).unwrap(), "{name:?} exists");
        }
    }

    #[test]
    fn of_two_folders_decoded_alike_the_canonical_one_gets_the_name() {
        let root = root();
        for (proper, other, shown, octets) in
            [(".R&-D", ".R&D", "R&D", "R^26D"), (".B&APw-ro", ".Büro", "Büro", "B^c3^bcro")]
        {
            make(root.path(), other);
            assert_eq!(find(root.path(), &name(shown)).unwrap(), Some(root.path().join(other)));
            make(root.path(), proper);
            assert_eq!(find(root.path(), &name(shown)).unwrap(), Some(root.path().join(proper)));
            assert_eq!(find(root.path(), &name(octets)).unwrap(), Some(root.path().join(other)));
        }
        assert_eq!(listed(root.path()), ["B^c3^bcro", "Büro", "R&D", "R^26D"]);
        // Only a folder whose possible names are all taken is hidden.
        make(root.path(), ".R^5e26D");
        assert_eq!(listed(root.path()), ["B^c3^bcro", "Büro", "R&D", "R^26D"]);
    }

    #[test]
    fn a_folder_without_cur_is_a_mailbox_if_it_has_another_part_of_one() {
        let root = root();
        for (folder, part) in [(".New", "new"), (".Tmp", "tmp")] {
            fs::create_dir_all(root.path().join(folder).join(part)).unwrap();
        }
        for (folder, file) in [(".Marked", MARKER), (".Known", UID_LIST), (".Other", "file")] {
            fs::create_dir(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join(file), "").unwrap();
        }
        assert_eq!(listed(root.path()), ["Known", "Marked", "New", "Tmp"]);
    }

    #[test]
    fn other_entries_are_not_mailboxes_and_block_only_their_own_names() {
        let root = root();
        nix::unistd::mkfifo(&root.path().join(".fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        symlink("nowhere", root.path().join(".dangling")).unwrap();
        symlink(".circle", root.path().join(".circle")).unwrap();
        fs::write(root.path().join(".file"), "").unwrap();
        fs::create_dir(root.path().join(".empty")).unwrap();
        make(root.path(), ".long".to_owned() + &"x".repeat(250));
        make(root.path(), ".wide".to_owned() + &"ü".repeat(120));
        symlink(make(root.path(), "elsewhere"), root.path().join(".link")).unwrap();
        let names =
            ["link".to_owned(), "long".to_owned() + &"x".repeat(250), "wide".to_owned() + &"ü".repeat(120)];
        assert_eq!(listed(root.path()), names);
        for taken in ["fifo", "dangling", "circle", "file"] {
            assert!(!create(root.path(), &name(taken)).unwrap(), "{taken}");
        }
        assert!(create(root.path(), &name("empty")).unwrap());
        assert!(create(root.path(), &name("fifo/below")).unwrap());
    }
}
