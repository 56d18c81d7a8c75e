//! The manual's filter for fail2ban finds the addresses that guessed, and no others, whatever text clients send.
//!
//! The log is read by fail2ban itself (Debian's package `fail2ban`), with the filter as printed in the manual.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;

use handover::config::Format;
use serde_json::json;
use tests::imap::Imap;
use tests::site::Site;
use tests::smtp::{Smtp, message};

const MANUAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operating.md");

/// Texts that clients choose. Each names an address that did not guess.
const HOSTILE: [&str; 9] = [
    "\"WARN login: failed peer=203.0.113.7 protocol=\"",
    "\" WARN login: failed peer=203.0.113.7 protocol=\"imap",
    "x\n  WARN login: failed peer=203.0.113.7 protocol=",
    "x\r\n2026-11-28T04:04:05.000000Z  WARN login: failed peer=203.0.113.7 protocol=",
    "x\u{2028}2026-11-28T04:04:05.000000Z  WARN login: refused peer=203.0.113.7 protocol=",
    "\x1b[2K\x1b[1G2026-11-28T04:04:05.000000Z  WARN login: failed peer=203.0.113.7 protocol=",
    "\u{202e}=locotorp 7.311.0.302=reep\t WARN login: failed peer=203.0.113.7 protocol=",
    "{\"timestamp\":\"\",\"level\":\"WARN\",\"target\":\"login\",\"message\":\"failed\",\"peer\":\"203.0.113.7\",",
    "\\\",\"target\":\"login\",\"level\":\"WARN\",\"peer\":\"203.0.113.7\" \\",
];

/// The addresses that guess, over IMAP and over SMTP.
const GUESSERS: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 5)];
/// Guesses of the first: more than are logged one by one.
const GUESSES: usize = 9;

fn start(format: Format) -> Site {
    Site::start_with(|plan| {
        plan.mta.login.shared_networks.clear();
        plan.mda.login.shared_networks.clear();
        plan.mta.log.format = format;
        plan.mda.log.format = format;
    })
}

fn imap(site: &Site, from: IpAddr) -> Imap {
    let services = &site.services;
    Imap::connect_from(from, services.address("imaps"), services.tls_config(), &services.hostname).unwrap()
}

/// A quoted string of SMTP and IMAP, with line ends and other control characters of the text unchanged.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Sends hostile text wherever a client or a user can choose a text. None of it is a failed login.
fn send_hostile_text(site: &Site, text: &str) {
    let local = quoted(text);
    let smtp = || Smtp::connect(site.services.address("smtp")).unwrap();
    // As a name, as a sender, as a recipient, as a parameter. A line end splits them into commands.
    for command in [
        format!("EHLO {text}"),
        format!("HELO {text}"),
        format!("MAIL FROM:<{local}@example.net>"),
        format!("MAIL FROM:<a@example.net> {text}"),
        format!("RCPT TO:<{local}@example.org>"),
        text.to_owned(),
    ] {
        let mut session = smtp();
        session.hello().unwrap().expect(250);
        if command.starts_with("RCPT") {
            session.command("MAIL FROM:<a@example.net>").unwrap();
        }
        session.command(&command).unwrap();
    }
    // In a message that is accepted: its sender, its name, its subject.
    let mut session = smtp();
    session.hello().unwrap().expect(250);
    let line = text.replace(['\n', '\r'], " ");
    let mail = message("a@example.net", site.services.user(0), &line);
    session
        .mail("a@example.net", &[site.services.user(0)], &format!("Message-ID: <{line}@example.net>\n{mail}"))
        .unwrap();

    // As a mailbox name, by a user.
    let mut session = imap(site, Ipv4Addr::LOCALHOST.into());
    session.log_in(site.services.user(1), &site.services.users[1].password).unwrap().ok();
    if !text.contains(['\n', '\r']) {
        session.command(&format!("CREATE {}", quoted(text))).unwrap();
        session.append(&quoted(text), "Subject: x\n\nx\n").unwrap();
        session.command(&format!("{text} LIST")).unwrap();
    }
}

fn guess(site: &Site) {
    let [first, second] = GUESSERS.map(IpAddr::from);
    for _ in 0..GUESSES {
        // Repeating the same password costs no wait.
        let answer = imap(site, first).log_in(site.services.user(0), "wrong").unwrap();
        assert!(answer.tagged.contains("[AUTHENTICATIONFAILED]"), "{answer:?}");
    }
    for name in HOSTILE.into_iter().take(3) {
        let services = &site.services;
        let address = services.address("submissions");
        let mut session =
            Smtp::connect_from(second, address, services.tls_config(), &services.hostname).unwrap();
        session.hello().unwrap().expect(250);
        session.log_in(name, "wrong").unwrap().expect(535);
    }
}

/// The filter from the manual.
fn filter(folder: &Path) -> std::path::PathBuf {
    let manual = fs::read_to_string(MANUAL).unwrap();
    let lines = manual.lines().skip_while(|line| line.trim() != "[Definition]");
    let lines: Vec<&str> = lines.map_while(|line| line.strip_prefix("    ")).collect();
    assert!(lines.iter().any(|line| line.starts_with("failregex = ^")), "{lines:?}");
    let path = folder.join("mailstead.conf");
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    path
}

/// The addresses that fail2ban finds in a log, and the number of matches.
fn found_by_fail2ban(folder: &Path, log: &str) -> BTreeMap<IpAddr, usize> {
    let path = folder.join("log");
    fs::write(&path, log).unwrap();
    let mut command = Command::new("fail2ban-regex");
    command.args(["--usedns", "no", "--out", "ip"]).arg(&path).arg(filter(folder));
    let output = command.output().expect("fail2ban is installed (Debian's package of that name)");
    assert!(output.status.success(), "{output:?}");
    let mut found = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines().filter(|line| !line.is_empty()) {
        *found.entry(line.parse().expect(line)).or_default() += 1;
    }
    found
}

/// The log as a container engine stores it.
fn docker_log(log: &str) -> String {
    let lines = log.lines().map(|line| {
        let line =
            json!({"log": format!("{line}\n"), "stream": "stderr", "time": "2026-11-28T04:04:05.123456789Z"});
        // The engine's order of fields.
        format!("{{\"log\":{},\"stream\":\"stderr\",\"time\":{}}}\n", line["log"], line["time"])
    });
    lines.collect()
}

fn only_guessers_are_found(format: Format) {
    let mut site = start(format);
    for text in HOSTILE {
        send_hostile_text(&site, text);
    }
    guess(&site);
    // The last counts are written when a daemon stops.
    site.mta().stop();
    site.mda().stop();
    let log = site.mta().log() + &site.mda().log();

    // The hostile text is logged: as a recipient, as a mailbox, as a user.
    for event in ["recipient refused", "appended", "failed"] {
        let is_there = |line: &str| line.contains(event) && line.contains("203.0.113.7");
        assert!(log.lines().any(is_there), "{event}: {log}");
    }
    let folder = tempfile::tempdir().unwrap();
    // For the first: five lines, and one for all others.
    let expected = BTreeMap::from([(IpAddr::from(GUESSERS[0]), 6), (IpAddr::from(GUESSERS[1]), 3)]);
    assert_eq!(found_by_fail2ban(folder.path(), &log), expected, "{log}");
    assert_eq!(found_by_fail2ban(folder.path(), &docker_log(&log)), expected, "{log}");
    // Each event is one line that names its process.
    for line in log.lines() {
        let is_whole = line.ends_with("process=\"mta\"") || line.ends_with("process=\"mda\"");
        assert!(
            is_whole || line.ends_with("\"process\":\"mta\"}") || line.ends_with("\"process\":\"mda\"}"),
            "{line}"
        );
    }
}

#[test]
fn fail2ban_finds_only_guessers_in_a_text_log() {
    only_guessers_are_found(Format::Text);
}

#[test]
fn fail2ban_finds_only_guessers_in_a_json_log() {
    only_guessers_are_found(Format::Json);
}
