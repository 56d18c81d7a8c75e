//! `subscriptions` in the Maildir: the names that a user subscribed to, in both formats of Dovecot.
//!
//! The first has one folder name per line, without its leading dot; the second begins with `V<TAB>2` and an empty line,
//! and divides levels by TAB. In both, levels are written as in the folder's name ([`folder_name`]). A file keeps its
//! format; lines that are not names stay as they are.

use std::path::Path;

use super::lock::DotLock;
use super::{MailboxName, MaildirError, folder_name, regular};

const FILE: &str = "subscriptions";
const LOCK: &str = "subscriptions.lock";
const INBOX: &str = "INBOX";
const HEADER: &str = "V\t2\n\n";
const MODE: u32 = 0o600;
/// Enough for some ten thousand folders with long names.
const MAX_FILE_SIZE: u64 = 4 << 20;

/// The names in the file of the Maildir at `root`, in its order.
pub(crate) fn read(root: &Path) -> Result<Vec<MailboxName>, MaildirError> {
    let text = content(root)?;
    Ok(lines(&text).filter_map(name).collect())
}

/// Adds or removes names. On disk when it returns.
pub(crate) fn set(
    root: &Path,
    host: &str,
    names: &[MailboxName],
    subscribed: bool,
) -> Result<(), MaildirError> {
    let lock = root.join(LOCK);
    let _lock = DotLock::acquire(lock.clone(), host).map_err(MaildirError::lock(&lock))?;
    let text = content(root)?;
    let mut kept: Vec<String> = lines(&text)
        .filter(|line| subscribed || !name(line).is_some_and(|name| names.contains(&name)))
        .map(str::to_owned)
        .collect();
    if subscribed {
        let there: Vec<_> = lines(&text).filter_map(name).collect();
        for name in names.iter().filter(|name| !there.contains(name)) {
            let separator = if is_first_version(&text) { "." } else { "\t" };
            kept.push(folder_name::encode(name).replace(folder_name::SEPARATOR, separator));
        }
    }
    if kept.iter().map(String::as_str).eq(lines(&text)) {
        return Ok(());
    }
    let mut written = if is_first_version(&text) { String::new() } else { HEADER.to_owned() };
    for line in kept {
        written.push_str(&line);
        written.push('\n');
    }
    let file = root.join(FILE);
    regular::move_aside(&file).map_err(MaildirError::disk("move aside", &file))?;
    Ok(durable::write_whole(&file, written.as_bytes(), MODE)?)
}

fn content(root: &Path) -> Result<String, MaildirError> {
    let path = root.join(FILE);
    let disk = |source| MaildirError::disk("read", &path)(source);
    // A file that is too long is kept for the operator to examine, and not replaced by an empty one.
    if std::fs::symlink_metadata(&path).is_ok_and(|there| there.is_file() && there.len() > MAX_FILE_SIZE) {
        return Err(disk(std::io::ErrorKind::InvalidData.into()));
    }
    let octets = regular::read(&path, MAX_FILE_SIZE).map_err(disk)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// Returns true for the first format. A new file is written in the second.
fn is_first_version(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(HEADER)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.strip_prefix(HEADER).unwrap_or(text).lines().filter(|line| !line.is_empty())
}

fn name(line: &str) -> Option<MailboxName> {
    if line.eq_ignore_ascii_case(INBOX) {
        return Some(MailboxName::inbox());
    }
    folder_name::decode(&line.replace('\t', ".")).map(|folder| folder.name().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<MailboxName> {
        names.iter().map(|name| MailboxName::parse(name).unwrap()).collect()
    }

    #[test]
    fn the_second_version_is_read_and_written_as_by_dovecot() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join(FILE);
        std::fs::write(&file, "V\t2\n\nSent\nEntw&APw-rfe\nA\tB\nINBOX\n").unwrap();
        assert_eq!(read(root.path()).unwrap(), names(&["Sent", "Entwürfe", "A/B", "INBOX"]));
        set(root.path(), "host", &names(&["A/B.C/Ü"]), true).unwrap();
        set(root.path(), "host", &names(&["Sent"]), false).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, "V\t2\n\nEntw&APw-rfe\nA\tB\nINBOX\nA\tB^2eC\t&ANw-\n");
    }

    #[test]
    fn the_first_version_and_malformed_lines_are_kept() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join(FILE);
        std::fs::write(&file, "Sent\n&AAo-bad\n").unwrap();
        set(root.path(), "host", &names(&["A/B", "Sent"]), true).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "Sent\n&AAo-bad\nA.B\n");
        assert_eq!(read(root.path()).unwrap(), names(&["Sent", "A/B"]));
    }

    /// The lines that `doveadm mailbox subscribe` of Dovecot 2.3.19 writes with `listescape_char = ^`, and lines
    /// without.
    #[test]
    fn levels_are_written_as_in_the_names_of_folders() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join(FILE);
        std::fs::write(&file, "V\t2\n\nDr^2e Who\na\t^7eb\na^5eb\nB&APw-ro &- Co^2e\nc^d\nR&D\n").unwrap();
        let subscribed = names(&["Dr. Who", "a/~b", "a^b", "Büro & Co.", "c^d", "R&D"]);
        assert_eq!(read(root.path()).unwrap(), subscribed);
        set(root.path(), "host", &subscribed, false).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "V\t2\n\n");
        set(root.path(), "host", &subscribed[..3], true).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "V\t2\n\nDr^2e Who\na\t^7eb\na^5eb\n");
    }

    #[test]
    fn a_fifo_never_blocks_and_a_file_that_is_too_long_is_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join(FILE);
        nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(read(root.path()).unwrap().is_empty());
        std::fs::remove_file(&file).unwrap();
        std::fs::File::create(&file).unwrap().set_len(MAX_FILE_SIZE + 1).unwrap();
        assert!(read(root.path()).is_err());
        assert!(set(root.path(), "host", &names(&["Sent"]), true).is_err());
        assert_eq!(std::fs::metadata(&file).unwrap().len(), MAX_FILE_SIZE + 1);
    }

    #[test]
    fn an_unchanged_file_is_not_written() {
        let root = tempfile::tempdir().unwrap();
        set(root.path(), "host", &names(&["Sent"]), false).unwrap();
        assert!(!root.path().join(FILE).exists());
        assert!(read(root.path()).unwrap().is_empty());
    }
}
