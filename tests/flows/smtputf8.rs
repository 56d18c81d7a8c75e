//! Addresses and header fields in UTF-8 (RFC 6531, RFC 6532), received, sent and reported.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tests::demo::Demo;
use tests::imap::Imap;
use tests::mail_exchange::Exchange;
use tests::operator::Operator;
use tests::site::Site;
use tests::smtp::{Smtp, message};

const FRIEND: &str = "friend@example.net";
const REMOTE: &str = "jos\u{e9}@example.net";

/// A site whose mail for example.net is sent to the exchange.
fn site_with(elsewhere: &Exchange) -> Site {
    let port = elsewhere.address().port();
    let site = Site::start_with(|plan| plan.mta.outbound.port = port);
    site.dns.mx("example.net", 10, "mx.example.net").host("mx.example.net", elsewhere.address().ip());
    site
}

/// Sends a message whose MAIL has these parameters.
#[track_caller]
fn send(session: &mut Smtp, from: &str, parameters: &str, to: &[&str], message: &str) {
    session.command(&format!("MAIL FROM:<{from}>{parameters}")).unwrap().expect(250);
    for to in to {
        session.command(&format!("RCPT TO:<{to}>")).unwrap().expect(250);
    }
    session.command("DATA").unwrap().expect(354);
    session.data(message).unwrap().expect(250);
}

#[test]
fn a_user_with_a_name_in_utf8_is_reached_in_any_case_and_normalization_and_logs_in() {
    let demo = Demo::start();
    let (name, password) = ("Jos\u{e9}@demo.test", "gr\u{fc}n wie Gras");
    Operator::of(&demo.volume()).run_with(&["user", "add", name], password).ok();

    let mut stranger = demo.services.smtp_client();
    let (plain, detailed) = ("JOSE\u{301}@demo.test", "JOSE\u{301}+gr\u{fc}n@demo.test");
    let letter = message("z\u{f6}e@example.net", plain, "gr\u{fc}\u{df}e");
    for to in [plain, detailed] {
        send(&mut stranger, "z\u{f6}e@example.net", " BODY=8BITMIME SMTPUTF8", &[to], &letter);
    }

    let services = &demo.services;
    let mut reader =
        Imap::connect_secure(services.address("imaps"), services.tls_config(), &services.hostname).unwrap();
    let word = STANDARD.encode(format!("\0{name}\0{password}"));
    reader.command(&format!("AUTHENTICATE PLAIN {word}")).unwrap().ok();
    reader.command("EXAMINE INBOX").unwrap().ok();
    let fetched = reader.command("FETCH 1:2 (ENVELOPE BODY.PEEK[])").unwrap().ok();
    for words in [
        "Return-Path: <z\u{f6}e@example.net>\r\nDelivered-To: ",
        "Delivered-To: jos\u{e9}+gr\u{fc}n@demo.test\r\n",
        "UTF8SMTP",
        "Subject: gr\u{fc}\u{df}e\r\n",
    ] {
        fetched.containing(words);
    }

    let mut submitter = services.submission_session();
    // The same user without the domain, in another normalization.
    submitter.log_in("JOSE\u{301}", password).unwrap().expect(235);
    let letter = message(name, services.user(0), "sent-by-jos\u{e9}");
    send(&mut submitter, name, " SMTPUTF8", &[services.user(0)], &letter);
    services.await_message(0, "sent-by-jos\u{e9}");
}

#[test]
fn a_peer_with_smtputf8_gets_addresses_and_fields_in_utf8() {
    let elsewhere = Exchange::start("mx.example.net");
    elsewhere.script(|script| script.extensions.push("SMTPUTF8"));
    let site = site_with(&elsewhere);
    let mut submitter = site.services.submission_client(0);
    let letter = message("ann@example.org", REMOTE, "in-utf8");
    send(&mut submitter, "ann@example.org", " SMTPUTF8", &[REMOTE], &letter);
    let accepted = elsewhere.await_message("in-utf8");
    assert!(accepted.smtputf8);
    assert_eq!(accepted.to, [REMOTE]);

    // Declared without need: the next host need not have it (RFC 6531 §3.2).
    let letter = message("ann@example.org", FRIEND, "in-ascii");
    send(&mut submitter, "ann@example.org", " SMTPUTF8", &[FRIEND], &letter);
    assert!(!elsewhere.await_message("in-ascii").smtputf8);
}

#[test]
fn a_peer_without_smtputf8_gets_what_is_ascii_and_the_author_a_report_about_the_rest() {
    let elsewhere = Exchange::start("mx.example.net");
    let site = site_with(&elsewhere);
    site.dns.mx("xn--bcher-kva.example", 10, "mx.example.net");
    let mut submitter = site.services.submission_client(0);
    let letter = message("ann@example.org", FRIEND, "partly-ascii");
    let to = [REMOTE, FRIEND];
    send(&mut submitter, "ann@example.org", " SMTPUTF8", &to, &letter);
    let accepted = elsewhere.await_message("partly-ascii");
    assert!(!accepted.smtputf8);
    assert_eq!(accepted.to, [FRIEND]);
    let report = site.services.await_message(0, "multipart/report");
    for words in ["Status: 5.6.7", "SMTPUTF8", "Final-Recipient: utf-8; jos\\x{E9}@example.net"] {
        assert!(report.contains(words), "{words:?} is missing in\n{report}");
    }
    assert!(!report.contains("Final-Recipient: rfc822;friend@"), "{report}");

    // A domain in U-labels is sent in A-labels.
    let letter = message("ann@example.org", "eve@b\u{fc}cher.example", "a-labels")
        .replace("b\u{fc}cher", "xn--bcher-kva");
    send(&mut submitter, "ann@example.org", " SMTPUTF8", &["eve@b\u{fc}cher.example"], &letter);
    assert_eq!(elsewhere.await_message("a-labels").to, ["eve@xn--bcher-kva.example"]);

    // Fields in UTF-8 that were not declared are sent on as they are.
    let letter = message("ann@example.org", FRIEND, "undeclared gr\u{fc}n");
    send(&mut submitter, "ann@example.org", "", &[FRIEND], &letter);
    assert!(!elsewhere.await_message("undeclared gr\u{fc}n").smtputf8);
}
