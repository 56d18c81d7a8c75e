//! Cached facts of one message are never used for another, and a mailbox is never mistaken for an earlier one at the
//! same path: after a restore, a copy, a removal.

use std::fs;
use std::path::Path;

use super::*;
use crate::index::Facts;

/// Stores facts of a message in the index.
fn store_facts(mailbox: &Mailbox, number: u32) {
    let entry = mailbox.snapshot().by_uid(uid(number)).unwrap().1.clone();
    let file = mailbox.read(&entry).unwrap().stamp;
    let facts = Facts { size: 1, received: 2, structure: text(mailbox, uid(number)).into_bytes(), file };
    mailbox.store_facts(&[(uid(number), facts)]);
    assert_eq!(cached(mailbox, number).unwrap(), text(mailbox, uid(number)));
}

fn cached(mailbox: &Mailbox, number: u32) -> Option<String> {
    let facts = mailbox.facts(uid(number)..=uid(number)).pop()?.1;
    Some(String::from_utf8(facts.structure).unwrap())
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
            let modified = entry.metadata().unwrap().modified().unwrap();
            fs::File::options().write(true).open(&target).unwrap().set_modified(modified).unwrap();
        }
    }
}

#[tokio::test]
async fn cached_facts_survive_flag_changes_and_moves_to_cur() {
    let site = Site::new();
    deliver(&site.ann().await, "one\r\n").await;
    let inbox = site.inbox().await;
    store_facts(&inbox, 1);
    inbox.claim_recent().await.unwrap();
    inbox.store_flags(vec![uid(1)], change(FlagOperation::Add, Flags::SEEN, &["k"])).await.unwrap();
    assert_eq!(cached(&inbox, 1).as_deref(), Some("one\r\n"));
}

#[tokio::test]
async fn mail_restored_without_its_index_gets_no_old_facts() {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "INBOX", "one\r\n", Flags::SEEN, &[]).await;
    let backup = site.folder.path().join("backup");
    copy_folder(&site.maildir(), &backup);
    append(&ann, "INBOX", "two\r\n", Flags::SEEN, &[]).await;
    store_facts(&site.inbox().await, 2);
    site.store.close();
    fs::remove_dir_all(site.maildir()).unwrap();
    copy_folder(&backup, &site.maildir());
    let ann = super::ann(&site.another()).await;
    assert_eq!(append(&ann, "INBOX", "2nd\r\n", Flags::SEEN, &[]).await, uid(2), "the UID is assigned again");
    let inbox = ann.open(&MailboxName::inbox()).await.unwrap();
    assert_eq!(cached(&inbox, 2), None);
    store_facts(&inbox, 2);
}

#[tokio::test]
async fn a_copied_folder_has_its_own_facts() {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "Sent", "one\r\n", Flags::SEEN, &[]).await;
    copy_folder(&site.maildir().join(".Sent"), &site.maildir().join(".Copy"));
    append(&ann, "Sent", "two\r\n", Flags::SEEN, &[]).await;
    append(&ann, "Copy", "2nd\r\n", Flags::SEEN, &[]).await;
    let (sent, copy) = (ann.open(&name("Sent")).await.unwrap(), ann.open(&name("Copy")).await.unwrap());
    store_facts(&sent, 2);
    assert_eq!(cached(&copy, 2), None);
    store_facts(&copy, 2);
    assert_eq!(cached(&sent, 2), None);
}

#[tokio::test]
async fn a_replaced_file_loses_its_cached_facts() {
    let site = Site::new();
    let inbox = site.inbox().await;
    let path = site.maildir().join("cur/1.M1P1.host:2,S");
    fs::write(&path, "one\r\n").unwrap();
    inbox.refresh().await.unwrap();
    store_facts(&inbox, 1);
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let other = site.maildir().join("tmp/other");
    fs::write(&other, "two\r\n").unwrap();
    fs::File::options().write(true).open(&other).unwrap().set_modified(modified).unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(cached(&inbox, 1), None);
}

#[tokio::test]
async fn replacing_the_open_index_with_an_older_one_gives_no_wrong_facts() {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "INBOX", "one\r\n", Flags::DELETED, &[]).await;
    let inbox = site.inbox().await;
    store_facts(&inbox, 1);
    let index = site.folder.path().join("index/example.org/ann.sqlite");
    let old = site.folder.path().join("old");
    copy_folder(index.parent().unwrap(), &old);
    append(&ann, "INBOX", "two\r\n", Flags::SEEN, &[]).await;
    store_facts(&inbox, 2);
    fs::remove_dir_all(index.parent().unwrap()).unwrap();
    copy_folder(&old, index.parent().unwrap());
    assert_eq!(cached(&inbox, 1).as_deref(), Some("one\r\n"));
    assert_eq!(cached(&inbox, 2), None);
    store_facts(&inbox, 2);
}

/// `user delete --purge-mail` and then `user add`, below a running process.
#[tokio::test]
async fn a_user_deleted_and_added_again_has_folders_and_gets_mail() {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "INBOX", "one\r\n", Flags::SEEN, &[]).await;
    append(&ann, "Sent", "one\r\n", Flags::SEEN, &[]).await;
    let before = site.inbox().await;
    fs::remove_dir_all(site.maildir().parent().unwrap()).unwrap();
    let ann = site.ann().await;
    let listed: Vec<_> = ann.list().await.unwrap().into_iter().map(|listed| listed.name).collect();
    assert_eq!(listed.len(), 6, "{listed:?}");
    assert_eq!(ann.subscriptions().await.unwrap().len(), 6);
    deliver(&ann, "new\r\n").await;
    let after = ann.open(&MailboxName::inbox()).await.unwrap();
    assert_eq!((uids(&after.snapshot()), text(&after, uid(1))), (vec![1], "new\r\n".to_owned()));
    assert_eq!(ann.status(&name("Sent")).await.unwrap().messages, 0);
    assert!(before.is_gone());
}

#[tokio::test]
async fn a_restored_folder_with_the_same_uidvalidity_is_reopened() {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "Sent", "one\r\n", Flags::SEEN, &[]).await;
    let sent = ann.open(&name("Sent")).await.unwrap();
    let folder = site.maildir().join(".Sent");
    let aside = site.folder.path().join("aside");
    copy_folder(&folder, &aside);
    fs::remove_dir_all(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    assert!(matches!(sent.refresh().await, Err(StoreError::MailboxGone(_))));
    let sent = ann.open(&name("Sent")).await.unwrap();
    let stored =
        sent.store_flags(vec![uid(1)], change(FlagOperation::Add, Flags::FLAGGED, &[])).await.unwrap();
    assert!(stored.by_uid(uid(1)).unwrap().1.flags.contains(Flags::FLAGGED));
    assert!(
        fs::read_dir(folder.join("cur"))
            .unwrap()
            .any(|file| { file.unwrap().file_name().to_string_lossy().ends_with(":2,FS") })
    );
}

#[tokio::test]
async fn expunge_keeps_a_message_that_another_program_undeleted() {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "INBOX", "one\r\n", Flags::DELETED, &[]).await;
    append(&ann, "INBOX", "two\r\n", Flags::DELETED, &[]).await;
    append(&ann, "INBOX", "three\r\n", Flags::DELETED, &[]).await;
    let inbox = site.inbox().await;
    let rename = |content: &str, flags: &str| {
        let files = site.files().into_iter().map(|file| site.maildir().join(file));
        let from = files.into_iter().find(|file| fs::read_to_string(file).unwrap() == content).unwrap();
        fs::rename(&from, from.to_str().unwrap().replace(":2,T", flags)).unwrap();
    };
    rename("one\r\n", ":2,");
    rename("two\r\n", ":2,FT");
    let after = inbox.expunge(None).await.unwrap();
    assert_eq!(uids(&after), [1]);
    assert_eq!(text(&inbox, uid(1)), "one\r\n");
}
