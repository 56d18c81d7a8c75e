//! Whole sessions over real sockets, with a mail store that answers from a table.

mod author;
mod content;
mod scene;

use std::time::Duration;

use smtp_proto::replies;

use super::ServiceKind;
use crate::doubles::store::Answers;
use scene::{Scene, Talk};

const MESSAGE: &str = "From: eve@example.net\r\nSubject: hello\r\n\r\nbody\r\n";

async fn stranger(scene: &Scene) -> Talk {
    let mut talk = scene.connect(ServiceKind::Smtp).await;
    talk.expect("220 ").await;
    talk.ask("EHLO client.example", "250").await;
    talk
}

async fn ann(scene: &Scene) -> Talk {
    let mut talk = scene.connect(ServiceKind::Submissions).await;
    talk.expect("220 ").await;
    talk.ask("EHLO client.example", "250").await;
    talk.ask("AUTH PLAIN AGFubkBleGFtcGxlLm9yZwBjb3JyZWN0IGhvcnNl", "235 2.7.0").await;
    talk
}

/// Sends a message; returns the reply to its end.
async fn send(talk: &mut Talk, sender: &str, recipients: &[&str], message: &str) -> String {
    talk.ask(&format!("MAIL FROM:<{sender}>"), "250").await;
    for recipient in recipients {
        talk.ask(&format!("RCPT TO:<{recipient}>"), "250 2.1.5").await;
    }
    talk.ask("DATA", "354").await;
    talk.say(&format!("{message}.\r\n")).await;
    talk.hear().await
}

#[tokio::test]
async fn a_strangers_mail_reaches_the_store_with_our_trace_on_top() {
    let scene = Scene::new(Answers::new()).await;
    let mut talk = stranger(&scene).await;
    let forged = format!(
        "Authentication-Results: mail.example.org; spf=pass\r\nAuthentication-Results: other.example; none\r\n{MESSAGE}"
    );
    let reply = send(&mut talk, "eve@example.net", &["BOB+lists@example.org"], &forged).await;
    assert!(reply.starts_with("250 2.0.0 Message accepted as "), "{reply}");
    let taken = &scene.store.taken()[0];
    assert_eq!(
        (taken.sender.as_str(), taken.recipients.as_slice()),
        ("<eve@example.net>", &["bob+lists@example.org".to_owned()][..])
    );
    let text = String::from_utf8(taken.octets.clone()).unwrap();
    let (received, rest) = text.split_once("\r\nAuthentication-Results: mail.example.org").unwrap();
    let received = received.replace("\r\n", "");
    assert!(
        received.starts_with(
            "Received: from client.example (unknown [127.0.0.1]) by mail.example.org with ESMTP id "
        ),
        "{received}"
    );
    assert!(received.contains(" for <BOB+lists@example.org>; "), "{received}");
    assert!(!rest.contains("mail.example.org; spf=pass"), "{rest}");
    assert!(rest.contains("spf=") && rest.contains("dmarc="), "{rest}");
    assert!(text.ends_with(&format!("Authentication-Results: other.example; none\r\n{MESSAGE}")), "{text}");
}

#[tokio::test]
async fn what_one_has_and_another_waits_for_is_queued_for_the_other() {
    for reply in [replies::SYSTEM_FULL, replies::UNKNOWN_RECIPIENT] {
        let scene = Scene::new(Answers::from([("bob@example.org", reply)])).await;
        let mut talk = stranger(&scene).await;
        let recipients = ["ann@example.org", "bob@example.org"];
        let reply = send(&mut talk, "eve@example.net", &recipients, MESSAGE).await;
        assert!(reply.starts_with("250 2.0.0"), "{reply}");
        assert_eq!(scene.queued(), ["bob@example.org"]);
    }
}

#[tokio::test]
async fn what_nobody_has_is_refused_and_leaves_nothing() {
    for (answer, told) in [
        (replies::SYSTEM_FULL, "452 4.3.1"),
        (replies::MAILBOX_FULL, "452 4.2.2"),
        (replies::STORE_UNAVAILABLE, "451 4.3.0"),
        (replies::UNKNOWN_RECIPIENT, "550 5.1.1"),
        (replies::MESSAGE_TOO_BIG, "552 5.3.4"),
    ] {
        let scene = Scene::new(Answers::from([("bob@example.org", answer)])).await;
        let mut talk = stranger(&scene).await;
        let reply = send(&mut talk, "eve@example.net", &["bob@example.org"], MESSAGE).await;
        assert!(reply.starts_with(told), "{reply} instead of {told}");
        assert!(scene.queued().is_empty());
        talk.ask("NOOP", "250").await;
    }
}

#[tokio::test]
async fn a_store_that_is_away_defers_strangers_and_costs_users_nothing() {
    let scene = Scene::new(Answers::new()).await;
    std::fs::remove_file(&scene.store.socket).unwrap();
    let mut talk = stranger(&scene).await;
    let reply = send(&mut talk, "eve@example.net", &["bob@example.org"], MESSAGE).await;
    assert!(reply.starts_with("451 4.3.0"), "{reply}");
    assert!(scene.queued().is_empty());
    let mut talk = ann(&scene).await;
    let reply =
        send(&mut talk, "ann@example.org", &["bob@example.org"], "From: ann@example.org\r\n\r\nx\r\n").await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    assert_eq!(scene.queued(), ["bob@example.org"]);
}

#[tokio::test]
async fn an_alias_reaches_here_and_elsewhere() {
    let scene = Scene::new(Answers::new()).await;
    let mut talk = stranger(&scene).await;
    let reply = send(&mut talk, "eve@example.net", &["team@example.org", "bob@example.org"], MESSAGE).await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    assert_eq!(scene.store.taken()[0].recipients, ["ann@example.org", "bob@example.org"]);
    assert_eq!(scene.queued(), ["far@example.com"]);
}

#[tokio::test]
async fn a_stranger_relays_nothing_and_reaches_nobody_unknown() {
    let scene = Scene::new(Answers::new()).await;
    let mut talk = stranger(&scene).await;
    talk.ask("MAIL FROM:<ann@example.org>", "250").await;
    talk.ask("RCPT TO:<far@example.com>", "550 5.7.1").await;
    talk.ask("RCPT TO:<nobody@example.org>", "550 5.1.1").await;
    talk.ask("RCPT TO:<postmaster>", "250 2.1.5").await;
    talk.ask("RCPT TO:<Postmaster@EXAMPLE.org>", "250 2.1.5").await;
    // The sender of our reports.
    talk.ask("RCPT TO:<postmaster@mail.example.org>", "250 2.1.5").await;
    talk.ask("RCPT TO:<PostMaster@Mail.Example.ORG>", "250 2.1.5").await;
    talk.ask("RCPT TO:<ann@mail.example.org>", "550 5.1.1").await;
}

#[tokio::test]
async fn the_heartbeats_mailbox_is_for_this_machine_alone() {
    let scene = Scene::new(Answers::new()).await;
    let elsewhere = Some("192.0.2.9:4711".parse().unwrap());
    for (host, reply) in [(elsewhere, "550 5.1.1"), (None, "250 2.1.5")] {
        let mut talk = scene.connect_from(host, ServiceKind::Smtp).await;
        talk.expect("220 ").await;
        talk.ask("EHLO client.example", "250").await;
        talk.ask("MAIL FROM:<>", "250").await;
        talk.ask("RCPT TO:<beat@example.org>", reply).await;
    }
    let mut user = ann(&scene).await;
    user.ask("MAIL FROM:<beat@example.org>", "553 5.7.1").await;
    user.ask("MAIL FROM:<ann@example.org>", "250").await;
    user.ask("RCPT TO:<beat@example.org>", "550 5.1.1").await;
}

#[tokio::test]
async fn more_recipients_than_the_limit_wait_for_the_next_transaction() {
    let scene = Scene::new(Answers::new()).await;
    let mut talk = stranger(&scene).await;
    talk.ask("MAIL FROM:<eve@example.net>", "250").await;
    for _ in 0..scene::MAX_RECIPIENTS {
        talk.ask("RCPT TO:<bob@example.org>", "250").await;
    }
    talk.ask("RCPT TO:<bob@example.org>", "452 4.5.3").await;
    talk.ask("DATA", "354").await;
    talk.say(&format!("{MESSAGE}.\r\n")).await;
    talk.expect("250 2.0.0").await;
    assert_eq!(scene.store.taken()[0].recipients, ["bob@example.org"]);
}

#[tokio::test]
async fn what_goes_in_a_circle_is_refused() {
    let scene = Scene::new(Answers::new()).await;
    let mut talk = stranger(&scene).await;
    let hops = "Received: from a by b; Sun, 22 Nov 2026 18:00:00 +0000\r\n";
    let reply =
        send(&mut talk, "eve@example.net", &["bob@example.org"], &format!("{}{MESSAGE}", hops.repeat(100)))
            .await;
    assert!(reply.starts_with("250"), "{reply}");
    let reply =
        send(&mut talk, "eve@example.net", &["bob@example.org"], &format!("{}{MESSAGE}", hops.repeat(101)))
            .await;
    assert!(reply.starts_with("554 5.4.6"), "{reply}");
}

#[tokio::test]
async fn an_endless_header_section_is_refused() {
    let scene = Scene::new(Answers::new()).await;
    let mut talk = stranger(&scene).await;
    let long = format!("X: {}\r\n", "x".repeat(990)).repeat(600);
    let many = "X: y\r\n".repeat(message::field::MAX_FIELDS);
    for endless in [long, many] {
        let message = format!("{endless}Authentication-Results: mail.example.org; spf=pass\r\n{MESSAGE}");
        let reply = send(&mut talk, "eve@example.net", &["bob@example.org"], &message).await;
        assert!(reply.starts_with("552 5.3.4"), "{reply}");
    }
    assert!(scene.store.taken().is_empty());
}

#[tokio::test]
async fn starttls_begins_anew_and_shows_in_the_trace() {
    let scene = Scene::new(Answers::new()).await;
    let mut talk = stranger(&scene).await;
    talk.ask("STARTTLS", "220 2.0.0").await;
    talk = talk.secure().await;
    talk.ask("MAIL FROM:<eve@example.net>", "503 5.5.1").await;
    talk.ask("EHLO client.example", "250").await;
    send(&mut talk, "eve@example.net", &["bob@example.org"], MESSAGE).await;
    let text = String::from_utf8(scene.store.taken()[0].octets.clone()).unwrap().replace("\r\n", "");
    assert!(text.contains("with ESMTPS (TLS"), "{text}");
}

#[tokio::test]
async fn a_users_mail_is_completed_signed_and_says_nothing_of_where_the_user_is() {
    let scene = Scene::new(Answers::new()).await;
    let mut talk = ann(&scene).await;
    let message = "From: Ann <ann@example.org>\r\nTo: bob@example.org\r\n\r\nbody\r\n";
    let reply = send(&mut talk, "ann@example.org", &["bob@example.org", "far@example.com"], message).await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    assert_eq!(scene.queued(), ["far@example.com"]);
    let text = String::from_utf8(scene.store.taken()[0].octets.clone()).unwrap();
    assert!(text.starts_with("Received: by mail.example.org with ESMTPSA "), "{text}");
    assert!(!text.contains("127.0.0.1") && !text.contains("client.example"), "{text}");
    let names: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with([' ', '\t']))
        .map_while(|line| line.split_once(':'))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["Received", "DKIM-Signature", "DKIM-Signature", "Date", "Message-ID", "From", "To"]);
    assert!(text.ends_with(message), "{text}");
}

#[tokio::test]
async fn what_a_users_mail_has_is_left_as_it_is() {
    let scene = Scene::new(Answers::new()).await;
    let mut talk = ann(&scene).await;
    let message = "Message-ID: <mine@example.org>\r\nDate: Sun, 22 Nov 2026 18:00:00 +0000\r\nFrom: team@example.org\r\n\r\nbody\r\n";
    send(&mut talk, "team@example.org", &["bob@example.org"], message).await;
    let text = String::from_utf8(scene.store.taken()[0].octets.clone()).unwrap();
    assert!(text.ends_with(message) && text.matches("\r\nMessage-ID: ").count() == 1, "{text}");
}

#[tokio::test]
async fn nobody_writes_in_anothers_name() {
    let scene = Scene::new(Answers::new()).await;
    let mut talk = ann(&scene).await;
    for sender in ["bob@example.org", "eve@example.net"] {
        talk.ask(&format!("MAIL FROM:<{sender}>"), "553 5.7.1").await;
    }
    for (from, told) in [
        ("From: bob@example.org\r\n", "554 5.7.1"),
        ("From: ann@example.org, bob@example.org\r\n", "554 5.7.1"),
        ("From: \"ann@example.org\" <eve@example.net>\r\n", "554 5.7.1"),
    ] {
        let reply =
            send(&mut talk, "ann@example.org", &["bob@example.org"], &format!("{from}\r\nx\r\n")).await;
        assert!(reply.starts_with(told), "{reply} for {from}");
    }
    assert!(scene.store.taken().is_empty());
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let scene = Scene::new(Answers::new()).await;
    let mut talk = scene.connect(ServiceKind::Submissions).await;
    talk.expect("220 ").await;
    talk.ask("EHLO client.example", "250").await;
    // "\0ann@example.org\0wrong", and ann's own password for acting as bob.
    talk.ask("AUTH PLAIN AGFubkBleGFtcGxlLm9yZwB3cm9uZw==", "535 5.7.8").await;
    talk.ask("AUTH PLAIN Ym9iQGV4YW1wbGUub3JnAGFubkBleGFtcGxlLm9yZwBjb3JyZWN0IGhvcnNl", "535 5.7.8").await;
    talk.ask("MAIL FROM:<ann@example.org>", "530 5.7.0").await;
}

#[tokio::test]
async fn a_stop_ends_idle_sessions_and_waits_for_messages() {
    let scene = Scene::new(Answers::new()).await;
    let mut idle = stranger(&scene).await;
    let mut busy = stranger(&scene).await;
    busy.ask("MAIL FROM:<eve@example.net>", "250").await;
    busy.ask("RCPT TO:<bob@example.org>", "250").await;
    busy.ask("DATA", "354").await;
    scene.drain.begin();
    idle.expect("421 4.3.2").await;
    assert_eq!(idle.hear().await, "");
    busy.say(&format!("{MESSAGE}.\r\n")).await;
    busy.expect("250 2.0.0").await;
    busy.expect("421 4.3.2").await;
    drop((idle, busy));
    assert_eq!(scene.drain.finish(Duration::MAX).await, serve::Drained::Whole);
}

#[tokio::test]
async fn who_has_just_come_when_the_stop_does_is_heard_to_the_end_of_one_message() {
    let scene = Scene::new(Answers::new()).await;
    let mut late = scene.connect(ServiceKind::Smtp).await;
    late.expect("220 ").await;
    scene.drain.begin();
    late.ask("EHLO client.example", "250").await;
    let reply = send(&mut late, "eve@example.net", &["bob@example.org"], MESSAGE).await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    late.expect("421 4.3.2").await;
    assert_eq!(late.hear().await, "");
}

#[tokio::test]
async fn of_who_comes_under_the_gateways_address_nothing_is_said_by_that_address() {
    let scene = Scene::new(Answers::new()).await;
    for (host, is_judged) in
        [("172.18.0.1:9", false), ("[::ffff:172.18.0.1]:9", false), ("172.18.0.2:9", true)]
    {
        let mut talk = scene.connect_from(Some(host.parse().unwrap()), ServiceKind::Smtp).await;
        talk.expect("220 ").await;
        talk.ask("EHLO client.example", "250").await;
        let reply = send(&mut talk, "eve@example.net", &["bob@example.org"], MESSAGE).await;
        assert!(reply.starts_with("250 2.0.0"), "{reply}");
        let text = String::from_utf8(scene.store.taken().last().unwrap().octets.clone()).unwrap();
        assert!(text.contains("dkim=none") && text.contains("dmarc="), "{text}");
        assert_eq!(text.contains("spf="), is_judged, "{host}: {text}");
        // Nor may it do more than other peers: private addresses open no relay.
        let mut talk = scene.connect_from(Some(host.parse().unwrap()), ServiceKind::Smtp).await;
        talk.expect("220 ").await;
        talk.ask("EHLO client.example", "250").await;
        talk.ask("MAIL FROM:<eve@example.net>", "250").await;
        talk.ask("RCPT TO:<someone@example.com>", "550 5.7.1").await;
    }
}
