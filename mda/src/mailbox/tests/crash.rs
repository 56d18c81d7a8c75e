//! The state that a killed process, or a machine that lost its power, leaves behind: each test creates by hand the
//! files on disk after one of the steps, and opens the mailbox again.

use std::fs;

use super::*;

/// A mailbox with two messages that were sent to a client, and its content.
async fn mailbox_with_two_messages() -> (Site, Vec<String>) {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "INBOX", "one\r\n", Flags::SEEN, &[]).await;
    append(&ann, "INBOX", "two\r\n", Flags::NONE, &[]).await;
    let files = site.files();
    (site, files)
}

async fn reopened(site: &Site) -> Mailbox {
    super::ann(&site.another()).await.open(&MailboxName::inbox()).await.unwrap()
}

async fn assert_both_messages(site: &Site) -> Mailbox {
    let inbox = reopened(site).await;
    assert_eq!((text(&inbox, uid(1)), text(&inbox, uid(2))), ("one\r\n".to_owned(), "two\r\n".to_owned()));
    inbox
}

#[tokio::test]
async fn killed_while_a_message_is_written() {
    let (site, _) = mailbox_with_two_messages().await;
    fs::write(site.maildir().join("tmp/9.M1P1Q1.one"), "hal").unwrap();
    let inbox = assert_both_messages(&site).await;
    assert_eq!(inbox.snapshot().len(), 2, "an unfinished message was shown");
}

#[tokio::test]
async fn killed_after_a_message_was_stored_and_before_its_uid_was_assigned() {
    let (site, _) = mailbox_with_two_messages().await;
    fs::write(site.maildir().join("new/9.M1P1Q1.one,S=7,W=7"), "three\r\n").unwrap();
    let inbox = assert_both_messages(&site).await;
    assert_eq!(text(&inbox, uid(3)), "three\r\n");
}

#[tokio::test]
async fn the_power_fails_while_a_uid_is_recorded() {
    let (site, _) = mailbox_with_two_messages().await;
    fs::write(site.maildir().join("new/9.M1P1Q1.one,S=7,W=7"), "three\r\n").unwrap();
    let list = site.maildir().join("dovecot-uidlist");
    let whole = fs::read_to_string(&list).unwrap();
    for torn in ["3", "3 :9.M1P1Q1", "\0\0\0\0\0\0"] {
        fs::write(&list, format!("{whole}{torn}")).unwrap();
        let inbox = assert_both_messages(&site).await;
        assert_eq!(text(&inbox, uid(3)), "three\r\n", "after {torn:?}");
    }
}

#[tokio::test]
async fn the_power_fails_after_a_uid_was_recorded_and_before_its_file_was_on_disk() {
    let (site, _) = mailbox_with_two_messages().await;
    let list = site.maildir().join("dovecot-uidlist");
    let whole = fs::read_to_string(&list).unwrap();
    fs::write(&list, format!("{whole}3 :9.M1P1Q1.lost\n")).unwrap();
    let inbox = assert_both_messages(&site).await;
    assert_eq!((inbox.snapshot().len(), inbox.snapshot().uid_next()), (2, 4));
}

#[tokio::test]
async fn killed_with_the_lock_and_a_list_half_written() {
    let (site, _) = mailbox_with_two_messages().await;
    fs::write(site.maildir().join("dovecot-uidlist.lock"), "1:one:mailstead\n").unwrap();
    fs::write(site.maildir().join("dovecot-uidlist.tmp"), "3 V1").unwrap();
    fs::write(site.maildir().join("dovecot-keywords.lock"), "1:one:mailstead\n").unwrap();
    let ann = super::ann(&site.another()).await;
    assert_eq!(append(&ann, "INBOX", "three\r\n", Flags::SEEN, &["work"]).await, uid(3));
    assert_both_messages(&site).await;
}

#[tokio::test]
async fn killed_between_the_two_names_of_a_moved_message() {
    let (site, _) = mailbox_with_two_messages().await;
    // The message has its new name in Sent, and still the old one here.
    let file = site.files().into_iter().find(|file| file.starts_with("cur/")).unwrap();
    let base = "9.M1P1Q1.one,S=5,W=5";
    fs::hard_link(site.maildir().join(&file), site.maildir().join(format!(".Sent/cur/{base}:2,S"))).unwrap();
    let inbox = assert_both_messages(&site).await;
    let sent = super::ann(&site.another()).await.open(&name("Sent")).await.unwrap();
    assert_eq!(text(&sent, uid(1)), "one\r\n");
    inbox.expunge(None).await.unwrap();
    assert_eq!(text(&sent, uid(1)), "one\r\n");
}

#[tokio::test]
async fn one_message_linked_in_both_folders_is_shown_once() {
    let (site, files) = mailbox_with_two_messages().await;
    let new = files.iter().find(|file| file.starts_with("new/")).unwrap();
    let cur = new.replacen("new/", "cur/", 1) + ":2,";
    fs::hard_link(site.maildir().join(new), site.maildir().join(cur)).unwrap();
    let inbox = assert_both_messages(&site).await;
    assert_eq!(inbox.snapshot().len(), 2);
    assert_eq!(site.files().len(), 2);
}

#[tokio::test]
async fn two_messages_under_one_base_are_both_kept() {
    let (site, files) = mailbox_with_two_messages().await;
    let new = files.iter().find(|file| file.starts_with("new/")).unwrap();
    fs::write(site.maildir().join(new.replacen("new/", "cur/", 1) + ":2,S"), "other\r\n").unwrap();
    let inbox = reopened(&site).await;
    let snapshot = inbox.refresh().await.unwrap();
    let mut texts: Vec<_> = snapshot.entries().map(|entry| text(&inbox, entry.uid)).collect();
    texts.sort();
    assert_eq!(texts, ["one\r\n", "other\r\n", "two\r\n"]);
}

#[tokio::test]
async fn losing_the_uid_list_changes_uidvalidity_and_loses_no_message() {
    let (site, _) = mailbox_with_two_messages().await;
    let before = site.inbox().await;
    fs::remove_file(site.maildir().join("dovecot-uidlist")).unwrap();
    assert!(matches!(before.refresh().await, Err(StoreError::MailboxGone(_))));
    let after = site.inbox().await.snapshot();
    assert_eq!(after.len(), 2);
    assert!(after.uid_validity() > before.snapshot().uid_validity());
}

#[tokio::test]
async fn a_full_disk_is_reported_and_leaves_no_files() {
    let (site, files) = mailbox_with_two_messages().await;
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let error = StoreError::disk("write", &site.maildir())(full);
    assert!(matches!(error, StoreError::DiskFull { .. }));
    // A `tmp` that cannot be written acts as a full disk; the message is dropped.
    let mut incoming = site.ann().await.incoming(&MailboxName::inbox()).await.unwrap();
    fs::rename(site.maildir().join("tmp"), site.maildir().join("away")).unwrap();
    fs::write(site.maildir().join("tmp"), "").unwrap();
    incoming.write(b"three\r\n").await.unwrap();
    assert!(incoming.deliver("id").await.is_err());
    fs::remove_file(site.maildir().join("tmp")).unwrap();
    fs::rename(site.maildir().join("away"), site.maildir().join("tmp")).unwrap();
    assert_eq!(site.files(), files);
    deliver(&site.ann().await, "three\r\n").await;
    assert_eq!(text(&assert_both_messages(&site).await, uid(3)), "three\r\n");
}

#[tokio::test]
async fn the_uid_list_is_compacted_when_most_records_are_obsolete() {
    let site = Site::new();
    let list = site.maildir().join("dovecot-uidlist");
    site.inbox().await;
    let mut text = fs::read_to_string(&list).unwrap();
    for n in 1..=1500 {
        text.push_str(&format!("{n} :{n}.gone\n"));
    }
    fs::write(&list, text).unwrap();
    let ann = super::ann(&site.another()).await;
    let inbox = ann.open(&MailboxName::inbox()).await.unwrap();
    assert!(fs::metadata(&list).unwrap().len() < 200);
    assert_eq!(inbox.snapshot().uid_next(), 1501);
    assert_eq!(append(&ann, "INBOX", "x\r\n", Flags::NONE, &[]).await, uid(1501));
}
