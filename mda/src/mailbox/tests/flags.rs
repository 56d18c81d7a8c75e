use super::*;

#[tokio::test]
async fn flags_are_added_removed_and_replaced_in_the_files_names() {
    let site = Site::new();
    let ann = site.ann().await;
    deliver(&ann, "one\r\n").await;
    let inbox = site.inbox().await;
    let first = inbox.snapshot();
    for (operation, flags, keywords, letters) in [
        (FlagOperation::Add, Flags::SEEN, &["$Forwarded", "work"][..], "Sab"),
        (FlagOperation::Add, Flags::FLAGGED, &["WORK"][..], "FSab"),
        (FlagOperation::Remove, Flags::SEEN, &["$forwarded", "unknown"][..], "Fb"),
        (FlagOperation::Replace, Flags::ANSWERED, &[][..], "R"),
        (FlagOperation::Replace, Flags::NONE, &[][..], ""),
    ] {
        inbox.store_flags(vec![uid(1)], change(operation, flags, keywords)).await.unwrap();
        let file = site.files().pop().unwrap();
        assert!(file.starts_with("cur/") && file.ends_with(&format!(":2,{letters}")), "{file}");
    }
    assert_eq!(first.difference(&inbox.snapshot()).changed, Vec::<u32>::new());
    assert!(first.difference(&inbox.snapshot()).keywords_changed);
    let keywords = std::fs::read_to_string(site.maildir().join("dovecot-keywords")).unwrap();
    assert_eq!(keywords, "0 $Forwarded\n1 work\n");
}

#[tokio::test]
async fn changing_many_messages_makes_one_snapshot() {
    let site = Site::new();
    let ann = site.ann().await;
    for n in 0..20 {
        deliver(&ann, &format!("{n}\r\n")).await;
    }
    let inbox = site.inbox().await;
    let before = inbox.snapshot();
    let all = (1..=30).map(uid).collect();
    let after = inbox.store_flags(all, change(FlagOperation::Add, Flags::SEEN, &[])).await.unwrap();
    assert_eq!(before.difference(&after).changed, (1..=20).collect::<Vec<_>>());
    assert_eq!((after.unseen(), before.unseen(), after.first_unseen()), (0, 20, None));
}

#[tokio::test]
async fn a_file_that_another_program_renamed_is_found_by_its_base() {
    let site = Site::new();
    let ann = site.ann().await;
    for n in 0..3 {
        append(&ann, "INBOX", &format!("{n}\r\n"), Flags::SEEN, &[]).await;
    }
    let inbox = site.inbox().await;
    let snapshot = inbox.snapshot();
    for file in site.files().iter().filter(|file| file.starts_with("cur/")) {
        let path = site.maildir().join(file);
        std::fs::rename(&path, format!("{}F", path.display())).unwrap();
    }
    assert_eq!(
        std::io::read_to_string(inbox.read(snapshot.by_number(1).unwrap()).unwrap().file).unwrap(),
        "0\r\n"
    );
    let after =
        inbox.store_flags(vec![uid(2)], change(FlagOperation::Add, Flags::DELETED, &[])).await.unwrap();
    assert_eq!(after.by_uid(uid(2)).unwrap().1.flags, Flags::SEEN | Flags::FLAGGED | Flags::DELETED);
    assert_eq!(uids(&inbox.expunge(None).await.unwrap()), [1, 3]);
}
