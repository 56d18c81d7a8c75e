//! Two processes, or two hosts, over the same mail.

use std::collections::BTreeMap;

use super::*;

#[tokio::test]
async fn each_process_sees_the_changes_of_the_other_on_refresh() {
    let site = Site::new();
    let ann = site.ann().await;
    let inbox = site.inbox().await;
    let other = super::ann(&site.another()).await;
    let theirs = other.open(&MailboxName::inbox()).await.unwrap();
    deliver(&other, "one\r\n").await;
    deliver(&ann, "two\r\n").await;
    assert_eq!(uids(&inbox.refresh().await.unwrap()), [1, 2]);
    assert_eq!(uids(&theirs.refresh().await.unwrap()), [1, 2]);
    assert_eq!(text(&theirs, uid(1)), "one\r\n");
    theirs.store_flags(vec![uid(1)], change(FlagOperation::Add, Flags::SEEN, &["work"])).await.unwrap();
    let seen = inbox.refresh().await.unwrap();
    let entry = seen.by_uid(uid(1)).unwrap().1;
    assert!(entry.flags.contains(Flags::SEEN));
    assert_eq!(seen.keywords_of(entry).collect::<Vec<_>>(), ["work"]);
    inbox.store_flags(vec![uid(2)], change(FlagOperation::Add, Flags::DELETED, &[])).await.unwrap();
    inbox.expunge(None).await.unwrap();
    assert_eq!(uids(&theirs.refresh().await.unwrap()), [1]);
}

#[tokio::test]
async fn only_one_process_claims_a_message() {
    let site = Site::new();
    let inbox = site.inbox().await;
    let other = super::ann(&site.another()).await;
    let theirs = other.open(&MailboxName::inbox()).await.unwrap();
    deliver(&other, "one\r\n").await;
    inbox.refresh().await.unwrap();
    theirs.refresh().await.unwrap();
    assert_eq!(inbox.claim_recent().await.unwrap(), [uid(1)]);
    assert_eq!(theirs.claim_recent().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_uid_is_assigned_to_two_messages() {
    let site = Site::new();
    site.ann().await;
    let stores = [site.store.clone(), site.another(), site.another()];
    let mut workers = Vec::new();
    for (node, store) in stores.iter().enumerate() {
        for worker in 0..2 {
            let store = store.clone();
            workers.push(tokio::spawn(async move {
                let ann = super::ann(&store).await;
                let inbox = ann.open(&MailboxName::inbox()).await.unwrap();
                let mut seen: BTreeMap<Uid, String> = BTreeMap::new();
                for n in 0..12 {
                    let message = format!("{node}.{worker}.{n}\r\n");
                    if n % 3 == 0 {
                        let given = append(&ann, "INBOX", &message, Flags::SEEN, &[]).await;
                        seen.insert(given, message);
                    } else {
                        deliver(&ann, &message).await;
                    }
                    inbox.claim_recent().await.unwrap();
                    let snapshot = inbox.refresh().await.unwrap();
                    for entry in snapshot.entries() {
                        if let Ok(stored) = inbox.read(entry) {
                            let text = std::io::read_to_string(stored.file).unwrap();
                            let before = seen.entry(entry.uid).or_insert_with(|| text.clone());
                            assert_eq!(*before, text, "uid {} now names another message", entry.uid);
                        }
                    }
                }
                seen
            }));
        }
    }
    let mut all: BTreeMap<Uid, String> = BTreeMap::new();
    for worker in workers {
        for (uid, text) in worker.await.unwrap() {
            assert_eq!(all.entry(uid).or_insert_with(|| text.clone()), &text);
        }
    }
    let last = super::ann(&site.another()).await.open(&MailboxName::inbox()).await.unwrap();
    assert_eq!(uids(&last.snapshot()), (1..=72).collect::<Vec<_>>());
    let mut texts: Vec<_> = last.snapshot().entries().map(|entry| text(&last, entry.uid)).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 72, "each message exists once");
}
