//! Detection of changes in a mailbox's folders, and their listing.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::{FileName, Folder, MaildirError};

/// The metadata of a folder or a file that shows changes. Equal values mean no change, unless the change came within
/// one tick of the file system's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChangeStamp {
    device: u64,
    inode: u64,
    seconds: i64,
    nanoseconds: i64,
    size: u64,
}

impl ChangeStamp {
    /// The current metadata of this path.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
            size: metadata.size(),
        })
    }

    /// Returns true if the last change is so recent that another one may look the same.
    fn is_fresh(&self) -> bool {
        let now =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() as i64;
        // A server's clock may be ahead of ours, but a time a day ahead is not a sign of a recent change.
        (now - SETTLE_TIME.as_secs() as i64..now + 86_400).contains(&self.seconds)
    }
}

/// File systems shared between hosts may have times in whole seconds.
const SETTLE_TIME: Duration = Duration::from_secs(2);
/// Rereading a folder that was changing takes at most this share of the time: 1 / `REREAD_SHARE`.
const REREAD_SHARE: u32 = 50;

/// Decides when a folder has to be read again.
#[derive(Debug)]
pub(crate) struct FolderScanner {
    folder: Folder,
    /// The metadata before the folder was last read; `None` if it has to be read.
    stamp: Option<ChangeStamp>,
    /// True if it was changing when it was read, so that it has to be read once more when it has settled.
    is_unsettled: bool,
    read: Instant,
    cost: Duration,
    /// Number of entries that were not messages.
    skipped: usize,
}

impl FolderScanner {
    pub(crate) fn new(folder: Folder) -> Self {
        Self {
            folder,
            stamp: None,
            is_unsettled: false,
            read: Instant::now(),
            cost: Duration::ZERO,
            skipped: 0,
        }
    }

    /// Returns true if the folder below `mailbox` may have changed since it was last read.
    pub(crate) fn is_due(&self, mailbox: &Path) -> Result<bool, MaildirError> {
        let path = mailbox.join(self.folder.as_str());
        let now = ChangeStamp::of(&path).map_err(MaildirError::disk("stat", &path))?;
        Ok(self.stamp != Some(now)
            || self.is_unsettled && self.read.elapsed() > SETTLE_TIME.max(self.cost * REREAD_SHARE))
    }

    /// Reads the messages in the folder, in no particular order.
    pub(crate) fn read(&mut self, mailbox: &Path) -> Result<Vec<FileName>, MaildirError> {
        let begun = Instant::now();
        let path = mailbox.join(self.folder.as_str());
        let look = ChangeStamp::of(&path).map_err(MaildirError::disk("stat", &path))?;
        let FolderContent { files, skipped, example } = list(mailbox, self.folder)?;
        if let Some(example) = example.filter(|_| skipped != self.skipped) {
            tracing::warn!(folder = %path.display(), skipped, ?example, "skipped entries that are not messages");
        }
        self.skipped = skipped;
        self.stamp = Some(look);
        self.is_unsettled = look.is_fresh();
        self.cost = begun.elapsed();
        self.read = Instant::now();
        Ok(files)
    }

    /// Makes the folder be read the next time, even if it looks unchanged.
    pub(crate) fn forget(&mut self) {
        self.stamp = None;
    }

    /// Runs a change of the folder whose outcome is known, so that the folder need not be read for it. Concurrent
    /// changes by others are not missed: the folder is read once more when it has settled.
    pub(crate) fn change<T>(&mut self, mailbox: &Path, change: impl FnOnce() -> T) -> T {
        let path = mailbox.join(self.folder.as_str());
        let before = ChangeStamp::of(&path).ok();
        let outcome = change();
        if before.is_some() && before == self.stamp {
            self.stamp = ChangeStamp::of(&path).ok();
            if !self.is_unsettled {
                self.is_unsettled = true;
                self.read = Instant::now();
            }
        }
        outcome
    }
}

/// The content of one folder.
pub(crate) struct FolderContent {
    /// The messages, in no particular order.
    pub(crate) files: Vec<FileName>,
    /// Number of entries that are neither messages nor hidden: folders, FIFOs, links, names that no message can have.
    pub(crate) skipped: usize,
    /// The name of one of these.
    example: Option<OsString>,
}

/// Lists one folder. Only regular files are messages: a link may lead outside of the mailbox, and other entries cannot
/// be read.
pub(crate) fn list(mailbox: &Path, folder: Folder) -> Result<FolderContent, MaildirError> {
    let path = mailbox.join(folder.as_str());
    let disk = |source| MaildirError::disk("list", &path)(source);
    let mut listed = FolderContent { files: Vec::new(), skipped: 0, example: None };
    for entry in fs::read_dir(&path).map_err(disk)? {
        let entry = entry.map_err(disk)?;
        let name = entry.file_name();
        if name.as_bytes().starts_with(b".") {
            continue;
        }
        // Most file systems have the type in the folder itself. An entry that is gone meanwhile has no type.
        let is_file = match entry.file_type() {
            Ok(kind) => kind.is_file(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(disk(error)),
        };
        match FileName::parse(folder, name.as_bytes()).filter(|_| is_file) {
            Some(file) => listed.files.push(file),
            None => {
                listed.skipped += 1;
                listed.example.get_or_insert(name);
            }
        }
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox() -> tempfile::TempDir {
        let mailbox = tempfile::tempdir().unwrap();
        super::super::layout::create_missing_folders(mailbox.path()).unwrap();
        mailbox
    }

    fn age(mailbox: &Path, seconds: u64) {
        let at = SystemTime::now() - Duration::from_secs(seconds);
        fs::File::open(mailbox.join("cur")).unwrap().set_modified(at).unwrap();
    }

    #[test]
    fn a_folder_is_read_again_only_after_a_change() {
        let mailbox = mailbox();
        age(mailbox.path(), 100);
        let mut cur = FolderScanner::new(Folder::Cur);
        assert!(cur.is_due(mailbox.path()).unwrap());
        assert!(cur.read(mailbox.path()).unwrap().is_empty());
        assert!(!cur.is_due(mailbox.path()).unwrap());
        fs::write(mailbox.path().join("cur/1:2,S"), b"").unwrap();
        fs::write(mailbox.path().join("cur/.hidden"), b"").unwrap();
        assert!(cur.is_due(mailbox.path()).unwrap());
        assert_eq!(cur.read(mailbox.path()).unwrap().len(), 1);
        assert!(cur.is_unsettled, "another change may look the same");
    }

    #[test]
    fn only_regular_files_are_messages_whatever_their_names() {
        let mailbox = mailbox();
        let cur = mailbox.path().join("cur");
        fs::create_dir(cur.join("backup")).unwrap();
        nix::unistd::mkfifo(&cur.join("1.fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", cur.join("2.link")).unwrap();
        let served = [
            OsString::from("3.h:2,S"),
            std::os::unix::ffi::OsStringExt::from_vec(b"4.b\xfcro".to_vec()),
            "x".repeat(255).into(),
        ];
        for name in &served {
            fs::write(cur.join(name), b"").unwrap();
        }
        let listed = list(mailbox.path(), Folder::Cur).unwrap();
        let mut names: Vec<_> =
            listed.files.iter().map(|file| file.path().file_name().unwrap().to_owned()).collect();
        names.sort();
        assert_eq!(names, served);
        assert_eq!(listed.skipped, 3);
        assert!(listed.example.is_some());
    }

    #[test]
    fn own_changes_are_not_read_back_unless_others_changed_the_folder_too() {
        let mailbox = mailbox();
        let mut cur = FolderScanner::new(Folder::Cur);
        age(mailbox.path(), 100);
        cur.read(mailbox.path()).unwrap();
        cur.change(mailbox.path(), || fs::write(mailbox.path().join("cur/1:2,"), b"").unwrap());
        assert!(!cur.is_due(mailbox.path()).unwrap());
        age(mailbox.path(), 50);
        cur.change(mailbox.path(), || fs::write(mailbox.path().join("cur/2:2,"), b"").unwrap());
        assert!(cur.is_due(mailbox.path()).unwrap());
    }
}
