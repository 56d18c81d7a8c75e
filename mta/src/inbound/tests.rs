//! Whole sessions over real sockets, with a mail store that answers from a table.

mod author;
mod content;
pub(super) mod fixture;

use std::time::Duration;

use smtp_proto::replies;

use super::ServiceKind;
use crate::doubles::store::Replies;
use fixture::{Fixture, TestClient};

const MESSAGE: &str = "From: eve@example.net\r\nSubject: hello\r\n\r\nbody\r\n";

async fn peer(fixture: &Fixture) -> TestClient {
    let mut client = fixture.connect(ServiceKind::Smtp).await;
    client.expect("220 ").await;
    client.command("EHLO client.example", "250").await;
    client
}

async fn ann(fixture: &Fixture) -> TestClient {
    let mut client = fixture.connect(ServiceKind::Submissions).await;
    client.expect("220 ").await;
    client.command("EHLO client.example", "250").await;
    client.command("AUTH PLAIN AGFubkBleGFtcGxlLm9yZwBjb3JyZWN0IGhvcnNl", "235 2.7.0").await;
    client
}

/// Sends a message; returns the reply to its end.
async fn send(client: &mut TestClient, sender: &str, recipients: &[&str], message: &str) -> String {
    client.command(&format!("MAIL FROM:<{sender}>"), "250").await;
    for recipient in recipients {
        client.command(&format!("RCPT TO:<{recipient}>"), "250 2.1.5").await;
    }
    client.command("DATA", "354").await;
    client.write(&format!("{message}.\r\n")).await;
    client.read_reply().await
}

#[tokio::test]
async fn mail_from_a_peer_is_stored_with_our_trace_fields_on_top() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = peer(&fixture).await;
    let forged = format!(
        "Authentication-Results: mail.example.org; spf=pass\r\nAuthentication-Results: other.example; none\r\n{MESSAGE}"
    );
    let reply = send(&mut client, "eve@example.net", &["BOB+lists@example.org"], &forged).await;
    assert!(reply.starts_with("250 2.0.0 Message accepted as "), "{reply}");
    let received = &fixture.store.received()[0];
    assert_eq!(
        (received.sender.as_str(), received.recipients.as_slice()),
        ("<eve@example.net>", &["bob+lists@example.org".to_owned()][..])
    );
    let text = String::from_utf8(received.octets.clone()).unwrap();
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
async fn a_message_delivered_to_one_recipient_is_queued_for_the_other() {
    for reply in [replies::SYSTEM_FULL, replies::UNKNOWN_RECIPIENT] {
        let fixture = Fixture::new(Replies::from([("bob@example.org", reply)])).await;
        let mut client = peer(&fixture).await;
        let recipients = ["ann@example.org", "bob@example.org"];
        let reply = send(&mut client, "eve@example.net", &recipients, MESSAGE).await;
        assert!(reply.starts_with("250 2.0.0"), "{reply}");
        assert_eq!(fixture.queued(), ["bob@example.org"]);
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_delivered_to_any_recipient_is_refused() {
    for (store_reply, expected) in [
        (replies::SYSTEM_FULL, "452 4.3.1"),
        (replies::MAILBOX_FULL, "452 4.2.2"),
        (replies::STORE_UNAVAILABLE, "451 4.3.0"),
        (replies::UNKNOWN_RECIPIENT, "550 5.1.1"),
        (replies::MESSAGE_TOO_BIG, "552 5.3.4"),
    ] {
        let fixture = Fixture::new(Replies::from([("bob@example.org", store_reply)])).await;
        let mut client = peer(&fixture).await;
        let reply = send(&mut client, "eve@example.net", &["bob@example.org"], MESSAGE).await;
        assert!(reply.starts_with(expected), "{reply} instead of {expected}");
        assert!(fixture.queued().is_empty());
        client.command("NOOP", "250").await;
    }
}

#[tokio::test]
async fn an_unavailable_store_defers_peers_and_queues_for_users() {
    let fixture = Fixture::new(Replies::new()).await;
    std::fs::remove_file(&fixture.store.socket).unwrap();
    let mut client = peer(&fixture).await;
    let reply = send(&mut client, "eve@example.net", &["bob@example.org"], MESSAGE).await;
    assert!(reply.starts_with("451 4.3.0"), "{reply}");
    assert!(fixture.queued().is_empty());
    let mut client = ann(&fixture).await;
    let reply =
        send(&mut client, "ann@example.org", &["bob@example.org"], "From: ann@example.org\r\n\r\nx\r\n")
            .await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    assert_eq!(fixture.queued(), ["bob@example.org"]);
}

#[tokio::test]
async fn an_alias_resolves_to_local_and_remote_addresses() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = peer(&fixture).await;
    let reply = send(&mut client, "eve@example.net", &["team@example.org", "bob@example.org"], MESSAGE).await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    assert_eq!(fixture.store.received()[0].recipients, ["ann@example.org", "bob@example.org"]);
    assert_eq!(fixture.queued(), ["far@example.com"]);
}

#[tokio::test]
async fn a_peer_can_neither_relay_nor_reach_unknown_recipients() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = peer(&fixture).await;
    client.command("MAIL FROM:<ann@example.org>", "250").await;
    client.command("RCPT TO:<far@example.com>", "550 5.7.1").await;
    client.command("RCPT TO:<unknown@example.org>", "550 5.1.1").await;
    client.command("RCPT TO:<postmaster>", "250 2.1.5").await;
    client.command("RCPT TO:<Postmaster@EXAMPLE.org>", "250 2.1.5").await;
    // The sender of our reports.
    client.command("RCPT TO:<postmaster@mail.example.org>", "250 2.1.5").await;
    client.command("RCPT TO:<PostMaster@Mail.Example.ORG>", "250 2.1.5").await;
    client.command("RCPT TO:<ann@mail.example.org>", "550 5.1.1").await;
}

#[tokio::test]
async fn the_heartbeats_mailbox_accepts_mail_from_this_machine_only() {
    let fixture = Fixture::new(Replies::new()).await;
    let elsewhere = Some("192.0.2.9:4711".parse().unwrap());
    for (host, reply) in [(elsewhere, "550 5.1.1"), (None, "250 2.1.5")] {
        let mut client = fixture.connect_from(host, ServiceKind::Smtp).await;
        client.expect("220 ").await;
        client.command("EHLO client.example", "250").await;
        client.command("MAIL FROM:<>", "250").await;
        client.command("RCPT TO:<beat@example.org>", reply).await;
    }
    let mut user = ann(&fixture).await;
    user.command("MAIL FROM:<beat@example.org>", "553 5.7.1").await;
    user.command("MAIL FROM:<ann@example.org>", "250").await;
    user.command("RCPT TO:<beat@example.org>", "550 5.1.1").await;
}

#[tokio::test]
async fn recipients_beyond_the_limit_are_refused_temporarily() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = peer(&fixture).await;
    client.command("MAIL FROM:<eve@example.net>", "250").await;
    for _ in 0..fixture::MAX_RECIPIENTS {
        client.command("RCPT TO:<bob@example.org>", "250").await;
    }
    client.command("RCPT TO:<bob@example.org>", "452 4.5.3").await;
    client.command("DATA", "354").await;
    client.write(&format!("{MESSAGE}.\r\n")).await;
    client.expect("250 2.0.0").await;
    assert_eq!(fixture.store.received()[0].recipients, ["bob@example.org"]);
}

#[tokio::test]
async fn a_mail_loop_is_refused() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = peer(&fixture).await;
    let hops = "Received: from a by b; Sun, 22 Nov 2026 18:00:00 +0000\r\n";
    let reply =
        send(&mut client, "eve@example.net", &["bob@example.org"], &format!("{}{MESSAGE}", hops.repeat(100)))
            .await;
    assert!(reply.starts_with("250"), "{reply}");
    let reply =
        send(&mut client, "eve@example.net", &["bob@example.org"], &format!("{}{MESSAGE}", hops.repeat(101)))
            .await;
    assert!(reply.starts_with("554 5.4.6"), "{reply}");
}

#[tokio::test]
async fn an_endless_header_section_is_refused() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = peer(&fixture).await;
    let long = format!("X: {}\r\n", "x".repeat(990)).repeat(600);
    let many = "X: y\r\n".repeat(message::field::MAX_FIELDS);
    for endless in [long, many] {
        let message = format!("{endless}Authentication-Results: mail.example.org; spf=pass\r\n{MESSAGE}");
        let reply = send(&mut client, "eve@example.net", &["bob@example.org"], &message).await;
        assert!(reply.starts_with("552 5.3.4"), "{reply}");
    }
    assert!(fixture.store.received().is_empty());
}

#[tokio::test]
async fn starttls_resets_the_session_and_is_recorded_in_received() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = peer(&fixture).await;
    client.command("STARTTLS", "220 2.0.0").await;
    client = client.secure().await;
    client.command("MAIL FROM:<eve@example.net>", "503 5.5.1").await;
    client.command("EHLO client.example", "250").await;
    send(&mut client, "eve@example.net", &["bob@example.org"], MESSAGE).await;
    let text = String::from_utf8(fixture.store.received()[0].octets.clone()).unwrap().replace("\r\n", "");
    assert!(text.contains("with ESMTPS (TLS"), "{text}");
}

#[tokio::test]
async fn submitted_mail_is_completed_and_signed_without_the_users_address() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = ann(&fixture).await;
    let message = "From: Ann <ann@example.org>\r\nTo: bob@example.org\r\n\r\nbody\r\n";
    let reply = send(&mut client, "ann@example.org", &["bob@example.org", "far@example.com"], message).await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    assert_eq!(fixture.queued(), ["far@example.com"]);
    let text = String::from_utf8(fixture.store.received()[0].octets.clone()).unwrap();
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
async fn existing_fields_of_submitted_mail_are_unchanged() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = ann(&fixture).await;
    let message = "Message-ID: <mine@example.org>\r\nDate: Sun, 22 Nov 2026 18:00:00 +0000\r\nFrom: team@example.org\r\n\r\nbody\r\n";
    send(&mut client, "team@example.org", &["bob@example.org"], message).await;
    let text = String::from_utf8(fixture.store.received()[0].octets.clone()).unwrap();
    assert!(text.ends_with(message) && text.matches("\r\nMessage-ID: ").count() == 1, "{text}");
}

#[tokio::test]
async fn a_user_cannot_send_as_another_user() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = ann(&fixture).await;
    for sender in ["bob@example.org", "eve@example.net"] {
        client.command(&format!("MAIL FROM:<{sender}>"), "553 5.7.1").await;
    }
    for (from, expected) in [
        ("From: bob@example.org\r\n", "554 5.7.1"),
        ("From: ann@example.org, bob@example.org\r\n", "554 5.7.1"),
        ("From: \"ann@example.org\" <eve@example.net>\r\n", "554 5.7.1"),
    ] {
        let reply =
            send(&mut client, "ann@example.org", &["bob@example.org"], &format!("{from}\r\nx\r\n")).await;
        assert!(reply.starts_with(expected), "{reply} for {from}");
    }
    assert!(fixture.store.received().is_empty());
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut client = fixture.connect(ServiceKind::Submissions).await;
    client.expect("220 ").await;
    client.command("EHLO client.example", "250").await;
    // "\0ann@example.org\0wrong", and ann's own password for acting as bob.
    client.command("AUTH PLAIN AGFubkBleGFtcGxlLm9yZwB3cm9uZw==", "535 5.7.8").await;
    client
        .command("AUTH PLAIN Ym9iQGV4YW1wbGUub3JnAGFubkBleGFtcGxlLm9yZwBjb3JyZWN0IGhvcnNl", "535 5.7.8")
        .await;
    client.command("MAIL FROM:<ann@example.org>", "530 5.7.0").await;
}

#[tokio::test]
async fn a_stop_ends_idle_sessions_and_waits_for_messages() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut idle = peer(&fixture).await;
    let mut busy = peer(&fixture).await;
    busy.command("MAIL FROM:<eve@example.net>", "250").await;
    busy.command("RCPT TO:<bob@example.org>", "250").await;
    busy.command("DATA", "354").await;
    fixture.drain.begin();
    idle.expect("421 4.3.2").await;
    assert_eq!(idle.read_reply().await, "");
    busy.write(&format!("{MESSAGE}.\r\n")).await;
    busy.expect("250 2.0.0").await;
    busy.expect("421 4.3.2").await;
    drop((idle, busy));
    assert_eq!(fixture.drain.finish(Duration::MAX).await, serve::DrainOutcome::Complete);
}

#[tokio::test]
async fn a_client_that_connected_just_before_the_stop_may_finish_one_message() {
    let fixture = Fixture::new(Replies::new()).await;
    let mut late = fixture.connect(ServiceKind::Smtp).await;
    late.expect("220 ").await;
    fixture.drain.begin();
    late.command("EHLO client.example", "250").await;
    let reply = send(&mut late, "eve@example.net", &["bob@example.org"], MESSAGE).await;
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    late.expect("421 4.3.2").await;
    assert_eq!(late.read_reply().await, "");
}

#[tokio::test]
async fn spf_is_not_checked_for_the_gateways_address() {
    let fixture = Fixture::new(Replies::new()).await;
    for (host, is_checked) in
        [("172.18.0.1:9", false), ("[::ffff:172.18.0.1]:9", false), ("172.18.0.2:9", true)]
    {
        let mut client = fixture.connect_from(Some(host.parse().unwrap()), ServiceKind::Smtp).await;
        client.expect("220 ").await;
        client.command("EHLO client.example", "250").await;
        let reply = send(&mut client, "eve@example.net", &["bob@example.org"], MESSAGE).await;
        assert!(reply.starts_with("250 2.0.0"), "{reply}");
        let text = String::from_utf8(fixture.store.received().last().unwrap().octets.clone()).unwrap();
        assert!(text.contains("dkim=none") && text.contains("dmarc="), "{text}");
        assert_eq!(text.contains("spf="), is_checked, "{host}: {text}");
        // Nor may it do more than other peers: private addresses open no relay.
        let mut client = fixture.connect_from(Some(host.parse().unwrap()), ServiceKind::Smtp).await;
        client.expect("220 ").await;
        client.command("EHLO client.example", "250").await;
        client.command("MAIL FROM:<eve@example.net>", "250").await;
        client.command("RCPT TO:<someone@example.com>", "550 5.7.1").await;
    }
}
