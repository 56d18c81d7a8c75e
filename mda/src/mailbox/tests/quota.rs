//! Quotas and reservations.

use handover::config::Quotas;

use super::*;

const HUNDRED: usize = 100;

fn set_quota(store: &Store, octets: u64) {
    store.set_quotas(Quotas { default: Some(octets), users: Vec::new() });
}

async fn message(account: &Account, mailbox: &MailboxName, size: usize) -> Incoming {
    let mut incoming = account.incoming(mailbox).await.unwrap();
    incoming.write(&vec![b'x'; size]).await.unwrap();
    incoming
}

/// Delivers a message of a hundred octets.
async fn deliver(account: &Account) -> Result<String, StoreError> {
    let mut incoming = message(account, &MailboxName::inbox(), HUNDRED).await;
    incoming.reserve(None).await?;
    incoming.deliver("id").await
}

async fn used(account: &Account) -> u64 {
    account.quota().await.unwrap().unwrap().used
}

fn is_over(outcome: Result<impl std::fmt::Debug, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::OverQuota { .. }))
}

#[tokio::test]
async fn delivered_messages_count_until_they_are_expunged() {
    let site = Site::new();
    set_quota(&site.store, 350);
    let ann = site.ann().await;
    for _ in 0..3 {
        deliver(&ann).await.unwrap();
    }
    assert!(is_over(deliver(&ann).await));
    assert_eq!((used(&ann).await, site.files().len()), (300, 3));

    let inbox = site.inbox().await;
    let first = inbox.snapshot().entries().next().unwrap().uid;
    let deleted = FlagChange { operation: FlagOperation::Add, flags: Flags::DELETED, keywords: Vec::new() };
    inbox.store_flags(vec![first], deleted).await.unwrap();
    assert_eq!(ann.status(&MailboxName::inbox()).await.unwrap().deleted_storage, 100);
    inbox.expunge(None).await.unwrap();
    assert_eq!(used(&ann).await, 200);
    deliver(&ann).await.unwrap();
}

#[tokio::test]
async fn copies_count_and_moves_do_not() {
    let site = Site::new();
    set_quota(&site.store, 250);
    let ann = site.ann().await;
    deliver(&ann).await.unwrap();
    let (inbox, sent) = (site.inbox().await, ann.open(&MailboxName::parse("Sent").unwrap()).await.unwrap());
    let uids: Vec<Uid> = inbox.snapshot().entries().map(|entry| entry.uid).collect();
    inbox.copy_to(uids.clone(), &sent).await.unwrap();
    assert_eq!(used(&ann).await, 200);
    assert!(is_over(inbox.copy_to(uids.clone(), &sent).await));
    inbox.move_to(uids, &sent).await.unwrap();
    assert_eq!(used(&ann).await, 200);
    ann.delete(&MailboxName::parse("Sent").unwrap()).await.unwrap();
    assert_eq!(used(&ann).await, 0);
}

#[tokio::test]
async fn maildirsize_may_be_deleted_or_wrong_at_any_time() {
    let site = Site::new();
    set_quota(&site.store, 250);
    let ann = site.ann().await;
    deliver(&ann).await.unwrap();
    assert_eq!(used(&ann).await, 100);
    let file = site.maildir().join("maildirsize");
    std::fs::remove_file(&file).unwrap();
    deliver(&ann).await.unwrap();
    assert_eq!(used(&ann).await, 200);
    // Another process added twice what it stored once: before a message is refused for it, all is counted.
    std::fs::write(&file, "250S\n200 2\n100 1\n").unwrap();
    assert_eq!(used(&ann).await, 300);
    let mut small = message(&ann, &MailboxName::inbox(), 50).await;
    small.reserve(None).await.unwrap();
    small.deliver("id").await.unwrap();
    assert_eq!(used(&ann).await, 250);
}

#[tokio::test]
async fn a_quota_set_later_counts_existing_messages_and_removing_it_admits_all() {
    let site = Site::new();
    let ann = site.ann().await;
    assert_eq!(ann.quota().await.unwrap(), None);
    deliver(&ann).await.unwrap();
    set_quota(&site.store, 150);
    assert!(is_over(deliver(&ann).await));
    set_quota(&site.store, 200);
    deliver(&ann).await.unwrap();
    site.store.set_quotas(Quotas::default());
    deliver(&ann).await.unwrap();
    // Messages that came while there was no quota count when there is one again.
    set_quota(&site.store, 200);
    assert_eq!(used(&ann).await, 300);
}

#[tokio::test]
async fn concurrent_messages_never_exceed_the_quota_together() {
    let site = Site::new();
    set_quota(&site.store, 1000);
    let ann = site.ann().await;
    let mut deliveries = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let ann = ann.clone();
        deliveries.spawn(async move { deliver(&ann).await.is_ok() });
    }
    let taken = deliveries.join_all().await.into_iter().filter(|taken| *taken).count();
    assert_eq!((taken, site.files().len(), used(&ann).await), (10, 10, 1000));
}

#[tokio::test]
async fn an_unused_reservation_is_released() {
    let site = Site::new();
    set_quota(&site.store, 150);
    let ann = site.ann().await;
    let reservation = ann.reserve(100).await.unwrap();
    assert!(is_over(deliver(&ann).await));
    drop(reservation);
    deliver(&ann).await.unwrap();
}
