//! `maildirsize`: the usage of a Maildir, in the form of Maildir++ that Courier and Dovecot use too.
//!
//! ```text
//! 1073741824S           the quota for which it was counted
//! 734003200 4711        the count: octets, messages
//! 20480 1               messages added since
//! -10240 -2             messages removed since
//! ```
//!
//! The file is a cache: if it is deleted, the messages are counted again. Each change is a line appended in one write,
//! so that several processes may do it at once without a lock; a line lost or added twice in a race is corrected by the
//! next count, which comes when the file has grown long or the quota seems to be exceeded.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{FileName, Folder, MaildirError, layout, regular, scan};

const FILE: &str = "maildirsize";
/// "If the file is larger than 5120 bytes, it is recalculated" (Maildir++).
const MAX_FILE_SIZE: u64 = 5120;
/// Age up to which a count is trusted, so that a full mailbox is not counted for every message that is refused.
const FRESH_FOR: Duration = Duration::from_secs(15 * 60);

/// The usage of a Maildir.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MaildirUsage {
    /// Octets of all messages' files.
    pub(crate) octets: u64,
    /// Their number.
    pub(crate) messages: u64,
}

/// The content of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordedUsage {
    pub(crate) usage: MaildirUsage,
    /// Set if it was counted recently and nothing has been added since.
    pub(crate) is_fresh: bool,
}

/// The content of the file, if it is for this quota and not too long.
pub(crate) fn read(root: &Path, limit: u64) -> Option<RecordedUsage> {
    let file = regular::open_to_read(&root.join(FILE)).ok()??;
    let metadata = file.metadata().ok()?;
    let mut text = String::new();
    file.take(MAX_FILE_SIZE + 1).read_to_string(&mut text).ok()?;
    if text.len() as u64 > MAX_FILE_SIZE {
        return None;
    }
    let (first, changes) = text.split_once('\n')?;
    if first.trim() != quota_line(limit) {
        return None;
    }
    let (mut octets, mut messages, mut lines) = (0_i64, 0_i64, 0);
    for line in changes.lines() {
        let mut numbers = line.split_ascii_whitespace().map(str::parse::<i64>);
        let (Some(Ok(size)), Some(Ok(count))) = (numbers.next(), numbers.next()) else { return None };
        octets = octets.checked_add(size)?;
        messages = messages.checked_add(count)?;
        lines += 1;
    }
    // A negative figure was never counted.
    let usage = MaildirUsage { octets: u64::try_from(octets).ok()?, messages: u64::try_from(messages).ok()? };
    let age = metadata.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    Some(RecordedUsage { usage, is_fresh: lines == 1 && age.is_some_and(|age| age < FRESH_FOR) })
}

/// `1000S`: the quota in the file's first line.
fn quota_line(limit: u64) -> String {
    format!("{limit}S")
}

/// Adds a change to the file, if it exists. A file that is too long to be of use is removed.
pub(crate) fn add(root: &Path, octets: i64, messages: i64) {
    let path = root.join(FILE);
    let appended = || {
        let opened = regular::open(OpenOptions::new().append(true), &path)?;
        let mut file = opened.ok_or(ErrorKind::InvalidInput)?;
        file.write_all(format!("{octets} {messages}\n").as_bytes())?;
        Ok(file.metadata()?.len())
    };
    match appended() {
        Ok(length) if length <= MAX_FILE_SIZE => {}
        Err(error) if ErrorKind::NotFound == std::io::Error::kind(&error) => {}
        Ok(_) | Err(_) => invalidate(root),
    }
}

/// Removes the file, so that the next request counts.
pub(crate) fn invalidate(root: &Path) {
    let _ = fs::remove_file(root.join(FILE));
}

/// Counts all mailboxes, and writes the file. Reads the metadata of every message's file.
pub(crate) fn count(root: &Path, limit: u64) -> Result<MaildirUsage, MaildirError> {
    let mut usage = MaildirUsage::default();
    let mailboxes = layout::list(root)?.into_iter().map(|mailbox| root.join(mailbox.folder));
    for folder in mailboxes.chain([root.to_owned()]) {
        for part in [Folder::New, Folder::Cur] {
            // A mailbox that was removed meanwhile is empty.
            let Ok(listed) = scan::list(&folder, part) else { continue };
            usage.messages += listed.files.len() as u64;
            usage.octets += listed.files.iter().filter_map(|file| octets_of(&folder, file)).sum::<u64>();
        }
    }
    write(root, limit, usage);
    Ok(usage)
}

/// The size of a message's file; `None` if it is gone. The size in its name is not used: another program may have
/// written a wrong one, or the size before it compressed the message.
pub(crate) fn octets_of(folder: &Path, file: &FileName) -> Option<u64> {
    Some(fs::symlink_metadata(folder.join(file.path())).ok()?.len())
}

/// Replaced by rename, and not synced: it can be counted again.
fn write(root: &Path, limit: u64, usage: MaildirUsage) {
    let _ = regular::move_aside(&root.join(FILE));
    let text = format!("{}\n{} {}\n", quota_line(limit), usage.octets, usage.messages);
    let temporary: PathBuf =
        root.join("tmp").join(format!("{}.{FILE}", FileName::unique_base("count", 0, None)));
    let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, root.join(FILE)));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::super::MailboxName;
    use super::*;

    fn maildir() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        layout::create_missing_folders(root.path()).unwrap();
        root
    }

    fn text(root: &Path) -> String {
        fs::read_to_string(root.join(FILE)).unwrap()
    }

    #[test]
    fn a_file_of_dovecot_is_parsed() {
        let root = maildir();
        fs::write(root.path().join(FILE), "1000S\n100 2\n50 1\n-30 -1\n").unwrap();
        let recorded = read(root.path(), 1000).unwrap();
        assert_eq!((recorded.usage, recorded.is_fresh), (MaildirUsage { octets: 120, messages: 2 }, false));
        assert_eq!(read(root.path(), 2000), None, "it was counted for another quota");
    }

    #[test]
    fn a_malformed_file_is_ignored() {
        let root = maildir();
        for bad in [
            "",
            "1000S",
            "1000S\nx 1\n",
            "1000S\n1\n",
            "1000S\n-5 -1\n",
            "1000S\n9223372036854775807 1\n1 1\n",
        ] {
            fs::write(root.path().join(FILE), bad).unwrap();
            assert!(
                read(root.path(), 1000).is_none_or(|recorded| recorded.usage == MaildirUsage::default()),
                "{bad:?}"
            );
        }
        fs::write(root.path().join(FILE), format!("1000S\n{}", "1 1\n".repeat(2000))).unwrap();
        assert_eq!(read(root.path(), 1000), None, "the file is too long");
    }

    #[test]
    fn a_count_covers_all_mailboxes_and_changes_are_added() {
        let root = maildir();
        layout::create(root.path(), &MailboxName::parse("Sent").unwrap()).unwrap();
        fs::write(root.path().join("new/1.h,S=7000"), [b'x'; 40]).unwrap();
        fs::write(root.path().join("cur/2.h:2,S"), "twelve octet").unwrap();
        fs::write(root.path().join(".Sent/cur/3.h,S=8,W=9:2,"), [b'x'; 8]).unwrap();
        fs::create_dir_all(root.path().join("cur/folder/within")).unwrap();
        add(root.path(), 5, 1);
        assert!(!root.path().join(FILE).exists(), "there is no file to append to");
        assert_eq!(count(root.path(), 500).unwrap(), MaildirUsage { octets: 60, messages: 3 });
        assert!(read(root.path(), 500).unwrap().is_fresh);
        add(root.path(), 5, 1);
        assert_eq!(text(root.path()), "500S\n60 3\n5 1\n");
        assert_eq!(read(root.path(), 500).unwrap().usage, MaildirUsage { octets: 65, messages: 4 });
        (0..2000).for_each(|_| add(root.path(), 1, 1));
        assert!(
            !root.path().join(FILE).exists()
                || read(root.path(), 500).is_none()
                || text(root.path()).len() < 5200
        );
    }
}
