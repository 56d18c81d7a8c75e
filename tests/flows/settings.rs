//! Settings in files: their effect on mail, and the effect of a change.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use tempfile::TempDir;
use tests::demo::Demo;
use tests::mail_exchange::Exchange;
use tests::smtp::{Smtp, message};
use tests::wait;

/// The files that the settings name.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new(aliases: &str, relay: &Exchange) -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        files.aliases(aliases);
        files.relay(&format!("smtp://{}", relay.address()));
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn aliases(&self, text: &str) {
        fs::write(self.path("aliases"), text).unwrap();
    }

    fn relay(&self, url: &str) {
        fs::write(self.path("relay"), format!("{url}\n")).unwrap();
    }

    fn start(&self) -> Demo {
        let path = |name: &str| self.path(name).to_str().unwrap().to_owned();
        Demo::start_set(
            &[],
            &[
                ("MAIL_ALIASES_FILE", &path("aliases")),
                ("MAIL_RELAY_URL_FILE", &path("relay")),
                ("MAIL_LOG_FORMAT", "json"),
            ],
        )
    }
}

/// The reply to another host's RCPT for this recipient. An MTA that is being replaced may reply 421, which is a reply
/// too: retry in a moment.
fn answer(demo: &Demo, recipient: &str) -> u16 {
    let mut stranger = Smtp::connect(demo.services.address("smtp")).unwrap();
    let recipient = format!("RCPT TO:<{recipient}@{}>", demo.domain);
    let mut last = 0;
    for command in ["EHLO client.example.com", "MAIL FROM:<stranger@example.com>", &recipient] {
        last = stranger.command(command).unwrap().code;
        if last != 250 {
            break;
        }
    }
    last
}

/// Everything that process 1 and its daemons have logged.
fn log(demo: &Demo) -> String {
    fs::read_to_string(demo.volume().join("demo.log")).unwrap()
}

const ALIASES: &str = "# who gets what\ninfo: ann bob\nout: far@away.example\n\n@demo.test: bob\n";

#[test]
fn aliases_and_catch_alls_reach_local_and_remote_recipients() {
    let elsewhere = Exchange::start("mx.example.net");
    let demo = Files::new(ALIASES, &elsewhere).start();
    let (ann, bob) = (0, 1);
    for (recipient, subject) in
        [("info", "to-both"), ("ann+tag", "to-ann"), ("other", "to-the-rest"), ("out", "to-elsewhere")]
    {
        let mut stranger = demo.services.smtp_client();
        let recipient = format!("{recipient}@demo.test");
        let letter = message("stranger@example.com", &recipient, subject);
        stranger.mail("stranger@example.com", &[&recipient], &letter).unwrap().expect(250);
    }
    demo.services.await_message(ann, "to-both");
    demo.services.await_message(bob, "to-both");
    demo.services.await_message(ann, "to-ann");
    demo.services.await_message(bob, "to-the-rest");
    assert_eq!(elsewhere.await_message("to-elsewhere").to, ["far@away.example"]);
    assert_eq!((demo.services.inbox(ann).len(), demo.services.inbox(bob).len()), (2, 2));

    // Users may send from every address that reaches them.
    for (user, sender, code) in
        [(ann, "info", 250), (bob, "info", 250), (bob, "other", 250), (ann, "other", 553), (bob, "ann", 553)]
    {
        let mut submitter = demo.services.submission_client(user);
        let reply = submitter.command(&format!("MAIL FROM:<{sender}@demo.test>")).unwrap();
        assert_eq!(reply.code, code, "user {user} as {sender}: {reply:?}");
    }
}

#[test]
fn a_changed_file_takes_effect_after_sighup_and_a_bad_one_does_not() {
    let (first, second) = (Exchange::start("one.example.net"), Exchange::start("two.example.net"));
    let files = Files::new("info: ann\n", &first);
    let mut demo = files.start();
    assert_eq!((answer(&demo, "info"), answer(&demo, "new")), (250, 550));
    let mut reader = demo.services.imap_client(0);

    files.aliases("new: ann\n");
    files.relay(&format!("smtp://{}", second.address()));
    demo.process().signal(Signal::SIGHUP);
    wait::until_true("the new alias replaces the old one", || {
        (answer(&demo, "info"), answer(&demo, "new")) == (550, 250)
    });
    let letter = message(demo.services.user(0), "far@away.example", "by-the-second");
    demo.services
        .submission_client(0)
        .mail(demo.services.user(0), &["far@away.example"], &letter)
        .unwrap()
        .expect(250);
    second.await_message("by-the-second");
    assert!(first.accepted().is_empty());

    files.aliases("other: ann\nsales\nann: bob\n");
    files.relay("submission://us:swordfish");
    demo.process().signal(Signal::SIGHUP);
    wait::until_true("the refusal is logged", || log(&demo).contains("the old settings stay in force"));
    let log = log(&demo);
    for part in ["sales", "is a user, whose mail goes to the mailbox", "MAIL_RELAY_URL_FILE"] {
        assert!(log.contains(part), "{part:?} is missing in\n{log}");
    }
    assert!(!log.contains("swordfish"), "a secret was shown in\n{log}");
    assert_eq!((answer(&demo, "other"), answer(&demo, "new")), (550, 250));
    reader.command("NOOP").unwrap().ok();
    assert_every_line_is_json(
        &log,
        &["supervisor::init", "serve::daemon", "mta::"],
        &files.folder.path().join("relay"),
    );
}

/// Checks that process 1 and all processes that it has started write one JSON object per line.
fn assert_every_line_is_json(log: &str, targets: &[&str], named: &Path) {
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}")))
        .collect();
    for target in targets {
        let is_of =
            |line: &serde_json::Value| line["target"].as_str().is_some_and(|name| name.starts_with(target));
        assert!(lines.iter().any(is_of), "nothing of {target} in\n{log}");
    }
    let mut messages = lines.iter().filter_map(|line| line["message"].as_str());
    let refusal = messages.rfind(|message| message.contains("stay in force")).unwrap();
    assert!(refusal.contains(named.to_str().unwrap()), "{refusal}");
}
