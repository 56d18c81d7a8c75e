//! A disk that fills up at every possible octet: what was acknowledged stays, what was refused leaves nothing, and when
//! there is room again everything works.
//!
//! The limit on the size of files simulates the end of the disk: a write beyond it fails half-way. It holds for the
//! whole process, so this test has one of its own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use address::Address;
use mda::mailbox::{Account, FlagChange, FlagOperation, Mailbox, Store, StoreError};
use mda::maildir::{Flags, MailboxName, Uid};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal};

const BODY: &str = "Subject: a message that is longer than a record\r\n\r\nand that tells which one it is: ";

async fn ann(folder: &Path) -> Account {
    let store = Store::new(folder.join("mail"), folder.join("index"), "host");
    store.account(&Address::parse("ann@example.org").unwrap()).await.unwrap()
}

async fn append(account: &Account, text: &str, keywords: &[String]) -> Result<Uid, StoreError> {
    let mut incoming = account.incoming(&MailboxName::inbox()).await?;
    incoming.write(text.as_bytes()).await?;
    Ok(incoming.append(Flags::SEEN, keywords, None).await?.uid)
}

fn content(mailbox: &Mailbox) -> BTreeMap<Uid, String> {
    let read = |entry| std::io::read_to_string(mailbox.read(entry).unwrap().file).unwrap();
    mailbox.snapshot().entries().map(|entry| (entry.uid, read(entry))).collect()
}

fn files(maildir: &Path, folder: &str) -> usize {
    std::fs::read_dir(maildir.join(folder)).unwrap().count()
}

fn limit(octets: u64) {
    setrlimit(Resource::RLIMIT_FSIZE, octets, nix::libc::RLIM_INFINITY).unwrap();
}

#[test]
fn what_was_acknowledged_stays_and_what_was_refused_leaves_nothing() {
    // Without its signal, a write beyond the limit fails as on a full disk. Threads that are started later inherit
    // this.
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGXFSZ);
    signals.thread_block().unwrap();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(fill());
}

async fn fill() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = folder.path().join("mail/example.org/ann/Maildir");
    let account = ann(folder.path()).await;
    let inbox = account.open(&MailboxName::inbox()).await.unwrap();
    let mut acknowledged = BTreeMap::new();
    let (mut refused, mut listed) = (0, 0);
    for octets in (0..2500).step_by(7) {
        limit(octets);
        let text = format!("{BODY}{octets}\r\n");
        let list = std::fs::metadata(maildir.join("dovecot-uidlist")).unwrap().len();
        match append(&account, &text, &[]).await {
            Ok(uid) => assert!(acknowledged.insert(uid, text).is_none(), "{uid} was given twice"),
            Err(StoreError::DiskFull { .. }) => {
                refused += 1;
                // The message itself had room, its UID had none.
                listed += u32::from(octets > text.len() as u64 && octets < list + 100);
            }
            Err(error) => panic!("at {octets}: {error}"),
        }
        assert_eq!(content(&inbox), acknowledged, "at {octets}");
        assert_eq!((files(&maildir, "tmp"), files(&maildir, "cur")), (0, acknowledged.len()), "at {octets}");
    }
    assert!(refused > 10 && listed > 10 && acknowledged.len() > 10, "{refused} {listed} {acknowledged:?}");

    // A keyword for which there is no room changes nothing.
    limit(3);
    let change =
        FlagChange { operation: FlagOperation::Add, flags: Flags::NONE, keywords: vec!["work".into()] };
    let first = *acknowledged.keys().next().unwrap();
    assert!(matches!(inbox.store_flags(vec![first], change.clone()).await, Err(StoreError::DiskFull { .. })));
    assert!(inbox.snapshot().keywords().flag("work").is_none());

    // Room again: appends succeed, here and in the next process.
    limit(nix::libc::RLIM_INFINITY);
    let last = append(&account, "last\r\n", &["work".to_owned()]).await.unwrap();
    assert!(last > *acknowledged.keys().last().unwrap());
    acknowledged.insert(last, "last\r\n".to_owned());
    inbox.store_flags(vec![first], change).await.unwrap();
    assert_eq!(content(&inbox), acknowledged);
    let again = ann(folder.path()).await.open(&MailboxName::inbox()).await.unwrap();
    assert_eq!(content(&again), acknowledged);
}
