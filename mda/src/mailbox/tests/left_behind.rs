//! Maildirs left behind by other programs, a restore or a manual change: served, or skipped, never stuck, and unchanged
//! where there is nothing to repair.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;

use nix::sys::stat::Mode;
use nix::unistd::{mkfifo, setfsuid};

use super::*;
use crate::mailbox::state::{MailboxState, SavedModSeqs};

const MESSAGE: &str = "Subject: left behind\n\nbody\n";

/// A Maildir with its three folders.
fn site() -> Site {
    let site = Site::new();
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(site.maildir().join(folder)).unwrap();
    }
    site
}

fn put_file(site: &Site, path: impl AsRef<OsStr>) {
    fs::write(site.maildir().join(path.as_ref()), MESSAGE).unwrap();
}

/// Marks all messages as deleted and expunges them, as a client does; returns their number.
async fn expunge_all(mailbox: &Mailbox) -> usize {
    mailbox.claim_recent().await.unwrap();
    let all: Vec<Uid> = mailbox.refresh().await.unwrap().entries().map(|entry| entry.uid).collect();
    for uid in &all {
        assert_eq!(text(mailbox, *uid), MESSAGE);
    }
    mailbox.store_flags(all.clone(), change(FlagOperation::Add, Flags::DELETED, &["k"])).await.unwrap();
    assert!(mailbox.expunge(None).await.unwrap().is_empty());
    all.len()
}

#[tokio::test]
async fn entries_that_are_not_files_are_skipped_and_stay_unchanged() {
    let site = site();
    for folder in ["cur", "new"] {
        put_file(&site, format!("{folder}/1.{folder}.host"));
        fs::create_dir_all(site.maildir().join(folder).join("backup/within")).unwrap();
        mkfifo(&site.maildir().join(folder).join("2.fifo"), Mode::S_IRWXU).unwrap();
        symlink(site.maildir().join("tmp"), site.maildir().join(folder).join("3.link")).unwrap();
        symlink("/etc/hostname", site.maildir().join(folder).join("4.link:2,S")).unwrap();
    }
    let inbox = site.inbox().await;
    let copies = inbox.snapshot().entries().map(|entry| entry.uid).collect();
    let sent = site.ann().await;
    sent.create(&name("Copies")).await.unwrap();
    let target = sent.open(&name("Copies")).await.unwrap();
    assert_eq!(inbox.copy_to(copies, &target).await.unwrap().uids.len(), 2);
    assert_eq!(expunge_all(&inbox).await, 2);
    for folder in ["cur", "new"] {
        assert!(site.maildir().join(folder).join("backup/within").is_dir());
    }
    let left = ["2.fifo", "3.link", "4.link:2,S", "backup"];
    let left: Vec<String> =
        ["cur", "new"].iter().flat_map(|f| left.map(|name| format!("{f}/{name}"))).collect();
    assert_eq!(site.files(), left);
}

#[tokio::test]
async fn a_file_name_in_any_charset_is_a_message() {
    let site = site();
    put_file(&site, OsStr::from_bytes(b"cur/1583748001.M1P1.b\xfcro:2,S"));
    put_file(&site, OsStr::from_bytes(b"new/1583748002.M1P1.b\xfcro"));
    put_file(&site, "cur/1583748003.M1P1.host:2,S");
    let inbox = site.inbox().await;
    assert_eq!(uids(&inbox.snapshot()), [1, 2, 3]);
    let other = super::ann(&site.another()).await.open(&MailboxName::inbox()).await.unwrap();
    assert_eq!(uids(&other.snapshot()), [1, 2, 3], "the UIDs are kept");
    inbox.store_flags(vec![uid(1), uid(2)], change(FlagOperation::Add, Flags::FLAGGED, &[])).await.unwrap();
    assert!(site.maildir().join(OsStr::from_bytes(b"cur/1583748001.M1P1.b\xfcro:2,FS")).exists());
    assert_eq!(expunge_all(&inbox).await, 3);
}

#[tokio::test]
async fn a_name_without_room_for_flags_gets_a_shorter_one_and_keeps_its_uid() {
    for folder in ["cur", "new"] {
        let site = site();
        put_file(&site, format!("{folder}/{}", "x".repeat(255)));
        put_file(&site, "cur/1.host:2,");
        let inbox = site.inbox().await;
        let snapshot = inbox.snapshot();
        let long = snapshot.entries().find(|entry| entry.file.base().len() == 255).unwrap().uid;
        assert_eq!(inbox.claim_recent().await.unwrap().len(), usize::from(folder == "new"));
        assert_eq!(inbox.refresh().await.unwrap().unclaimed(), 0);
        let stored =
            inbox.store_flags(vec![uid(1), uid(2)], change(FlagOperation::Add, Flags::SEEN, &["k"])).await;
        assert!(stored.unwrap().entries().all(|entry| entry.flags.contains(Flags::SEEN)));
        let other = super::ann(&site.another()).await.open(&MailboxName::inbox()).await.unwrap();
        let snapshot = other.snapshot();
        assert_eq!(uids(&snapshot), [1, 2]);
        assert!(snapshot.by_uid(long).unwrap().1.file.base().len() < 100);
        assert_eq!(expunge_all(&other).await, 2);
    }
}

#[tokio::test]
async fn fifos_and_folders_with_our_file_names_block_nothing() {
    const NAMES: [&str; 7] = [
        "dovecot-keywords",
        "mailstead-keywords",
        "dovecot-uidlist",
        "dovecot-uidlist.lock",
        "dovecot-keywords.lock",
        "subscriptions",
        "maildirsize",
    ];
    for is_fifo in [true, false] {
        let site = site();
        put_file(&site, "cur/1.host:2,S");
        for name in NAMES {
            let path = site.maildir().join(name);
            if is_fifo {
                mkfifo(&path, Mode::S_IRWXU).unwrap();
            } else {
                fs::create_dir_all(path.join("kept")).unwrap();
            }
        }
        let ann = site.ann().await;
        assert!(!ann.subscriptions().await.unwrap().contains(&name("Sent")));
        ann.subscribe(&name("Sent")).await.unwrap();
        assert!(ann.subscriptions().await.unwrap().contains(&name("Sent")));
        let inbox = site.inbox().await;
        assert_eq!(expunge_all(&inbox).await, 1);
        append(&ann, "INBOX", "x\r\n", Flags::SEEN, &["k2"]).await;
        assert_eq!(inbox.refresh().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_uid_list_with_crlf_lines_keeps_its_uids() {
    let site = site();
    put_file(&site, "cur/1.M1P1.host:2,S");
    put_file(&site, "cur/2.M1P1.host:2,S");
    let list = "3 V1583748000 N20 G3085f01b7f11094c501100008c4a11c1\r\n5 :1.M1P1.host\r\n6 :2.M1P1.host\r\n";
    fs::write(site.maildir().join("dovecot-uidlist"), list).unwrap();
    let inbox = site.inbox().await;
    assert_eq!((uids(&inbox.snapshot()), inbox.snapshot().uid_next()), (vec![5, 6], 20));
    assert_eq!(fs::read_to_string(site.maildir().join("dovecot-uidlist")).unwrap(), list.replace('\r', ""));
}

#[tokio::test]
async fn truncating_the_uid_list_changes_only_uidvalidity() {
    for rest in [0, 4, 60] {
        let site = site();
        let ann = site.ann().await;
        append(&ann, "INBOX", MESSAGE, Flags::SEEN, &[]).await;
        append(&ann, "INBOX", MESSAGE, Flags::SEEN, &[]).await;
        let before = site.inbox().await;
        let list = fs::File::options().write(true).open(site.maildir().join("dovecot-uidlist")).unwrap();
        list.set_len(rest).unwrap();
        assert!(matches!(before.refresh().await, Err(StoreError::MailboxGone(_))), "{rest}");
        let after = site.inbox().await;
        assert!(after.snapshot().uid_validity() > before.snapshot().uid_validity(), "{rest}");
        assert_eq!(expunge_all(&after).await, 2);
    }
}

#[tokio::test]
async fn a_mailbox_without_uids_left_gets_a_new_uidvalidity() {
    for (next, uid) in [("4294967295", "7"), ("4294967294", "7"), ("8", "4294967295"), ("8", "4294967293")] {
        let site = site();
        put_file(&site, "cur/1.host:2,S");
        fs::write(site.maildir().join("dovecot-uidlist"), format!("3 V5 N{next}\n{uid} :1.host\n")).unwrap();
        for _ in 0..4 {
            put_file(&site, format!("new/{}", crate::maildir::FileName::unique_base("host", 0, None)));
        }
        let inbox = site.inbox().await;
        assert_eq!(inbox.snapshot().uid_next(), 6, "{next} {uid}");
        assert!(inbox.snapshot().uid_validity().value() > 5);
        assert_eq!(expunge_all(&inbox).await, 5);
    }
}

#[tokio::test]
async fn sizes_written_by_other_programs_are_not_trusted() {
    let site = site();
    for name in ["1.M1P1.host,S=39,W=39:2,S", "2.M1P1.host,S=39,W=5:2,S", "3.M1P1.host,S=9999,W=9999:2,S"] {
        put_file(&site, format!("cur/{name}"));
    }
    let ann = site.ann().await;
    append(&ann, "INBOX", MESSAGE, Flags::SEEN, &[]).await;
    let inbox = site.inbox().await;
    let snapshot = inbox.snapshot();
    let sizes: Vec<_> = snapshot.entries().map(|entry| inbox.size(entry)).collect();
    assert_eq!(sizes, [None, None, None, Some(30)]);
    // A copy has one of our names, and must not carry a wrong size.
    let copied = inbox.copy_to(vec![uid(1), uid(4)], &inbox).await.unwrap();
    let snapshot = inbox.snapshot();
    let sizes: Vec<_> =
        copied.uids.iter().map(|(_, uid)| inbox.size(snapshot.by_uid(*uid).unwrap().1)).collect();
    assert_eq!(sizes, [None, Some(30)]);
    // A file that was changed in place has another size than its name.
    let file = site.files().into_iter().find(|file| file.contains("W=30")).unwrap();
    fs::write(site.maildir().join(file), "Subject: shorter\n\n").unwrap();
    assert!(snapshot.entries().filter(|entry| inbox.size(entry).is_some()).count() < 2);
}

#[tokio::test]
async fn a_compressed_message_is_served_decompressed_and_stays_compressed() {
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x0b.M\xcaJM.\xb1RH\xaf\xe2\xe2*\xc9HU(N\xccMU\xc8\xc9\xccKUHLO\xcc\xcc\xa3\x8b\x18\0:\xd2<y\x85\0\0\0";
    let site = site();
    let path = site.maildir().join("cur/1.M1P1.host,S=133:2,SZ");
    fs::write(&path, gzip).unwrap();
    let inbox = site.inbox().await;
    let message = format!("Subject: gz\n\n{}", "the same line again\n".repeat(6));
    assert_eq!(text(&inbox, uid(1)), message);
    inbox.store_flags(vec![uid(1)], change(FlagOperation::Add, Flags::FLAGGED, &[])).await.unwrap();
    inbox.copy_to(vec![uid(1)], &inbox).await.unwrap();
    assert_eq!(text(&inbox, uid(2)), message);
    let files = site.files();
    assert!(files.iter().all(|file| file.ends_with(":2,FSZ") && file.contains(",S=133")), "{files:?}");
    assert_eq!(fs::read(site.maildir().join(&files[0])).unwrap(), gzip);
}

#[tokio::test]
async fn missing_folders_are_created_on_demand() {
    let site = site();
    let ann = site.ann().await;
    ann.create(&name("Box")).await.unwrap();
    let sent = ann.open(&name("Box")).await.unwrap();
    for folder in ["tmp", "new"] {
        fs::remove_dir(site.maildir().join(".Box").join(folder)).unwrap();
    }
    append(&ann, "Box", MESSAGE, Flags::SEEN, &[]).await;
    fs::remove_dir(site.maildir().join(".Box/tmp")).unwrap();
    sent.copy_to(vec![uid(1)], &sent).await.unwrap();
    fs::remove_dir(site.maildir().join("tmp")).unwrap();
    deliver(&ann, MESSAGE).await;
    assert_eq!(site.inbox().await.snapshot().len(), 1);
    assert_eq!(sent.refresh().await.unwrap().len(), 2);
}

/// mbsync, offlineimap, Courier and getmail, each in its own way.
#[tokio::test]
async fn names_of_other_programs_are_ordered_by_time() {
    let site = site();
    for file in [
        "cur/1583748001.123_1.host,U=17:2,S",
        "new/1583748002_0.456.host,U=9,FMD5=7e33429f656f1e6e9d79b29c3f82c57e",
        "cur/1583748003.M5P1V0000000000000801I0000000000123456_0.host,S=27:2,RS",
        "cur/1583748004.M6P7Q1.host:2,S",
        "cur/1583748005.host:1,experiment",
        "new/1583748006.host:2,S",
        "cur/no-time-at-all",
    ] {
        put_file(&site, file);
    }
    let inbox = site.inbox().await;
    assert_eq!(inbox.snapshot().len(), 7);
    assert_eq!(expunge_all(&inbox).await, 7);
}

#[test]
fn a_read_only_folder_is_served_and_new_messages_appear_once_it_is_writable() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("Maildir");
    let load = || {
        let inbox = MailboxName::inbox();
        MailboxState::load(&folder, &inbox, folder.clone(), &Arc::from("host"), &|_, _| SavedModSeqs::new())
    };
    for part in ["", "cur", "new", "tmp"] {
        fs::create_dir(folder.join(part)).unwrap();
    }
    fs::write(folder.join("cur/1.host:2,"), MESSAGE).unwrap();
    assert_eq!(load().unwrap().snapshot().len(), 1);
    fs::write(folder.join("new/2.host"), MESSAGE).unwrap();
    let permit = |mode: u32| {
        for path in [root.path(), &folder, &folder.join("cur"), &folder.join("new")] {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
    };
    // The list itself can be opened for writing, but its lock cannot be created.
    fs::set_permissions(folder.join("dovecot-uidlist"), Permissions::from_mode(0o666)).unwrap();
    permit(0o555);
    // Root may write everywhere, so this thread accesses the disk as another user.
    let before = setfsuid(nix::unistd::Uid::from_raw(65_534));
    let loaded = load();
    setfsuid(before);
    permit(0o755);
    let mut state = loaded.unwrap();
    assert_eq!(state.snapshot().len(), 1);
    state.refresh().unwrap();
    assert_eq!(state.snapshot().len(), 2);
}
