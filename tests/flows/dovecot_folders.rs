//! Folders between Dovecot and Mailstead, in both directions, with names that need an escape on disk.
//!
//! The program is Debian's `doveadm`, of dovecot-imapd. It refuses to read mail as root, so it works on copies.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tests::imap::Imap;
use tests::site::Site;

/// Names, and how an IMAP client sends them.
const NAMES: [(&str, &str); 13] = [
    ("Dr. Who", "\"Dr. Who\""),
    ("2024/25", "2024/25"),
    ("~x", "~x"),
    ("2024/~b", "2024/~b"),
    ("2024/.b", "2024/.b"),
    ("a^b", "a^b"),
    ("^", "^"),
    ("^2e", "^2e"),
    ("Büro & Co.", "\"B&APw-ro &- Co.\""),
    ("..x", "..x"),
    ("INBOX/Kid", "inbox/Kid"),
    ("R&D", "R&-D"),
    ("ü.ü/ü", "&APw-.&APw-/&APw-"),
];
/// The parents of these names, which are mailboxes too once Mailstead has created them.
const ABOVE: [(&str, &str); 2] = [("2024", "2024"), ("ü.ü", "&APw-.&APw-")];

/// The number of an unprivileged user.
const OTHER: &str = "65534";

/// Dovecot with a Maildir of its own.
struct Dovecot {
    folder: TempDir,
    is_root: bool,
}

impl Dovecot {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let dovecot = Self { folder, is_root: run("id", &["-u"]).trim() == "0" };
        let (user, group) = match dovecot.is_root {
            true => (OTHER.to_owned(), OTHER.to_owned()),
            false => (run("id", &["-un"]), run("id", &["-gn"])),
        };
        fs::create_dir(dovecot.folder.path().join("home")).unwrap();
        dovecot.own();
        let plain = format!(
            "mail_location = maildir:~/Maildir\nmail_home = {}/home\nmail_uid = {user}\nmail_gid = {group}\n\
             log_path = /dev/stderr\nssl = no\nnamespace inbox {{\n  inbox = yes\n  separator = /\n}}\n",
            dovecot.folder.path().display()
        );
        // The settings of the manual.
        let escaping = "mail_plugins = $mail_plugins listescape\nplugin {\n  listescape_char = \"^\"\n}\n";
        fs::write(dovecot.folder.path().join("plain.conf"), &plain).unwrap();
        fs::write(dovecot.folder.path().join("escaping.conf"), plain + escaping).unwrap();
        dovecot
    }

    fn maildir(&self) -> PathBuf {
        self.folder.path().join("home/Maildir")
    }

    fn own(&self) {
        if self.is_root {
            run(
                "chown",
                &["-R", &format!("{OTHER}:{OTHER}"), &self.folder.path().join("home").to_string_lossy()],
            );
        }
    }

    fn doveadm_with(&self, configuration: &str, arguments: &[&str]) -> String {
        let home = format!("HOME={}/home", self.folder.path().display());
        let configuration = self.folder.path().join(configuration);
        run("env", &[&[&*home, "doveadm", "-c", &configuration.to_string_lossy()], arguments].concat())
    }

    fn doveadm(&self, arguments: &[&str]) -> String {
        self.doveadm_with("escaping.conf", arguments)
    }

    /// The lines of a response, sorted, without those of the default mailboxes.
    fn names(&self, configuration: &str, arguments: &[&str]) -> Vec<String> {
        sorted(self.doveadm_with(configuration, arguments).lines().map(str::to_owned))
    }
}

/// The output of a program. A missing program is a failure, not a reason to skip the test.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).env("USER", "reader").args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; .ci/run installs it"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn copy(from: &Path, to: &Path) {
    run("cp", &["-a", "--no-preserve=ownership", &from.to_string_lossy(), &to.to_string_lossy()]);
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let usual = ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"];
    let mut names: Vec<String> = names.filter(|name| !usual.contains(&&**name)).collect();
    names.sort();
    names
}

fn names_of<'a>(names: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> Vec<String> {
    sorted(names.into_iter().map(|(name, _)| (*name).to_owned()))
}

/// The names in LIST or LSUB, decoded.
fn listed(session: &mut Imap, command: &str) -> Vec<String> {
    let answer = session.command(command).unwrap().ok();
    sorted(answer.untagged.iter().map(|line| {
        let name = line.split_once("\"/\" ").unwrap().1.trim_matches('"');
        imap_proto::MailboxName::decode(name.as_bytes()).unwrap().to_string()
    }))
}

fn maildir(site: &Site) -> PathBuf {
    site.mail().join("example.org/bob/Maildir")
}

#[test]
fn dovecot_reads_folders_created_by_mailstead() {
    let site = Site::start();
    let mut bob = site.services.imap_client(1);
    for (name, sent) in NAMES {
        bob.command(&format!("CREATE {sent}")).unwrap().ok();
        bob.append(sent, &format!("Subject: {}\n\nx\n", name.len())).unwrap().ok();
        bob.command(&format!("SUBSCRIBE {sent}")).unwrap().ok();
    }
    let dovecot = Dovecot::new();
    copy(&maildir(&site), &dovecot.maildir());
    dovecot.own();
    assert_eq!(dovecot.names("escaping.conf", &["mailbox", "list"]), names_of(NAMES.iter().chain(&ABOVE)));
    assert_eq!(dovecot.names("escaping.conf", &["mailbox", "list", "-s"]), names_of(&NAMES));
    for (name, _) in NAMES {
        let found = dovecot.doveadm(&["-f", "flow", "fetch", "hdr.subject", "mailbox", name, "all"]);
        assert_eq!(found, format!("hdr.subject={}", name.len()), "{name}");
    }
    // Without the escape character they are all listed, by their names on disk.
    let plain = dovecot.names("plain.conf", &["mailbox", "list"]);
    assert_eq!(plain.len(), NAMES.len() + ABOVE.len());
    assert!(plain.contains(&"Dr^2e Who".to_owned()) && plain.contains(&"2024/25".to_owned()), "{plain:?}");
    assert!(
        dovecot.doveadm_with("plain.conf", &["mailbox", "status", "messages", "Dr^2e Who"]).ends_with("=1")
    );
}

#[test]
fn mailstead_reads_folders_created_by_dovecot() {
    let site = Site::start();
    let mut bob = site.services.imap_client(1);
    let dovecot = Dovecot::new();
    for (name, _) in NAMES {
        dovecot.doveadm(&["mailbox", "create", "-s", name]);
        fs::write(dovecot.folder.path().join("message"), format!("Subject: {name}\n\nx\n")).unwrap();
        dovecot.doveadm(&["save", "-m", name, &dovecot.folder.path().join("message").to_string_lossy()]);
    }
    for entry in fs::read_dir(dovecot.maildir()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with('.') || name == "subscriptions" {
            copy(&entry.path(), &maildir(&site));
        }
    }
    // Dovecot creates no parent mailboxes; they are only names.
    assert_eq!(listed(&mut bob, "LIST \"\" *"), names_of(NAMES.iter().chain(&ABOVE)));
    assert_eq!(listed(&mut bob, "LSUB \"\" *"), names_of(&NAMES));
    for (name, sent) in NAMES {
        bob.command(&format!("SELECT {sent}")).unwrap().ok().containing("1 EXISTS");
        bob.command("FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]").unwrap().ok().containing(name);
        bob.command(&format!("UNSUBSCRIBE {sent}")).unwrap().ok();
    }
    assert_eq!(listed(&mut bob, "LSUB \"\" *"), Vec::<String>::new());
    bob.command("RENAME \"Dr. Who\" \"Prof. Who\"").unwrap().ok();
    assert!(maildir(&site).join(".Prof^2e Who").is_dir());
}
