//! Disguises of the author: the author that is checked, that is signed for, and that IMAP shows.

use message::{Author, Envelope};

use super::*;

/// Fields that different readers read differently. Each names bob, another local user, to some of them.
const DISGUISES: [&str; 26] = [
    "From: <bob@example.org> <ann@example.org>",
    "From: <ann@example.org> <bob@example.org>",
    "From: <bob@example.org>ann@example.org",
    "From: bob@example.org <ann@example.org>",
    "From: bob@example.org: ann@example.org;",
    "From: Bob: bob@example.org, ann@example.org;",
    "From: <@example.org,@bob.example:ann@example.org>",
    "From: \"bob@example.org\"@example.org",
    "From: \"bob@example.org> \" ann@example.org",
    "From: =?utf-8?q?bob=40example.org?=",
    "From: =?utf-8?q?=3Cbob=40example.org=3E?=ann@example.org",
    "From: =?utf-8?q?bob@example.org?= <ann@example.org>",
    "From: ann@example.org(",
    "From: \"ann@example.org> <bob@example.org>",
    "From: ann@example.org.",
    "From: ann @example.org",
    "From: ann@example.org\r\n \r\n , bob@example.org",
    "From : ann@example.org",
    "From\t: bob@example.org",
    "From: bob@example.org\r\nFrom: ann@example.org",
    "From: ann@example.org\r\nfrom:bob@example.org",
    "From: ann@example.org\r\nFrom : bob@example.org",
    "From: ann@example.org\r\nFrom: ann@example.org",
    "From: no address here",
    "From:",
    "Subject: no author",
];

fn received(fixture: &Fixture) -> String {
    String::from_utf8(fixture.store.received().last().unwrap().octets.clone()).unwrap()
}

#[tokio::test]
async fn a_disguised_author_is_refused_at_submission() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = ann(&fixture).await;
    let many = format!("From: {}, bob@example.org", vec!["ann@example.org"; 4_000].join(",\r\n "));
    for from in DISGUISES.into_iter().chain([many.as_str()]) {
        let message = format!("{from}\r\nTo: far@example.com\r\n\r\nx\r\n");
        let reply = send(&mut client, "ann@example.org", &["far@example.com"], &message).await;
        assert!(reply.starts_with("554 5.6.0 The From field "), "{reply} for {from:?}");
    }
    assert!(fixture.store.received().is_empty() && fixture.queued().is_empty());
}

#[tokio::test]
async fn every_address_shown_as_the_author_must_belong_to_the_login() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = ann(&fixture).await;
    for header in [
        "From: bob@example.org",
        "From: ann@example.org, bob@example.org",
        "From: BOB@EXAMPLE.ORG, ann@example.org",
        "From: ann%bob@example.org",
        "From: ann@example.net",
        "From: ann@[127.0.0.1]",
        "From: \"ann@example.org\" <eve@example.net>",
        "From: \"bob@example.org\" <ann@example.org>",
        "From: =?utf-8?q?Bob_=3Cbob=40example.org=3E?= <ann@example.org>",
        "From: ann@example.org (bob@example.org)",
        "From: bob＠example.org <ann@example.org>",
        "Sender: bob@example.org\r\nFrom: ann@example.org",
        "From: ann@example.org\r\nResent-From: ann@example.org, bob@example.org",
        "From: ann@example.org\r\nResent-Sender: eve@example.net",
        // Resending gives no right to another user's name: it needs the user's own From too.
        "From: bob@example.org\r\nResent-From: ann@example.org",
    ] {
        let message = format!("{header}\r\nTo: far@example.com\r\n\r\nx\r\n");
        let reply = send(&mut client, "ann@example.org", &["far@example.com"], &message).await;
        assert!(reply.starts_with("554 5.7.1 The address "), "{reply} for {header:?}");
        assert!(
            reply.ends_with(" field does not belong to your login: use one of your own"),
            "{reply} for {header:?}"
        );
    }
    for header in [
        "From: ann@example.org\r\nSender: <bob@example.org> ann@example.org",
        "From: ann@example.org\r\nSender: ann@example.org\r\nSender: bob@example.org",
        "From: ann@example.org\r\nSender : bob@example.org",
        "From: ann@example.org\r\nResent-From: bob@example.org: ann@example.org;",
    ] {
        let message = format!("{header}\r\n\r\nx\r\n");
        let reply = send(&mut client, "ann@example.org", &["far@example.com"], &message).await;
        assert!(reply.starts_with("554 5.6.0 The "), "{reply} for {header:?}");
    }
    assert!(fixture.store.received().is_empty() && fixture.queued().is_empty());
}

#[tokio::test]
async fn submitted_mail_is_signed_and_imap_shows_the_same_author() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = ann(&fixture).await;
    for (from, addresses) in [
        ("From: ann@example.org", "ann@example.org"),
        ("FROM:Ann\r\n\t<ANN@EXAMPLE.org>", "ANN@EXAMPLE.org"),
        ("From: \"ann@example.org\" <ann@example.org>", "ann@example.org"),
        ("From: \"carl@example.net\" <ann@example.org>", "ann@example.org"),
        ("From: =?utf-8?q?A=2C_=C3=84nn?= <ann+work@example.org> (x)", "ann+work@example.org"),
        ("From: ann@example.org, \"Team, the\" <team@example.org>", "ann@example.org team@example.org"),
        (
            "Sender: team@example.org\r\nFrom: ann@example.org\r\nResent-From: ann@example.org",
            "ann@example.org",
        ),
    ] {
        let message = format!("{from}\r\nTo: bob@example.org\r\n\r\nx\r\n");
        let reply = send(&mut client, "ann@example.org", &["bob@example.org"], &message).await;
        assert!(reply.starts_with("250 2.0.0"), "{reply} for {from:?}");
        let text = received(&fixture);
        assert_eq!(shown(&text), addresses, "{from:?}");
        assert_eq!(text.matches("d=example.org;").count(), 2, "{text}");
    }
}

#[tokio::test]
async fn a_disguised_author_from_a_peer_is_a_dmarc_permerror_and_several_from_fields_are_refused() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = peer(&fixture).await;
    for from in DISGUISES {
        let message = format!("{from}\r\nTo: ann@example.org\r\n\r\nx\r\n");
        let reply = send(&mut client, "eve@example.net", &["ann@example.org"], &message).await;
        if from.to_lowercase().matches("\r\nfrom").count() > 0 {
            assert!(
                reply.starts_with("554 5.6.0 The From field occurs more than once"),
                "{reply} for {from:?}"
            );
            continue;
        }
        assert!(reply.starts_with("250 2.0.0"), "{reply} for {from:?}");
        let text = received(&fixture);
        let results = text.replace("\r\n\t", " ").replace("\r\n ", " ");
        assert!(results.contains("; dmarc=permerror (the From field "), "{from:?}: {text}");
        assert!(!results.contains("header.from="), "{from:?}: {text}");
    }
}

#[tokio::test]
async fn dmarc_evaluates_the_domain_that_imap_shows() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = peer(&fixture).await;
    for (from, addresses, domain) in [
        ("From: eve@example.net", "eve@example.net", "example.net"),
        ("from:Eve\r\n\t<eve@EXAMPLE.net>", "eve@EXAMPLE.net", "example.net"),
        ("From: \"ann@example.org\" <eve@example.net>", "eve@example.net", "example.net"),
        ("From: =?utf-8?q?=3Cann=40example.org=3E?= <eve@example.net>", "eve@example.net", "example.net"),
        ("From: eve@example.net (<ann@example.org>)", "eve@example.net", "example.net"),
        ("From: ann%example.org@example.net", "ann%example.org@example.net", "example.net"),
        ("From: a@b\u{fc}cher.example", "a@b\u{fc}cher.example", "xn--bcher-kva.example"),
        ("From: a@xn--bcher-kva.example", "a@xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("From: \"..eve..\"@example.net", "..eve..@example.net", "example.net"),
        ("From: a@example.net,\r\n b@example.net", "a@example.net b@example.net", "example.net"),
    ] {
        let message = format!("{from}\r\nTo: ann@example.org\r\n\r\nx\r\n");
        let reply = send(&mut client, "eve@example.net", &["ann@example.org"], &message).await;
        assert!(reply.starts_with("250 2.0.0"), "{reply} for {from:?}");
        let text = received(&fixture);
        assert_eq!(shown(&text), addresses, "{from:?}");
        let results = text.replace("\r\n\t", " ").replace("\r\n ", " ");
        assert!(results.contains(&format!("; dmarc=none header.from={domain}")), "{from:?}: {text}");
    }
}

/// The author as ENVELOPE has it, which is the author of the strict reading.
fn shown(message: &str) -> String {
    let envelope = Envelope::parse(message.as_bytes());
    assert_eq!(envelope.from.entries, Author::of(message.as_bytes()).unwrap().entries());
    let shown = envelope.from.mailboxes().map(|mailbox| {
        format!("{}@{}", String::from_utf8_lossy(&mailbox.local), String::from_utf8_lossy(&mailbox.domain))
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn forged_trace_fields_are_removed() {
    let fixture = Fixture::new(Replies::new()).await;
    for (mut client, sender, from) in [
        (peer(&fixture).await, "eve@example.net", "eve@example.net"),
        (ann(&fixture).await, "ann@example.org", "ann@example.org"),
    ] {
        let forged = "Authentication-Results: mail.example.org. ; dkim=pass header.d=bank.example\r\n\
            authentication-results:\r\n (x)\r\n mail.example.org/1; dkim=pass header.d=bank.example\r\n\
            Authentication-Results : \"MAIL.example.org\"; dkim=pass header.d=bank.example\r\n\
            ARC-Authentication-Results: i=1; mail.example.org; dkim=pass header.d=bank.example\r\n\
            Received-SPF: pass (mail.example.org: bank.example)\r\n";
        let message = format!("{forged}From: {from}\r\nTo: bob@example.org\r\n\r\nx\r\n");
        let reply = send(&mut client, sender, &["bob@example.org"], &message).await;
        assert!(reply.starts_with("250 2.0.0"), "{reply}");
        assert!(!received(&fixture).contains("bank.example"), "{}", received(&fixture));
    }
}
