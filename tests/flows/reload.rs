//! SIGHUP: running daemons load a renewed certificate and changed accounts, and only the sessions of removed users
//! end.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use nix::sys::signal::Signal;
use tests::certificate;
use tests::imap::Imap;
use tests::keys;
use tests::signature;
use tests::site::{HOSTNAME, Site};
use tests::smtp::{Smtp, message};
use tests::wait;

#[test]
fn a_renewed_certificate_is_used_for_new_sessions_and_ends_none() {
    let mut site = Site::start();
    let mut submitter = site.services.submission_client(0);
    let mut reader = site.services.imap_client(0);
    certificate::write(HOSTNAME, site.folder());
    let renewed = certificate::trusting(&site.folder().join("certificate.pem"));
    site.mta().signal(Signal::SIGHUP);
    site.mda().signal(Signal::SIGHUP);

    // Clients that trust only the renewed one can connect, to both daemons.
    let (submissions, imaps) = (site.services.address("submissions"), site.services.address("imaps"));
    wait::until("the MTA shows it", || Smtp::connect_secure(submissions, renewed.clone(), HOSTNAME).ok());
    wait::until("the MDA shows it", || Imap::connect_secure(imaps, renewed.clone(), HOSTNAME).ok());
    let letter = message("ann@example.org", "bob@example.org", "still-here");
    submitter.mail("ann@example.org", &["bob@example.org"], &letter).unwrap().expect(250);
    reader.command("NOOP").unwrap().ok();
}

#[test]
fn changed_accounts_take_effect_at_once() {
    let mut site = Site::start();
    let (mut ann, mut bob) = (site.services.imap_client(0), site.services.imap_client(1));
    site.services.smtp_client();
    let file = site.folder().join("accounts.toml");
    let accounts = fs::read_to_string(&file).unwrap();
    // Bob is renamed.
    fs::write(&file, accounts.replace("bob@", "robert@")).unwrap();
    site.mta().signal(Signal::SIGHUP);
    site.mda().signal(Signal::SIGHUP);
    wait::until_true("the accounts are reloaded", || {
        let mut stranger = site.services.smtp_client();
        stranger.command("MAIL FROM:<stranger@example.com>").unwrap().expect(250);
        let new = stranger.command("RCPT TO:<robert@example.org>").unwrap().code;
        let old = stranger.command("RCPT TO:<bob@example.org>").unwrap().code;
        (new, old) == (250, 550)
    });
    // The session of the removed user ends, and no other.
    wait::until_true("the session ends", || bob.command("NOOP").is_err());
    ann.command("NOOP").unwrap().ok();
}

#[test]
fn a_broken_file_changes_nothing() {
    let mut site = Site::start();
    // Both answer, so both handle signals.
    let mut submitter = site.services.submission_client(0);
    site.services.imap_client(0);
    fs::write(site.folder().join("accounts.toml"), "this is no TOML").unwrap();
    fs::write(site.folder().join("certificate.pem"), "nor a certificate").unwrap();
    site.mta().signal(Signal::SIGHUP);
    site.mda().signal(Signal::SIGHUP);
    wait::until_true("both have logged an error", || {
        let complains = |log: String| log.contains("ERROR") || log.contains("WARN");
        complains(site.mta().log()) && complains(site.mda().log())
    });
    let letter = message("ann@example.org", "bob@example.org", "as-before");
    submitter.mail("ann@example.org", &["bob@example.org"], &letter).unwrap().expect(250);
    site.services.await_message(1, "as-before");
}

#[test]
fn a_damaged_key_does_not_block_the_rest_of_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    let mut site = Site::start_in(folder, |_| {});
    // It answers, so it handles signals.
    site.services.submission_client(0);
    let keys = keys::write("example.net", &other, &site.dns);
    site.reconfigure_mta(|mta| mta.dkim.extend(keys));
    fs::write(other.join("rsa.pem"), "no key").unwrap();
    let file = site.folder().join("accounts.toml");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("bob@", "robert@")).unwrap();
    certificate::write(HOSTNAME, site.folder());
    let renewed = certificate::trusting(&site.folder().join("certificate.pem"));
    site.mta().signal(Signal::SIGHUP);

    let submissions = site.services.address("submissions");
    wait::until("the MTA shows it", || Smtp::connect_secure(submissions, renewed.clone(), HOSTNAME).ok());
    wait::until_true("the new account is known", || {
        let mut stranger = site.services.smtp_client();
        stranger.command("MAIL FROM:<stranger@example.com>").unwrap().expect(250);
        stranger.command("RCPT TO:<robert@example.org>").unwrap().code == 250
    });
    wait::until_true("the key is named", || {
        let log = site.mta().log();
        log.lines().any(|line| line.contains("ERROR") && line.contains("other/rsa.pem"))
    });
    let mut submitter = Smtp::connect_secure(submissions, renewed, HOSTNAME).unwrap();
    submitter.hello().unwrap().expect(250);
    submitter.log_in("ann@example.org", "correct horse").unwrap().expect(235);
    let letter = message("ann@example.org", "ann@example.org", "signed-all-the-same");
    submitter.mail("ann@example.org", &["ann@example.org"], &letter).unwrap().expect(250);
    site.services.await_message(0, "signed-all-the-same");
    let maildir = site.mail().join("example.org/ann/Maildir");
    let files = ["new", "cur"].into_iter().flat_map(|folder| fs::read_dir(maildir.join(folder)).unwrap());
    let message = files.map(|file| fs::read(file.unwrap().path()).unwrap()).next().unwrap();
    let signatures = signature::check(&message, site.dns.address());
    let good = signatures.iter().filter(|one| one.holds && one.domain == "example.org");
    assert_eq!(good.count(), 2, "{signatures:?}");
}
