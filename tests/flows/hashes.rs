//! Users can log in with hashes that other programs compute during the test, so that a mailbox can be moved here with
//! its password.
//!
//! The programs are Debian's: `doveadm` of dovecot-core, `openssl`, and `encrypt` of opensmtpd, which `smtpctl
//! encrypt` runs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use tests::demo::Demo;
use tests::imap::Imap;
use tests::operator::Operator;

const PASSWORD: &str = "correct horse 🐎";

/// `smtpctl encrypt` requires its users on the machine before it runs this.
const ENCRYPT: &str = "/usr/libexec/opensmtpd/encrypt";

/// The arguments for each of doveadm's schemes that the design supports: its name, and further options.
const DOVEADM: [&[&str]; 10] = [
    &["-s", "ARGON2ID"],
    &["-s", "ARGON2ID", "-r", "3"],
    &["-s", "ARGON2I"],
    &["-s", "SHA512-CRYPT"],
    &["-s", "SHA512-CRYPT", "-r", "20000"],
    &["-s", "SHA256-CRYPT"],
    &["-s", "BLF-CRYPT"],
    &["-s", "BLF-CRYPT", "-r", "8"],
    &["-s", "CRYPT"],
    &["-s", "SSHA512"],
];

/// The only line that a program prints. A missing program is a failure, not a reason to skip the test.
fn line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; .ci/run installs it"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Checks that the hash is accepted, that its password can log in, and that no other can.
fn assert_logs_in(demo: &Demo, user: &str, hash: &str) {
    let operator = Operator::of(&demo.volume());
    operator.run_with(&["user", "add", user], hash).ok();
    for (password, answer) in [(format!("{PASSWORD}x"), "NO"), (PASSWORD.to_owned(), "OK")] {
        let (address, services) = (demo.services.address("imaps"), &demo.services);
        let mut session = Imap::connect_secure(address, services.tls_config(), &services.hostname).unwrap();
        let answered = session.log_in(user, &password).unwrap();
        assert!(answered.tagged.starts_with(answer), "{hash}: {answered:?}");
    }
}

#[test]
fn hashes_of_doveadm_are_accepted() {
    let demo = Demo::start();
    for (number, arguments) in DOVEADM.iter().enumerate() {
        let hash = line("doveadm", &[&["pw", "-p", PASSWORD], *arguments].concat());
        assert_logs_in(&demo, &format!("user{number}"), &hash);
    }
}

#[test]
fn hashes_of_openssl_and_opensmtpd_are_accepted() {
    let demo = Demo::start();
    assert_logs_in(&demo, "six", &line("openssl", &["passwd", "-6", PASSWORD]));
    assert_logs_in(&demo, "five", &line("openssl", &["passwd", "-5", PASSWORD]));
    assert_logs_in(&demo, "smtpd", &line(ENCRYPT, &[PASSWORD]));
}

#[test]
fn hashes_of_our_own_command_are_accepted_here_and_by_doveadm() {
    let demo = Demo::start();
    let folder = tempfile::tempdir().unwrap();
    let typed = folder.path().join("password");
    std::fs::write(&typed, format!("{PASSWORD}\n")).unwrap();
    let output = Command::new(tests::program::mailstead())
        .arg("hash-password")
        .stdin(std::fs::File::open(&typed).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let hash = String::from_utf8(output.stdout).unwrap().trim_end().to_owned();
    assert_logs_in(&demo, "own", &hash);
    let output = line("doveadm", &["pw", "-t", &hash, "-p", PASSWORD]);
    assert!(output.contains("verified"), "{output}");
}

#[test]
fn a_hash_that_is_too_costly_is_refused_with_a_reason() {
    let demo = Demo::start();
    let operator = Operator::of(&demo.volume());
    for (hash, problem) in [
        ("$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$u1eU6mZFG4/OOoTdAtM5SQ", "more than 256 MiB"),
        ("$argon2id$v=19$m=65536,t=1000000,p=1$c29tZXNhbHQ$u1eU6mZFG4/OOoTdAtM5SQ", "too many passes"),
        ("$2y$31$dUblMAKJdsXEokkLLmYaiu59qwlkxTHT9ihk3sEoTTa41QuxKRxqu", "cost above 15"),
    ] {
        operator.run_with(&["user", "add", "eve"], hash).refused(64, problem);
    }
    // The file is not a way to log in either.
    let file = demo.volume().join("accounts.toml");
    let accounts = std::fs::read_to_string(&file).unwrap();
    let start = accounts.find("$argon2id$").unwrap();
    let end = start + accounts[start..].find('"').unwrap();
    let wide = "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$u1eU6mZFG4/OOoTdAtM5SQ";
    std::fs::write(&file, accounts.replacen(&accounts[start..end], wide, 1)).unwrap();
    operator.run(&["user", "list"]).refused(74, "more than 256 MiB");
    demo.services.imap_client(0);
}
