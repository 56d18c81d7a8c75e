//! A disk that stores a message and then fails to sync the folder: the client gets an error, and finds no message
//! later.

use super::*;

fn break_syncs(mailbox: &Mailbox) {
    for folder in ["new", "cur"] {
        mailbox.live.home.registry.fail_syncs_of(&mailbox.live.folder.join(folder));
    }
}

async fn append_fails(account: &Account, flags: Flags) {
    let mut incoming = account.incoming(&MailboxName::inbox()).await.unwrap();
    incoming.write(b"refused\r\n").await.unwrap();
    incoming.append(flags, &[], None).await.unwrap_err();
}

#[tokio::test]
async fn a_refused_append_leaves_no_message() {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "INBOX", "one\r\n", Flags::SEEN, &[]).await;
    let (inbox, files) = (site.inbox().await, site.files());
    break_syncs(&inbox);
    for flags in [Flags::NONE, Flags::SEEN] {
        append_fails(&ann, flags).await;
        assert_eq!(site.files(), files, "{flags:?}");
        assert_eq!(uids(&inbox.snapshot()), [1], "{flags:?}");
    }
    let elsewhere = super::ann(&site.another()).await.open(&MailboxName::inbox()).await.unwrap();
    assert_eq!(uids(&elsewhere.snapshot()), [1]);
}

#[tokio::test]
async fn refused_copies_and_moves_leave_the_messages_in_the_source_only() {
    let site = Site::new();
    let ann = site.ann().await;
    append(&ann, "INBOX", "one\r\n", Flags::SEEN, &[]).await;
    append(&ann, "INBOX", "two\r\n", Flags::NONE, &[]).await;
    let (inbox, files) = (site.inbox().await, site.files());
    let sent = ann.open(&name("Sent")).await.unwrap();
    break_syncs(&sent);
    for _ in 0..2 {
        inbox.copy_to(vec![uid(1), uid(2)], &sent).await.unwrap_err();
        inbox.move_to(vec![uid(1), uid(2)], &sent).await.unwrap_err();
    }
    assert_eq!((site.files(), uids(&inbox.snapshot())), (files, vec![1, 2]));
    assert!(uids(&sent.snapshot()).is_empty());
    let left = std::fs::read_dir(sent.live.folder.join("cur")).unwrap().count();
    assert_eq!(left, 0, "files of refused copies");
}
