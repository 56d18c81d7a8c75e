//! A Maildir as Dovecot 2.3.19 wrote it: `doveadm mailbox create`, `subscribe`, `save`, `flags add`, `expunge`.

use std::fs;
use std::path::Path;

use super::*;

/// Each file with its content. `new` and `cur` contain messages that were saved with LF alone.
const FILES: &[(&str, &str)] = &[
    (
        "dovecot-uidlist",
        "3 V1795372563 N5 Gb97390251136036bad1b000083ecc375\n\
        2 :1795372577.M315490P7229.vm,S=17,W=20\n\
        3 :1795372577.M331974P7231.vm,S=17,W=20\n",
    ),
    ("dovecot-keywords", "0 $Fwd\n1 work\n"),
    ("dovecot-uidvalidity", "6b033614"),
    ("dovecot-uidvalidity.6b033614", ""),
    ("subscriptions", "V\t2\n\nSent\nEntw&APw-rfe\nA\tB\nINBOX\n"),
    ("new/1795372577.M315490P7229.vm,S=17,W=20:2,Sab", "Subject: 2\n\nbody\n"),
    ("new/1795372577.M331974P7231.vm,S=17,W=20", "Subject: 3\n\nbody\n"),
    ("dovecot.index.log", "\u{1}\u{2}"),
    (".Entw&APw-rfe/dovecot-uidlist", "3 V1795372561 N1 Gb77390251136036bad1b000083ecc375\n"),
    (".A.B/dovecot-uidlist", "3 V1795372564 N1 Gba7390251136036bad1b000083ecc375\n"),
];

fn written_by_dovecot(maildir: &Path) {
    for folder in ["", ".Entw&APw-rfe", ".A.B"] {
        for sub in ["tmp", "new", "cur"] {
            fs::create_dir_all(maildir.join(folder).join(sub)).unwrap();
        }
    }
    for (path, content) in FILES {
        fs::write(maildir.join(path), content).unwrap();
    }
}

#[tokio::test]
async fn a_maildir_that_dovecot_wrote_is_adopted_as_it_is() {
    let site = Site::new();
    written_by_dovecot(&site.maildir());
    let ann = site.ann().await;
    let listed = ann.list().await.unwrap();
    let names: Vec<&str> = listed.iter().map(|listed| listed.name.as_str()).collect();
    assert_eq!(names, ["INBOX", "A", "A/B", "Entwürfe"], "no default mailboxes are added");
    assert_eq!(
        ann.subscriptions().await.unwrap(),
        [name("A/B"), name("Entwürfe"), MailboxName::inbox(), name("Sent")]
    );
    let inbox = site.inbox().await;
    let snapshot = inbox.snapshot();
    assert_eq!((uids(&snapshot), snapshot.uid_next()), (vec![2, 3], 5));
    assert_eq!(snapshot.uid_validity().value(), 1_795_372_563);
    let entry = snapshot.by_uid(uid(2)).unwrap().1;
    assert_eq!(snapshot.keywords_of(entry).collect::<Vec<_>>(), ["$Fwd", "work"]);
    assert_eq!(inbox.size(entry), None, "another program's size is not trusted before the message is read");
    let message = inbox.read(entry).unwrap();
    assert_eq!((message.stored_size, message.size), (17, None));
}

#[tokio::test]
async fn changes_keep_dovecots_formats() {
    let site = Site::new();
    written_by_dovecot(&site.maildir());
    let ann = site.ann().await;
    assert_eq!(append(&ann, "INBOX", "Subject: 5\r\n\r\n", Flags::SEEN, &["new"]).await, uid(5));
    let inbox = site.inbox().await;
    inbox.claim_recent().await.unwrap();
    inbox.store_flags(vec![uid(3)], change(FlagOperation::Add, Flags::SEEN, &["work"])).await.unwrap();
    let list = fs::read_to_string(site.maildir().join("dovecot-uidlist")).unwrap();
    let added = list.strip_prefix(FILES[0].1).unwrap();
    assert!(added.starts_with("5 :") && added.ends_with(".one,S=14,W=14\n"), "{added:?}");
    assert!(site.files().contains(&"cur/1795372577.M331974P7231.vm,S=17,W=20:2,Sb".to_owned()));
    assert!(site.files().contains(&"cur/1795372577.M315490P7229.vm,S=17,W=20:2,Sab".to_owned()));
    assert_eq!(
        fs::read_to_string(site.maildir().join("dovecot-keywords")).unwrap(),
        "0 $Fwd\n1 work\n2 new\n"
    );
    ann.create(&name("New")).await.unwrap();
    let validity = ann.open(&name("New")).await.unwrap().snapshot().uid_validity().value();
    assert!(validity > 0x6b03_3614);
    assert!(site.maildir().join(format!("dovecot-uidvalidity.{validity:08x}")).exists());
}
