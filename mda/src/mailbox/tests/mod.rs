//! Tests of the whole layer, over folders on disk. A second [`Store`] over the same folders acts as another process or
//! another host.

mod accounts;
mod crash;
mod dovecot;
mod flags;
mod identity;
mod keywords;
mod left_behind;
mod messages;
mod nodes;
mod quota;
mod unsynced;
mod work_limits;

use std::path::PathBuf;

use address::Address;
use tempfile::TempDir;

use super::*;
use crate::maildir::{Flags, MailboxName, Uid};

/// A folder of mail, and stores over it.
struct Site {
    folder: TempDir,
    store: Store,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, "one");
        Self { folder, store }
    }

    /// Another process over the same mail.
    fn another(&self) -> Store {
        store(&self.folder, "two")
    }

    fn maildir(&self) -> PathBuf {
        self.folder.path().join("mail/example.org/ann/Maildir")
    }

    async fn ann(&self) -> Account {
        ann(&self.store).await
    }

    async fn inbox(&self) -> Mailbox {
        self.ann().await.open(&MailboxName::inbox()).await.unwrap()
    }

    /// The files in the folders of INBOX.
    fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        for folder in ["new", "cur", "tmp"] {
            for entry in std::fs::read_dir(self.maildir().join(folder)).unwrap() {
                files.push(format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy()));
            }
        }
        files.sort();
        files
    }
}

fn store(folder: &TempDir, host: &str) -> Store {
    Store::new(folder.path().join("mail"), folder.path().join("index"), host)
}

async fn ann(store: &Store) -> Account {
    store.account(&Address::parse("ann@example.org").unwrap()).await.unwrap()
}

fn name(text: &str) -> MailboxName {
    MailboxName::parse(text).unwrap()
}

fn uid(uid: u32) -> Uid {
    Uid::new(uid).unwrap()
}

fn uids(snapshot: &Snapshot) -> Vec<u32> {
    snapshot.entries().map(|entry| entry.uid.value()).collect()
}

async fn deliver(account: &Account, text: &str) {
    let mut incoming = account.incoming(&MailboxName::inbox()).await.unwrap();
    incoming.write(text.as_bytes()).await.unwrap();
    incoming.deliver("id").await.unwrap();
}

async fn append(account: &Account, mailbox: &str, text: &str, flags: Flags, keywords: &[&str]) -> Uid {
    let mut incoming = account.incoming(&name(mailbox)).await.unwrap();
    incoming.write(text.as_bytes()).await.unwrap();
    let keywords: Vec<String> = keywords.iter().map(|keyword| (*keyword).to_owned()).collect();
    incoming.append(flags, &keywords, None).await.unwrap().uid
}

fn change(operation: FlagOperation, flags: Flags, keywords: &[&str]) -> FlagChange {
    FlagChange { operation, flags, keywords: keywords.iter().map(|keyword| (*keyword).to_owned()).collect() }
}

fn text(mailbox: &Mailbox, uid: Uid) -> String {
    let snapshot = mailbox.snapshot();
    let message = mailbox.read(snapshot.by_uid(uid).unwrap().1).unwrap();
    std::io::read_to_string(message.file).unwrap()
}
