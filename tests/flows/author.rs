//! DMARC, DKIM signing and IMAP use the same author of a message, or refuse it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use tests::site::Site;

/// A site where the attacker's host may send for the attacker alone; the bank's DMARC policy is reject.
fn site() -> Site {
    let site = Site::start();
    site.dns
        .text("attacker.example", "v=spf1 ip4:127.0.0.1 -all")
        .text("_dmarc.attacker.example", "v=DMARC1; p=none")
        .text("bank.example", "v=spf1 -all")
        .text("_dmarc.bank.example", "v=DMARC1; p=reject")
        .text("twice.example", "v=spf1 ip4:127.0.0.1 -all")
        .text("_dmarc.twice.example", "v=DMARC1; p=none")
        .text("_dmarc.twice.example", "v=DMARC1; p=reject");
    site
}

fn letter(from: &str, subject: &str) -> String {
    format!("{from}\nTo: bob@example.org\nSubject: {subject}\n\nA letter.\n")
}

/// The Authentication-Results that bob's server recorded for a message, on one line, and its From as IMAP shows it.
#[track_caller]
fn results_and_author(site: &Site, subject: &str) -> (String, String) {
    let text = site.services.await_message(1, &format!("Subject: {subject}\r\n"));
    let mut reader = site.services.imap_client(1);
    reader.command("EXAMINE INBOX").unwrap().ok();
    let envelopes = reader.command("FETCH 1:* (ENVELOPE)").unwrap().ok().untagged;
    let envelope = envelopes.into_iter().find(|line| line.contains(&format!("\"{subject}\""))).unwrap();
    // (date subject from …
    let (_, from) = envelope.split_once(&format!("\"{subject}\" ")).unwrap();
    let end = if from.starts_with("NIL") { "NIL".len() } else { from.find("))").unwrap() + 2 };
    (text.replace("\r\n\t", " ").replace("\r\n ", " "), from[..end].to_owned())
}

#[test]
fn dmarc_evaluates_the_author_that_imap_shows() {
    let site = site();
    for (number, (from, author_shown, judged)) in [
        (
            "From: eve@attacker.example",
            Some("((NIL NIL \"eve\" \"attacker.example\"))"),
            "dmarc=pass header.from=attacker.example",
        ),
        (
            "From: \"victim@bank.example\" <eve@attacker.example>",
            Some("((\"victim@bank.example\" NIL \"eve\" \"attacker.example\"))"),
            "dmarc=pass header.from=attacker.example",
        ),
        (
            "From: eve@attacker.example (victim@bank.example)",
            Some("((\"victim@bank.example\" NIL \"eve\" \"attacker.example\"))"),
            "dmarc=pass header.from=attacker.example",
        ),
        (
            "From: victim@BANK.example",
            Some("((NIL NIL \"victim\" \"BANK.example\"))"),
            "dmarc=fail header.from=bank.example",
        ),
        (
            "From: eve@twice.example",
            Some("((NIL NIL \"eve\" \"twice.example\"))"),
            "dmarc=none header.from=twice.example",
        ),
        (
            "From: <victim@bank.example>eve@attacker.example",
            None,
            "dmarc=permerror (the From field has text after an address)",
        ),
        (
            "From: <victim@bank.example> <eve@attacker.example>",
            None,
            "dmarc=permerror (the From field has text after an address)",
        ),
        (
            "From: victim@bank.example: eve@attacker.example;",
            None,
            "dmarc=permerror (the From field is a group)",
        ),
        (
            "From : eve@attacker.example",
            None,
            "dmarc=permerror (the From field has white space before its colon)",
        ),
        ("no field\nFrom: eve@attacker.example", None, "dmarc=permerror (the From field "),
        ("X-Nothing: of note", Some("NIL"), "dmarc=permerror (the From field is missing)"),
    ]
    .into_iter()
    .enumerate()
    {
        let subject = format!("outside-{number}");
        // The subject comes first: lines after one that is not a field may be text.
        let message = format!("Subject: {subject}\n{}", letter(from, "below"));
        let reply =
            site.services.smtp_client().mail("eve@attacker.example", &["bob@example.org"], &message).unwrap();
        reply.expect(250);
        let (text, from_shown) = results_and_author(&site, &subject);
        assert!(text.contains(judged), "{from:?}: {text}");
        assert!(text.contains("dkim=none"), "{from:?}: {text}");
        if let Some(author_shown) = author_shown {
            assert_eq!(from_shown, author_shown, "{from:?}");
        }
    }
    for from in [
        "From: eve@attacker.example\nFrom: victim@bank.example",
        "From : a@bank.example\nFrom: eve@attacker.example",
    ] {
        let message = letter(from, "twice");
        let reply =
            site.services.smtp_client().mail("eve@attacker.example", &["bob@example.org"], &message).unwrap();
        reply.expect_status(554, "5.6.0");
    }
}

#[test]
fn a_user_cannot_submit_as_another_author() {
    let site = site();
    let many = format!("From: {}, bob@example.org", vec!["ann@example.org"; 4_001].join(",\n "));
    for (from, status) in [
        ("From: <bob@example.org> <ann@example.org>", "5.6.0"),
        ("From: bob@example.org: ann@example.org;", "5.6.0"),
        (many.as_str(), "5.6.0"),
        ("From: <bob@example.org>ann@example.org", "5.6.0"),
        ("From: ann@example.org\nFrom: bob@example.org", "5.6.0"),
        ("From : bob@example.org", "5.6.0"),
        ("X-Nothing: of note", "5.6.0"),
        ("From: ann@example.org, bob@example.org", "5.7.1"),
        ("From: \"bob@example.org\" <ann@example.org>", "5.7.1"),
        ("From: ann@example.org\nSender: bob@example.org", "5.7.1"),
    ] {
        let reply = site.services.submission_client(0).mail(
            "ann@example.org",
            &["bob@example.org"],
            &letter(from, "disguised"),
        );
        reply.unwrap().expect_status(554, status);
    }
    let from = "From: \"Ann, of the office\"\n <ann@example.org> (x)";
    let reply = site.services.submission_client(0).mail(
        "ann@example.org",
        &["bob@example.org"],
        &letter(from, "honest"),
    );
    reply.unwrap().expect(250);
    let (text, author_shown) = results_and_author(&site, "honest");
    assert_eq!(author_shown, "((\"Ann, of the office\" NIL \"ann\" \"example.org\"))");
    assert!(text.contains("DKIM-Signature: ") && text.contains("d=example.org;"), "{text}");
    assert_eq!(site.services.inbox(1).len(), 1, "no message with a disguised author was delivered");
}

#[test]
fn forged_authentication_results_are_removed() {
    let site = site();
    let host = tests::site::HOSTNAME;
    for (number, forged) in [
        format!("Authentication-Results: {host}. ; dkim=pass header.d=bank.example"),
        format!("Authentication-Results: (x) {host}/1; dkim=pass header.d=bank.example"),
        format!("AUTHENTICATION-RESULTS : \"{host}\"; dkim=pass header.d=bank.example"),
        format!("Authentication-Results:\n {host}\n 1; dkim=pass header.d=bank.example"),
        "Authentication-Results: dkim=pass header.d=bank.example".to_owned(),
        format!("ARC-Authentication-Results: i=1; {host}; dkim=pass header.d=bank.example"),
        format!("Received-SPF: pass receiver={host}; identity=bank.example"),
    ]
    .into_iter()
    .enumerate()
    {
        let subject = format!("forged-{number}");
        let message = format!("{forged}\n{}", letter("From: eve@attacker.example", &subject));
        let reply =
            site.services.smtp_client().mail("eve@attacker.example", &["bob@example.org"], &message).unwrap();
        reply.expect(250);
        let (text, _) = results_and_author(&site, &subject);
        assert!(!text.contains("bank.example"), "{forged:?}: {text}");
        assert!(text.contains("dmarc=pass header.from=attacker.example"), "{text}");
    }
}
