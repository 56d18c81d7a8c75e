//! The state on disk after a dialogue: messages in a user's INBOX.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The messages of a user's INBOX, new and seen.
pub(super) fn messages(mail: &Path, user: &str) -> BTreeSet<PathBuf> {
    let (name, domain) = user.split_once('@').unwrap_or((user, ""));
    let inbox = mail.join(domain).join(name).join("Maildir");
    ["new", "cur"]
        .iter()
        .filter_map(|folder| fs::read_dir(inbox.join(folder)).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .collect()
}

/// A message's name without its flags, which change while it stays the same message.
pub(super) fn identity(message: &Path) -> String {
    let name = message.file_name().unwrap_or_default().to_string_lossy();
    name.split(":2,").next().unwrap_or_default().to_owned()
}

/// The octets of the message that was written last.
pub(super) fn newest(messages: &BTreeSet<PathBuf>) -> Option<Vec<u8>> {
    let written = |message: &PathBuf| {
        let written =
            message.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        // Within one tick of the file system's clock, the names decide which is later.
        (written, message.file_name().map(ToOwned::to_owned))
    };
    fs::read(messages.iter().max_by_key(|message| written(message))?).ok()
}
