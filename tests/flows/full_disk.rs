//! Mail is deferred while the disk is full, and accepted again once there is space.
//!
//! Needs a small file system, so the test runs itself again in a mount namespace of its own and mounts one there:
//! as root, or in a user namespace. If the system allows neither, the test fails with a message; it is never skipped
//! silently.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::site::Site;
use tests::smtp::message;

/// Set in the second run, to the folder on which the small file system is mounted.
const INSIDE: &str = "MAILSTEAD_TEST_SMALL_DISK";

/// Octets of the small file system.
const SIZE: usize = 16 << 20;

const STRANGER: &str = "stranger@example.com";

#[test]
fn a_full_disk_defers_mail_and_loses_nothing() {
    let Some(disk) = std::env::var_os(INSIDE).map(PathBuf::from) else {
        return run_inside("a_full_disk_defers_mail_and_loses_nothing");
    };
    mount(&disk);
    let site = Site::start_with(|plan| {
        plan.mta.queue = disk.join("queue");
        plan.mda.mail = disk.join("mail");
        plan.mda.index = disk.join("index");
    });
    let mut stranger = site.services.smtp_client();
    let mut send = |subject: &str, body: usize| {
        let line = format!("{}\n", "x".repeat(76));
        let letter = message(STRANGER, "bob@example.org", subject) + &line.repeat(body / line.len());
        stranger.mail(STRANGER, &["bob@example.org"], &letter).unwrap()
    };
    send("while-empty", 100).expect(250);
    assert_eq!(site.services.inbox(1).len(), 1);
    let waiting = disk.join("waiting");
    fs::write(&waiting, message(STRANGER, "bob@example.org", "without-a-uid")).expect("there is room");
    fill(&disk);
    // A message that came by another way needs a UID, which cannot be written now. The others can be read and deleted.
    fs::rename(&waiting, disk.join("mail/example.org/bob/Maildir/new/1.without-a-uid"))
        .expect("the mailbox is there");
    send("small-into-full", 100).expect_status(452, "4.3.1");
    send("large-into-full", 4 << 20).expect_status(452, "4.3.1");

    // The same when a user writes: a submission, and APPEND.
    let mut submitter = site.services.submission_client(0);
    let letter = message("ann@example.org", "friend@example.net", "queue-into-full");
    submitter.mail("ann@example.org", &["friend@example.net"], &letter).unwrap().expect_status(452, "4.3.1");
    let mut reader = site.services.imap_client(1);
    let answer = reader.append("INBOX", &message(STRANGER, "bob@example.org", "append-into-full")).unwrap();
    assert!(
        answer.tagged.starts_with("NO [OVERQUOTA]") || answer.tagged.starts_with("NO [UNAVAILABLE]"),
        "{answer:?}"
    );
    // Stored mail can be read all the while.
    assert_eq!(site.services.inbox(1).len(), 1);

    fs::remove_file(disk.join("filler")).expect("the filler is there");
    send("after-full", 4 << 20).expect(250);
    reader.append("INBOX", &message(STRANGER, "bob@example.org", "append-after-full")).unwrap().ok();
    let inbox = site.services.inbox(1);
    let found = |subject: &str| inbox.iter().filter(|message| message.contains(subject)).count();
    assert_eq!((inbox.len(), found("while-empty"), found("after-full")), (4, 1, 2), "{:?}", inbox.len());
    assert_eq!(found("without-a-uid"), 1);
    assert_eq!(leftovers(&disk.join("mail")), Vec::<PathBuf>::new(), "half-written files stayed behind");
}

/// Runs the named test again, alone in this binary, where a file system may be mounted.
fn run_inside(test: &str) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut command = Command::new("unshare");
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let status = command
        .arg("--mount")
        .arg(std::env::current_exe().expect("the system knows what runs"))
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, folder.path())
        .status()
        .expect("unshare (of util-linux) is installed");
    assert!(status.success(), "failed inside, or no file system may be mounted here: {status}");
}

fn mount(folder: &Path) {
    let status = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &format!("size={SIZE}"), "tmpfs"])
        .arg(folder)
        .status()
        .expect("mount is installed");
    assert!(status.success(), "no file system may be mounted here, so a full disk cannot be shown");
}

/// Uses up the remaining space.
fn fill(disk: &Path) {
    let filler = vec![0; SIZE];
    fs::write(disk.join("filler"), filler).expect_err("the file system is smaller than this");
}

/// Files in `tmp` folders of Maildirs.
fn leftovers(mail: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(mail).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(leftovers(&path));
        } else if mail.ends_with("tmp") {
            found.push(path);
        }
    }
    found
}
