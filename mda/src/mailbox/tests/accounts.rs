use super::*;

fn names(listed: &[ListedMailbox]) -> Vec<&str> {
    listed.iter().map(|listed| listed.name.as_str()).collect()
}

#[tokio::test]
async fn a_new_user_gets_and_subscribes_to_the_default_mailboxes() {
    let site = Site::new();
    let ann = site.ann().await;
    let listed = ann.list().await.unwrap();
    assert_eq!(names(&listed), ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"]);
    assert_eq!(listed[0].special_use, None);
    assert_eq!(listed[4].special_use, Some(SpecialUse::Sent));
    assert_eq!(ann.subscriptions().await.unwrap().len(), 6);
}

#[tokio::test]
async fn the_inbox_is_always_subscribed() {
    let site = Site::new();
    let ann = site.ann().await;
    let inbox = MailboxName::inbox();
    assert!(ann.subscriptions().await.unwrap().contains(&inbox));
    ann.subscribe(&inbox).await.unwrap();
    ann.unsubscribe(&inbox).await.unwrap();
    let subscribed = ann.subscriptions().await.unwrap();
    assert_eq!(subscribed.iter().filter(|name| **name == inbox).count(), 1);
}

#[tokio::test]
async fn a_deleted_default_mailbox_is_not_created_again() {
    let site = Site::new();
    site.ann().await.delete(&name("Archive")).await.unwrap();
    let again = super::ann(&site.another()).await;
    assert!(!names(&again.list().await.unwrap()).contains(&"Archive"));
}

#[tokio::test]
async fn creating_a_mailbox_creates_its_parents() {
    let site = Site::new();
    let ann = site.ann().await;
    ann.create(&name("Clients/Küche/2026. II")).await.unwrap();
    for above in ["Clients/Küche", "Clients"] {
        let listed = ann.list().await.unwrap();
        let above = listed.iter().find(|listed| listed.name == name(above)).unwrap();
        assert!(above.is_selectable && above.has_children, "{above:?}");
    }
    assert!(matches!(ann.create(&name("Clients")).await, Err(StoreError::AlreadyExists(_))));
    assert!(matches!(ann.create(&name("inbox")).await, Err(StoreError::AlreadyExists(_))));
    for mailbox in ["Clients/Küche/2026. II", "Clients/Küche", "Clients"] {
        ann.delete(&name(mailbox)).await.unwrap();
    }
    assert!(!names(&ann.list().await.unwrap()).iter().any(|name| name.starts_with("Clients")));
}

#[tokio::test]
async fn a_parent_that_is_no_mailbox_is_listed_but_cannot_be_selected_or_deleted() {
    let site = Site::new();
    let ann = site.ann().await;
    ann.create(&name("A/B")).await.unwrap();
    ann.delete(&name("A")).await.unwrap();
    let listed = ann.list().await.unwrap();
    let level = listed.iter().find(|listed| listed.name == name("A")).unwrap();
    assert!(!level.is_selectable && level.has_children);
    assert!(matches!(ann.open(&name("A")).await, Err(StoreError::NoSuchMailbox(_))));
    let refused = ann.delete(&name("A")).await;
    assert!(matches!(refused, Err(StoreError::NotAllowed(NotAllowed::HasChildren))), "{refused:?}");
    ann.create(&name("A")).await.unwrap();
}

#[tokio::test]
async fn a_mailbox_is_found_in_a_folder_that_another_program_named() {
    let site = Site::new();
    let ann = site.ann().await;
    for folder in [".Büro", ".R&D", ".R&D.Lab", ".NoCur"] {
        std::fs::create_dir_all(site.maildir().join(folder).join("new")).unwrap();
        std::fs::write(site.maildir().join(folder).join("new/1583748001.M1P1.host"), "Subject: 1\n\nx\n")
            .unwrap();
    }
    for mailbox in ["Büro", "R&D", "NoCur"] {
        assert!(names(&ann.list().await.unwrap()).contains(&mailbox));
        assert_eq!(ann.open(&name(mailbox)).await.unwrap().snapshot().len(), 1, "{mailbox}");
        append(&ann, mailbox, "two\r\n", Flags::SEEN, &[]).await;
        assert_eq!(ann.status(&name(mailbox)).await.unwrap().messages, 2, "{mailbox}");
        assert!(matches!(ann.create(&name(mailbox)).await, Err(StoreError::AlreadyExists(_))));
    }
    assert!(!site.maildir().join(".B&APw-ro").exists(), "the folder was renamed");
    ann.rename(&name("R&D"), &name("Research. R&D")).await.unwrap();
    assert_eq!(ann.open(&name("Research. R&D/Lab")).await.unwrap().snapshot().len(), 1);
    assert!(site.maildir().join(".Research^2e R&-D.Lab").is_dir());
    ann.delete(&name("Büro")).await.unwrap();
    assert!(!site.maildir().join(".Büro").exists());
}

#[tokio::test]
async fn a_name_taken_by_another_file_is_refused_and_blocks_nothing() {
    let site = Site::new();
    let ann = site.ann().await;
    nix::unistd::mkfifo(&site.maildir().join(".Taken"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    ann.create(&name("A/B")).await.unwrap();
    for refused in [ann.create(&name("Taken")).await, ann.rename(&name("A"), &name("Taken")).await] {
        assert!(matches!(refused, Err(StoreError::NotAllowed(NotAllowed::NameTaken))), "{refused:?}");
    }
    assert!(matches!(ann.open(&name("Taken")).await, Err(StoreError::NoSuchMailbox(_))));
    ann.create(&name("Taken/Below")).await.unwrap();
    assert!(ann.open(&name("A/B")).await.is_ok());
}

#[tokio::test]
async fn renaming_moves_the_children_and_replaces_nothing() {
    let site = Site::new();
    let ann = site.ann().await;
    for mailbox in ["A", "A/B", "A/B/C", "AB", "A.B", "X/B"] {
        ann.create(&name(mailbox)).await.unwrap();
    }
    append(&ann, "A/B", "one\r\n", Flags::SEEN, &[]).await;
    assert!(matches!(ann.rename(&name("A"), &name("X")).await, Err(StoreError::AlreadyExists(_))));
    assert!(matches!(ann.rename(&name("A"), &name("A/D")).await, Err(StoreError::NotAllowed(_))));
    assert!(matches!(ann.rename(&name("A"), &name("A")).await, Err(StoreError::AlreadyExists(_))));
    assert!(matches!(ann.rename(&name("Q"), &name("R")).await, Err(StoreError::NoSuchMailbox(_))));
    ann.rename(&name("A"), &name("Z/Y")).await.unwrap();
    let listed = ann.list().await.unwrap();
    let left = names(&listed);
    assert!(
        ["AB", "A.B", "X/B", "Z", "Z/Y", "Z/Y/B", "Z/Y/B/C"].iter().all(|name| left.contains(name)),
        "{left:?}"
    );
    assert!(!left.iter().any(|name| *name == "A" || name.starts_with("A/")), "{left:?}");
    assert_eq!(ann.open(&name("Z/Y/B")).await.unwrap().snapshot().len(), 1);
}

#[tokio::test]
async fn a_mailbox_can_take_the_name_of_its_parent() {
    let site = Site::new();
    let ann = site.ann().await;
    for mailbox in ["A/B", "A/B/B"] {
        ann.create(&name(mailbox)).await.unwrap();
        append(&ann, mailbox, mailbox, Flags::NONE, &[]).await;
    }
    ann.delete(&name("A")).await.unwrap();
    ann.rename(&name("A/B"), &name("A")).await.unwrap();
    assert_eq!(names(&ann.list().await.unwrap())[1..3], ["A", "A/B"]);
    for (mailbox, content) in [("A", "A/B"), ("A/B", "A/B/B")] {
        assert_eq!(text(&ann.open(&name(mailbox)).await.unwrap(), uid(1)), content);
    }
}

/// A half-done rename is never visible.
#[tokio::test]
async fn a_rename_interrupted_by_a_crash_is_finished_by_the_next_listing() {
    for is_new_process in [false, true] {
        let site = Site::new();
        let ann = site.ann().await;
        ann.create(&name("A/B")).await.unwrap();
        append(&ann, "A/B", "one", Flags::NONE, &[]).await;
        std::fs::write(site.maildir().join("mailstead-renaming"), ".A\0.X\0.A.B\0.X.B\0").unwrap();
        std::fs::rename(site.maildir().join(".A"), site.maildir().join(".X")).unwrap();
        let ann = if is_new_process { super::ann(&site.another()).await } else { ann };
        if !is_new_process {
            let listed = ann.list().await.unwrap();
            assert!(["X", "X/B"].iter().all(|name| names(&listed).contains(name)), "{listed:?}");
        }
        assert_eq!(text(&ann.open(&name("X/B")).await.unwrap(), uid(1)), "one");
        assert!(!site.maildir().join("mailstead-renaming").exists());
    }
}

#[tokio::test]
async fn renaming_the_inbox_moves_its_messages_and_leaves_it_empty() {
    let site = Site::new();
    let ann = site.ann().await;
    deliver(&ann, "one\r\n").await;
    append(&ann, "INBOX", "two\r\n", Flags::FLAGGED, &["work"]).await;
    ann.rename(&MailboxName::inbox(), &name("Old")).await.unwrap();
    assert!(site.inbox().await.snapshot().is_empty());
    let old = ann.open(&name("Old")).await.unwrap().snapshot();
    assert_eq!(old.len(), 2);
    let flagged = old.by_number(2).unwrap();
    assert_eq!(old.keywords_of(flagged).collect::<Vec<_>>(), ["work"]);
}

#[tokio::test]
async fn deleting_a_mailbox_ends_open_handles_and_a_new_one_has_a_new_uidvalidity() {
    let site = Site::new();
    let ann = site.ann().await;
    ann.create(&name("A")).await.unwrap();
    let old = ann.open(&name("A")).await.unwrap();
    let mut watch = old.watch();
    ann.delete(&name("A")).await.unwrap();
    watch.changed().await.unwrap();
    assert!(old.is_gone());
    assert!(matches!(old.refresh().await, Err(StoreError::MailboxGone(_))));
    ann.create(&name("A")).await.unwrap();
    let new = ann.open(&name("A")).await.unwrap();
    assert!(new.snapshot().uid_validity() > old.snapshot().uid_validity());
    assert!(matches!(ann.delete(&MailboxName::inbox()).await, Err(StoreError::NotAllowed(_))));
    assert!(matches!(ann.delete(&name("B")).await, Err(StoreError::NoSuchMailbox(_))));
}

#[tokio::test]
async fn a_mailbox_removed_by_another_process_is_gone() {
    let site = Site::new();
    let ann = site.ann().await;
    ann.create(&name("A")).await.unwrap();
    let mailbox = ann.open(&name("A")).await.unwrap();
    super::ann(&site.another()).await.delete(&name("A")).await.unwrap();
    assert!(matches!(mailbox.refresh().await, Err(StoreError::MailboxGone(_))));
    assert!(matches!(ann.open(&name("A")).await, Err(StoreError::NoSuchMailbox(_))));
    assert!(matches!(ann.incoming(&name("A")).await, Err(StoreError::NoSuchMailbox(_))));
}

#[tokio::test]
async fn a_subscription_needs_no_mailbox() {
    let site = Site::new();
    let ann = site.ann().await;
    ann.subscribe(&name("Gone/Büro")).await.unwrap();
    ann.subscribe(&name("Gone/Büro")).await.unwrap();
    assert!(ann.subscriptions().await.unwrap().contains(&name("Gone/Büro")));
    ann.unsubscribe(&name("Gone/Büro")).await.unwrap();
    ann.unsubscribe(&name("Gone/Büro")).await.unwrap();
    assert!(!ann.subscriptions().await.unwrap().contains(&name("Gone/Büro")));
    assert_eq!(ann.subscriptions().await.unwrap().len(), 6);
}

#[tokio::test]
async fn no_user_name_leaves_the_mail_folder() {
    let site = Site::new();
    for user in
        ["\"../eve\"@example.org", "\"..\"@example.org", "\"a/b\"@example.org", "\".hidden\"@example.org"]
    {
        let user = Address::parse(user).unwrap();
        assert!(matches!(site.store.account(&user).await, Err(StoreError::NotAllowed(_))), "{user}");
    }
}
