use std::time::{Duration, SystemTime};

use super::*;

#[tokio::test]
async fn a_delivered_message_is_in_new_until_a_session_claims_it() {
    let site = Site::new();
    let ann = site.ann().await;
    deliver(&ann, "Subject: one\r\n\r\nbody\r\n").await;
    let files = site.files();
    assert!(files.len() == 1 && files[0].starts_with("new/"), "{files:?}");
    assert!(files[0].ends_with(".one,S=22,W=22"), "{files:?}");
    let inbox = site.inbox().await;
    assert_eq!((uids(&inbox.snapshot()), inbox.snapshot().unclaimed()), (vec![1], 1));
    assert_eq!(text(&inbox, uid(1)), "Subject: one\r\n\r\nbody\r\n");
    assert_eq!(inbox.claim_recent().await.unwrap(), [uid(1)]);
    assert_eq!(inbox.claim_recent().await.unwrap(), []);
    assert!(site.files()[0].starts_with("cur/") && site.files()[0].ends_with(":2,"));
    assert_eq!(text(&inbox, uid(1)), "Subject: one\r\n\r\nbody\r\n");
}

#[tokio::test]
async fn watchers_are_notified_of_a_delivery_without_polling() {
    let site = Site::new();
    let ann = site.ann().await;
    let inbox = site.inbox().await;
    let mut watch = inbox.watch();
    deliver(&ann, "one\r\n").await;
    watch.changed().await.unwrap();
    let seen = watch.borrow_and_update().clone();
    assert_eq!(uids(&seen), [1]);
    // The next refresh finds nothing more.
    assert_eq!(uids(&inbox.refresh().await.unwrap()), [1]);
}

#[tokio::test]
async fn concurrent_deliveries_are_each_stored_once() {
    let site = Site::new();
    let ann = site.ann().await;
    let inbox = site.inbox().await;
    let deliveries: Vec<_> = (0..40)
        .map(|n| {
            let ann = ann.clone();
            let inbox = inbox.clone();
            tokio::spawn(async move {
                deliver(&ann, &format!("{n}\r\n")).await;
                if n % 4 == 0 {
                    inbox.claim_recent().await.unwrap();
                    inbox.refresh().await.unwrap();
                }
            })
        })
        .collect();
    for delivery in deliveries {
        delivery.await.unwrap();
    }
    let snapshot = inbox.refresh().await.unwrap();
    assert_eq!(uids(&snapshot), (1..=40).collect::<Vec<_>>());
    let mut texts: Vec<_> = snapshot.entries().map(|entry| text(&inbox, entry.uid)).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 40);
}

#[tokio::test]
async fn an_appended_message_has_its_flags_its_date_and_its_uid() {
    let site = Site::new();
    let ann = site.ann().await;
    let mut incoming = ann.incoming(&name("Sent")).await.unwrap();
    incoming.write(b"Subject: one\n\nbo").await.unwrap();
    incoming.write(b"dy\r").await.unwrap();
    incoming.write(b"\n").await.unwrap();
    assert_eq!(incoming.size(), 20);
    let received = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let appended =
        incoming.append(Flags::SEEN | Flags::PASSED, &["$MDNSent".into()], Some(received)).await.unwrap();
    assert_eq!(appended.uid, uid(1));
    let sent = ann.open(&name("Sent")).await.unwrap();
    let snapshot = sent.snapshot();
    assert_eq!(appended.uid_validity, snapshot.uid_validity());
    let entry = snapshot.by_number(1).unwrap();
    assert_eq!(snapshot.keywords_of(entry).collect::<Vec<_>>(), ["$MDNSent"]);
    assert_eq!(entry.flags & Flags::SYSTEM, Flags::SEEN);
    assert_eq!(entry.size(), Some(22), "two lines end in LF alone");
    let message = sent.read(entry).unwrap();
    assert_eq!((message.stored_size, message.size, message.received), (20, Some(22), received));
    assert!(entry.is_unclaimed, "RFC 3501 §6.3.11: an appended message is recent");
}

#[tokio::test]
async fn a_large_message_is_staged_in_tmp_and_a_dropped_one_leaves_nothing() {
    let site = Site::new();
    let ann = site.ann().await;
    let mut incoming = ann.incoming(&MailboxName::inbox()).await.unwrap();
    let line = format!("{}\r\n", "x".repeat(998));
    for _ in 0..200 {
        incoming.write(line.as_bytes()).await.unwrap();
    }
    assert!(site.files()[0].starts_with("tmp/"));
    let mut other = ann.incoming(&MailboxName::inbox()).await.unwrap();
    other.write(b"Delivered-To: bob\r\n").await.unwrap();
    incoming.continue_into(1000, &mut other).await.unwrap();
    drop(incoming);
    other.deliver("id").await.unwrap();
    let files = site.files();
    assert!(files.len() == 1 && files[0].ends_with(",S=199019,W=199019"), "{files:?}");
    let text = text(&site.inbox().await, uid(1));
    assert_eq!(text, format!("Delivered-To: bob\r\n{}", line.repeat(199)));
}

#[tokio::test]
async fn a_small_message_is_continued_for_another_recipient() {
    let site = Site::new();
    let ann = site.ann().await;
    let mut first = ann.incoming(&MailboxName::inbox()).await.unwrap();
    first.write(b"To: a\r\nbody\n").await.unwrap();
    let mut second = ann.incoming(&name("Sent")).await.unwrap();
    second.write(b"To: bb\r\n").await.unwrap();
    first.continue_into(7, &mut second).await.unwrap();
    second.deliver("id").await.unwrap();
    let sent = ann.open(&name("Sent")).await.unwrap();
    assert_eq!(text(&sent, uid(1)), "To: bb\r\nbody\n");
    assert_eq!(sent.snapshot().by_number(1).unwrap().size(), Some(14));
}

#[tokio::test]
async fn expunge_removes_the_chosen_deleted_messages() {
    let site = Site::new();
    let ann = site.ann().await;
    for flags in [Flags::DELETED, Flags::SEEN, Flags::DELETED, Flags::DELETED] {
        append(&ann, "INBOX", "x\r\n", flags, &[]).await;
    }
    let inbox = site.inbox().await;
    let before = inbox.snapshot();
    assert_eq!(uids(&inbox.expunge(Some(vec![uid(2), uid(3)])).await.unwrap()), [1, 2, 4]);
    let after = inbox.expunge(None).await.unwrap();
    assert_eq!(uids(&after), [2]);
    assert_eq!(site.files().len(), 1);
    assert_eq!(before.difference(&after).expunged, [1, 3, 4]);
    assert!(matches!(inbox.read(before.by_number(1).unwrap()), Err(StoreError::MessageGone)));
    assert_eq!(after.uid_next(), 5);
}

#[tokio::test]
async fn copies_keep_flags_keywords_and_date_and_get_uids_of_their_own() {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "Sent", "x\r\n", Flags::SEEN, &["other"]).await;
    append(&ann, "INBOX", "one\r\n", Flags::SEEN, &["a", "b"]).await;
    append(&ann, "INBOX", "two\r\n", Flags::FLAGGED, &["b"]).await;
    let (inbox, sent) = (site.inbox().await, ann.open(&name("Sent")).await.unwrap());
    let copied = inbox.copy_to(vec![uid(2), uid(1), uid(7)], &sent).await.unwrap();
    assert_eq!(copied.uids, [(uid(1), uid(2)), (uid(2), uid(3))]);
    assert_eq!(copied.uid_validity, sent.snapshot().uid_validity());
    let snapshot = sent.snapshot();
    let entry = snapshot.by_uid(uid(3)).unwrap().1;
    assert_eq!(snapshot.keywords_of(entry).collect::<Vec<_>>(), ["b"]);
    assert!(entry.flags.contains(Flags::FLAGGED) && entry.is_unclaimed);
    assert_eq!(text(&sent, uid(2)), "one\r\n");
    assert_eq!(inbox.snapshot().len(), 2);
    // Copies into the same mailbox.
    assert_eq!(inbox.copy_to(vec![uid(1)], &inbox).await.unwrap().uids, [(uid(1), uid(3))]);
    assert_eq!(inbox.snapshot().len(), 3);
    assert!(std::fs::read_dir(site.maildir().join(".Sent/tmp")).unwrap().next().is_none());
}

#[tokio::test]
async fn moved_messages_are_only_in_the_target() {
    let site = Site::new();
    let ann = site.ann().await;
    deliver(&ann, "one\r\n").await;
    deliver(&ann, "two\r\n").await;
    let (inbox, sent) = (site.inbox().await, ann.open(&name("Sent")).await.unwrap());
    let moved = inbox.move_to(vec![uid(2)], &sent).await.unwrap();
    assert_eq!(moved.uids, [(uid(2), uid(1))]);
    assert_eq!(uids(&inbox.snapshot()), [1]);
    assert_eq!(text(&sent, uid(1)), "two\r\n");
}

#[tokio::test]
async fn status_matches_an_opened_mailbox() {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "Drafts", "x\r\n", Flags::DRAFT, &[]).await;
    append(&ann, "Drafts", "y\r\n", Flags::SEEN, &[]).await;
    let status = ann.status(&name("Drafts")).await.unwrap();
    assert_eq!((status.messages, status.unseen, status.recent, status.uid_next), (2, 1, 2, 3));
    assert!(matches!(ann.status(&name("None")).await, Err(StoreError::NoSuchMailbox(_))));
}

#[tokio::test]
async fn the_index_may_be_removed_or_damaged_at_any_time() {
    let site = Site::new();
    let ann = site.ann().await;
    deliver(&ann, "one\r\n").await;
    let inbox = site.inbox().await;
    let file = inbox.read(inbox.snapshot().by_uid(uid(1)).unwrap().1).unwrap().stamp;
    let facts = crate::index::Facts { size: 5, received: 7, structure: b"x".to_vec(), file };
    inbox.store_facts(&[(uid(1), facts.clone())]);
    assert_eq!(inbox.facts(uid(1)..=uid(9)), [(uid(1), facts.clone())]);
    let file = site.folder.path().join("index/example.org/ann.sqlite");
    assert!(file.exists());
    std::fs::remove_dir_all(site.folder.path().join("index")).unwrap();
    assert_eq!(uids(&inbox.refresh().await.unwrap()), [1]);
    // Another process finds an empty index, and then a damaged one.
    let other = super::ann(&site.another()).await.open(&MailboxName::inbox()).await.unwrap();
    assert_eq!(other.facts(uid(1)..=uid(9)), []);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "rubbish".repeat(1000)).unwrap();
    let third = super::ann(&site.another()).await.open(&MailboxName::inbox()).await.unwrap();
    assert_eq!(uids(&third.snapshot()), [1]);
    third.store_facts(&[(uid(1), facts.clone())]);
    assert_eq!(third.facts(uid(1)..=uid(1)), [(uid(1), facts)]);
}

#[tokio::test]
async fn mod_seqs_grow_and_survive_a_clean_restart() {
    let site = Site::new();
    let ann = site.ann().await;
    deliver(&ann, "one\r\n").await;
    deliver(&ann, "two\r\n").await;
    let inbox = site.inbox().await;
    let first = inbox.snapshot();
    let second = inbox.store_flags(vec![uid(1)], change(FlagOperation::Add, Flags::SEEN, &[])).await.unwrap();
    assert!(second.highest_mod_seq() > first.highest_mod_seq());
    let entry = |snapshot: &Snapshot, n| snapshot.by_uid(uid(n)).unwrap().1.mod_seq;
    assert_eq!(entry(&second, 2), entry(&first, 2));
    assert_eq!(entry(&second, 1), second.highest_mod_seq());
    drop(inbox);
    site.store.close();
    let after = super::ann(&site.another()).await.open(&MailboxName::inbox()).await.unwrap().snapshot();
    assert_eq!((entry(&after, 1), entry(&after, 2)), (entry(&second, 1), entry(&second, 2)));
    assert!(after.highest_mod_seq() >= second.highest_mod_seq());
    // After a crash another process has none of them: its sequences are all newer.
    let lost = super::ann(&site.another()).await.open(&MailboxName::inbox()).await.unwrap().snapshot();
    assert!(entry(&lost, 2) > second.highest_mod_seq());
}
