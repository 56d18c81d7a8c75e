//! Keywords on the 26 letters, and beyond them.

use std::fs;
use std::sync::Arc;

use super::*;

fn keywords_of(snapshot: &Snapshot, number: u32) -> Vec<String> {
    let entry = snapshot.by_uid(uid(number)).unwrap().1;
    let mut names: Vec<String> = snapshot.keywords_of(entry).map(str::to_owned).collect();
    names.sort();
    names
}

fn names(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| format!("k{n:03}")).collect()
}

async fn add(mailbox: &Mailbox, number: u32, keywords: &[String]) -> Arc<Snapshot> {
    let change =
        FlagChange { operation: FlagOperation::Add, flags: Flags::NONE, keywords: keywords.to_vec() };
    mailbox.store_flags(vec![uid(number)], change).await.unwrap()
}

async fn remove(mailbox: &Mailbox, number: u32, keywords: &[String]) -> Arc<Snapshot> {
    let change =
        FlagChange { operation: FlagOperation::Remove, flags: Flags::NONE, keywords: keywords.to_vec() };
    mailbox.store_flags(vec![uid(number)], change).await.unwrap()
}

async fn reopened(site: &Site, mailbox: &str) -> Mailbox {
    super::ann(&site.another()).await.open(&name(mailbox)).await.unwrap()
}

#[tokio::test]
async fn a_letter_in_use_is_never_reassigned() {
    let site = Site::new();
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(site.maildir().join(folder)).unwrap();
    }
    // `dovecot-keywords` is lost.
    for file in ["1.M1P1.host:2,S", "2.M1P1.host:2,Sa", "3.M1P1.host:2,Sb"] {
        fs::write(site.maildir().join("cur").join(file), "Subject: x\n\ny\n").unwrap();
    }
    let inbox = site.inbox().await;
    let after = add(&inbox, 1, &["foo".into()]).await;
    assert_eq!((keywords_of(&after, 1), keywords_of(&after, 2)), (vec!["foo".to_owned()], vec![]));
    assert!(site.files().contains(&"cur/1.M1P1.host:2,Sc".to_owned()), "as Dovecot gives it");
    assert_eq!(fs::read_to_string(site.maildir().join("dovecot-keywords")).unwrap(), "2 foo\n");
}

#[tokio::test]
async fn an_unused_letter_is_reassigned() {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "INBOX", "one\r\n", Flags::NONE, &[]).await;
    let inbox = site.inbox().await;
    let full = add(&inbox, 1, &names(0..26)).await;
    let emptied = remove(&inbox, 1, &names(0..26)).await;
    assert!(emptied.has_room_for_keywords());
    let after = add(&inbox, 1, &["again".into()]).await;
    assert_eq!(keywords_of(&after, 1), ["again"]);
    assert!(site.files()[0].ends_with(":2,a"), "{:?}", site.files());
    assert!(!site.maildir().join("mailstead-keywords").exists());
    // A session that saw the letter under its old name is notified that the message changed.
    assert_eq!(full.difference(&after).changed, [1]);
    assert_eq!(keywords_of(&reopened(&site, "INBOX").await.snapshot(), 1), ["again"]);
}

#[tokio::test]
async fn keywords_beyond_the_letters_are_stored_in_a_file() {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "INBOX", "one\r\n", Flags::NONE, &[]).await;
    append(&ann, "INBOX", "two\r\n", Flags::SEEN, &[]).await;
    let inbox = site.inbox().await;
    add(&inbox, 1, &names(0..30)).await;
    let after = add(&inbox, 2, &names(28..32)).await;
    assert_eq!((keywords_of(&after, 1), keywords_of(&after, 2)), (names(0..30), names(28..32)));
    assert!(after.has_room_for_keywords());
    // Dovecot sees the letters; another process of ours, and one after a restart, sees all keywords.
    assert_eq!(fs::read_to_string(site.maildir().join("dovecot-keywords")).unwrap().lines().count(), 26);
    let other = reopened(&site, "INBOX").await;
    assert_eq!(keywords_of(&other.snapshot(), 1), names(0..30));
    assert_eq!(keywords_of(&other.snapshot(), 2), names(28..32));
    remove(&inbox, 2, &names(28..31)).await;
    assert_eq!(keywords_of(&other.refresh().await.unwrap(), 2), names(31..32));
    // Dovecot marks the message meanwhile.
    let file = site.files().into_iter().find(|file| file.ends_with(":2,S")).unwrap();
    fs::rename(site.maildir().join(&file), site.maildir().join(file.replace(":2,S", ":2,FS"))).unwrap();
    let after = inbox.refresh().await.unwrap();
    assert_eq!(keywords_of(&after, 2), names(31..32));
    assert!(after.by_uid(uid(2)).unwrap().1.flags.contains(Flags::FLAGGED));
    // No line is left after the last keyword.
    remove(&inbox, 2, &names(31..32)).await;
    remove(&inbox, 1, &names(0..30)).await;
    assert_eq!(
        fs::read_to_string(site.maildir().join("mailstead-keywords")).unwrap(),
        "mailstead-keywords 1\n"
    );
}

#[tokio::test]
async fn appended_copied_and_moved_messages_keep_all_their_keywords() {
    let site = Site::new();
    let ann = site.ann().await;
    let all = names(0..40);
    let all_names: Vec<&str> = all.iter().map(String::as_str).collect();
    append(&ann, "INBOX", "one\r\n", Flags::SEEN, &all_names).await;
    append(&ann, "Sent", "x\r\n", Flags::SEEN, &["other"]).await;
    let (inbox, sent) = (site.inbox().await, ann.open(&name("Sent")).await.unwrap());
    assert_eq!(keywords_of(&inbox.snapshot(), 1), all);
    inbox.copy_to(vec![uid(1)], &sent).await.unwrap();
    inbox.copy_to(vec![uid(1)], &inbox).await.unwrap();
    inbox.move_to(vec![uid(1)], &sent).await.unwrap();
    for mailbox in [inbox, reopened(&site, "INBOX").await] {
        assert_eq!(keywords_of(&mailbox.refresh().await.unwrap(), 2), all);
    }
    for mailbox in [sent, reopened(&site, "Sent").await] {
        let snapshot = mailbox.refresh().await.unwrap();
        assert_eq!((keywords_of(&snapshot, 2), keywords_of(&snapshot, 3)), (all.clone(), all.clone()));
        assert_eq!(keywords_of(&snapshot, 1), ["other"]);
    }
}

#[tokio::test]
async fn no_message_is_refused_for_a_keyword() {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "INBOX", "one\r\n", Flags::NONE, &[]).await;
    let inbox = site.inbox().await;
    let after = add(&inbox, 1, &names(0..200)).await;
    assert_eq!(keywords_of(&after, 1), names(0..122));
    assert!(!after.has_room_for_keywords());
    let long = "x".repeat(300);
    assert_eq!(append(&ann, "INBOX", "two\r\n", Flags::SEEN, &["more", &long, "k121"]).await, uid(2));
    assert_eq!(keywords_of(&inbox.refresh().await.unwrap(), 2), ["k121"]);
    // Other files where the two keyword files should be.
    fs::remove_file(site.maildir().join("mailstead-keywords")).unwrap();
    fs::create_dir_all(site.maildir().join("mailstead-keywords/kept")).unwrap();
    fs::remove_file(site.maildir().join("dovecot-keywords")).unwrap();
    nix::unistd::mkfifo(&site.maildir().join("dovecot-keywords"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(append(&ann, "INBOX", "three\r\n", Flags::SEEN, &["new"]).await, uid(3));
    assert_eq!(keywords_of(&reopened(&site, "INBOX").await.snapshot(), 3), ["new"]);
}
