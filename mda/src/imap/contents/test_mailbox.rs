//! A test mailbox with messages: files that another program put into a Maildir.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use address::Address;
use tempfile::TempDir;

use crate::mailbox::{Mailbox, Store};
use crate::maildir::MailboxName;

/// A user's INBOX.
pub(in crate::imap) struct TestMailbox {
    /// Removed with its contents at the end of the test.
    root: TempDir,
    pub(in crate::imap) mailbox: Mailbox,
    names: Vec<String>,
}

/// Arrival time of the first message: 14 November 2023. Each later message arrived one day after the one before.
pub(in crate::imap) const FIRST_ARRIVAL: u64 = 1_700_000_000;

impl TestMailbox {
    /// A mailbox with these messages, given as the letters of their flags and their octets.
    pub(in crate::imap) async fn with(messages: &[(&str, &[u8])]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("mail/example.org/ann/Maildir");
        for name in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let mut names = Vec::new();
        for (day, (flags, octets)) in (0..).zip(messages) {
            let arrival = FIRST_ARRIVAL + day * 86_400;
            let name = format!("{arrival}.M1P1.host:2,{flags}");
            fs::write(folder.join("cur").join(&name), octets).unwrap();
            let file = File::options().write(true).open(folder.join("cur").join(&name)).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(arrival)).unwrap();
            names.push(name);
        }
        let store = Store::new(root.path().join("mail"), root.path().join("index"), "host");
        let account = store.account(&Address::parse("ann@example.org").unwrap()).await.unwrap();
        let mailbox = account.open(&MailboxName::inbox()).await.unwrap();
        assert_eq!(mailbox.snapshot().len() as usize, messages.len());
        Self { root, mailbox, names }
    }

    /// The file of the message with this number.
    pub(in crate::imap) fn file(&self, number: usize) -> PathBuf {
        self.root.path().join("mail/example.org/ann/Maildir/cur").join(&self.names[number - 1])
    }
}
