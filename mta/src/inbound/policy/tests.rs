//! Whole sessions with peers that the policy judges.

use std::net::{Ipv4Addr, SocketAddr};

use handover::config::{Policy, PolicyAction};

use crate::doubles::name_server::NameServer;
use crate::doubles::store::Replies;
use crate::inbound::ServiceKind;
use crate::inbound::tests::fixture::{Fixture, TestClient};

const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

fn names() -> NameServer {
    NameServer::new().ptr(PEER, "mail.example.net").address("mail.example.net", PEER.into())
}

async fn connect(fixture: &Fixture, hello: &str) -> TestClient {
    let host = SocketAddr::new(PEER.into(), 4711);
    let mut client = fixture.connect_from(Some(host), ServiceKind::Smtp).await;
    client.expect("220 ").await;
    client.command(&format!("EHLO {hello}"), "250").await;
    client.command("MAIL FROM:<eve@example.net>", "250").await;
    client
}

/// The reply to RCPT of a server with the default policy.
async fn refusal(names: NameServer, hello: &str) -> String {
    let fixture = Fixture::with_policy(Replies::new(), Policy::default(), names).await;
    let mut client = connect(&fixture, hello).await;
    client.write("RCPT TO:<bob@example.org>\r\n").await;
    let reply = client.read_reply().await;
    for role in ["postmaster@example.org", "Abuse@EXAMPLE.org", "postmaster"] {
        client.write(&format!("RCPT TO:<{role}>\r\n")).await;
        let reply = client.read_reply().await;
        assert!(!reply.contains("5.7."), "{role}: {reply}");
    }
    reply
}

#[tokio::test]
async fn a_peer_with_a_confirmed_name_and_a_sane_hello_is_accepted() {
    let reply = refusal(names(), "mail.example.net").await;
    assert!(reply.starts_with("250 2.1.5"), "{reply}");
}

#[tokio::test]
async fn a_peer_without_a_reverse_name_is_told_how_to_get_one() {
    let reply = refusal(NameServer::new(), "mail.example.net").await;
    assert_eq!(
        reply.trim_end(),
        "550 5.7.25 Your address 192.0.2.7 has no reverse name: set a PTR record at its provider. Questions: write to \
         postmaster@example.org"
    );
}

#[tokio::test]
async fn a_reverse_name_of_another_host_is_refused() {
    let reply = refusal(NameServer::new().ptr(PEER, "mail.example.com"), "mail.example.net").await;
    assert!(reply.starts_with("550 5.7.25 The reverse name mail.example.com"), "{reply}");
}

#[tokio::test]
async fn a_reverse_name_without_an_answer_is_deferred() {
    let names = names().server_failure("7.2.0.192.in-addr.arpa");
    let reply = refusal(names, "mail.example.net").await;
    assert!(reply.starts_with("451 4.7.25 "), "{reply}");
}

#[tokio::test]
async fn a_hello_that_cannot_be_the_peers_is_refused() {
    for hello in ["mail.example.org", "EXAMPLE.org", "[198.51.100.1]", "localhost", "192.0.2.7"] {
        let reply = refusal(names(), hello).await;
        assert!(reply.starts_with("550 5.7.1 The name "), "{hello}: {reply}");
    }
    for hello in ["[192.0.2.7]", "other.example", "mail.example.org.evil.example"] {
        let reply = refusal(names(), hello).await;
        assert!(reply.starts_with("250 "), "{hello}: {reply}");
    }
}

#[tokio::test]
async fn a_check_that_is_off_is_recorded_only() {
    let policy = Policy { rdns: PolicyAction::Off, ..Policy::default() };
    let fixture = Fixture::with_policy(Replies::new(), policy, NameServer::new()).await;
    let mut client = connect(&fixture, "mail.example.net").await;
    client.command("RCPT TO:<bob@example.org>", "250 2.1.5").await;
    client.command("DATA", "354").await;
    client.write("From: eve@example.net\r\n\r\nbody\r\n.\r\n").await;
    assert!(client.read_reply().await.starts_with("250 "));
    let text = String::from_utf8(fixture.store.received()[0].octets.clone()).unwrap();
    assert!(text.contains("iprev=fail policy.iprev=192.0.2.7"), "{text}");
}

#[tokio::test]
async fn the_lookups_of_a_connection_are_made_once() {
    let names = names();
    let queries = names.queries();
    let fixture = Fixture::with_policy(Replies::new(), Policy::default(), names).await;
    let mut client = connect(&fixture, "mail.example.net").await;
    for _ in 0..2 {
        client.command("RCPT TO:<bob@example.org>", "250 2.1.5").await;
        client.command("RSET", "250").await;
        client.command("EHLO mail.example.net", "250").await;
        client.command("MAIL FROM:<eve@example.net>", "250").await;
    }
    let ptr = queries.borrow().iter().filter(|(name, _)| name.to_string().contains("in-addr")).count();
    assert_eq!(ptr, 1);
}
