//! `subscriptions` in the Maildir: the names that a user subscribed to, in Dovecot's two formats.
//!
//! The first has a folder's name a line, without its leading dot; the second begins with `V<TAB>2` and an empty line, and
//! divides levels by TAB. Which one a file has it keeps; lines that are no names stay as they are.

use std::io;
use std::path::Path;

use super::lock::DotLock;
use super::{MailboxName, MaildirError};

const FILE: &str = "subscriptions";
const LOCK: &str = "subscriptions.lock";
const HEADER: &str = "V\t2\n\n";
const MODE: u32 = 0o600;

/// The names in the file of the Maildir at `root`, in its order.
pub(crate) fn read(root: &Path) -> Result<Vec<MailboxName>, MaildirError> {
    let text = content(root)?;
    Ok(lines(&text).filter_map(|line| name(line).ok()).collect())
}

/// Takes names in, or out. On disk when it returns.
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
        .filter(|line| subscribed || !name(line).is_ok_and(|name| names.contains(&name)))
        .map(str::to_owned)
        .collect();
    if subscribed {
        let there: Vec<_> = lines(&text).filter_map(|line| name(line).ok()).collect();
        for name in names.iter().filter(|name| !there.contains(name)) {
            let separator = if is_first_version(&text) { "." } else { "\t" };
            kept.push(name.to_modified_utf7().replace(MailboxName::SEPARATOR, separator));
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
    Ok(durable::write_whole(&root.join(FILE), written.as_bytes(), MODE)?)
}

fn content(root: &Path) -> Result<String, MaildirError> {
    let path = root.join(FILE);
    match std::fs::read(&path) {
        Ok(octets) => Ok(String::from_utf8_lossy(&octets).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(MaildirError::disk("read", &path)(error)),
    }
}

/// A file that does not exist yet is written in the second version.
fn is_first_version(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(HEADER)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.strip_prefix(HEADER).unwrap_or(text).lines().filter(|line| !line.is_empty())
}

fn name(line: &str) -> Result<MailboxName, super::NameError> {
    MailboxName::parse_modified_utf7(&line.replace('\t', "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<MailboxName> {
        names.iter().map(|name| MailboxName::parse(name).unwrap()).collect()
    }

    #[test]
    fn the_second_version_is_read_and_written_as_dovecot_does() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join(FILE);
        std::fs::write(&file, "V\t2\n\nSent\nEntw&APw-rfe\nA\tB\nINBOX\n").unwrap();
        assert_eq!(read(root.path()).unwrap(), names(&["Sent", "Entwürfe", "A.B", "INBOX"]));
        set(root.path(), "host", &names(&["A.B.Ü"]), true).unwrap();
        set(root.path(), "host", &names(&["Sent"]), false).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, "V\t2\n\nEntw&APw-rfe\nA\tB\nINBOX\nA\tB\t&ANw-\n");
    }

    #[test]
    fn the_first_version_stays_so_and_lines_that_are_no_names_stay_too() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join(FILE);
        std::fs::write(&file, "Sent\n&bad\n").unwrap();
        set(root.path(), "host", &names(&["A.B", "Sent"]), true).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "Sent\n&bad\nA.B\n");
        assert_eq!(read(root.path()).unwrap(), names(&["Sent", "A.B"]));
    }

    #[test]
    fn what_changes_nothing_writes_nothing() {
        let root = tempfile::tempdir().unwrap();
        set(root.path(), "host", &names(&["Sent"]), false).unwrap();
        assert!(!root.path().join(FILE).exists());
        assert!(read(root.path()).unwrap().is_empty());
    }
}
