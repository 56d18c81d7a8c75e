//! Whole sessions with peers that the policy judges.

use std::net::{Ipv4Addr, SocketAddr};

use handover::config::{Policy, PolicyAction};

use crate::doubles::name_server::NameServer;
use crate::doubles::store::Replies;
use crate::inbound::ServiceKind;
use crate::inbound::tests::fixture::{Fixture, TestClient};

const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

fn names() -> NameServer {
    without_reverse_name().ptr(PEER, "mail.example.net")
}

/// The sender's domain can receive mail.
fn without_reverse_name() -> NameServer {
    NameServer::new().mx("example.net", 10, "mail.example.net").address("mail.example.net", PEER.into())
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
async fn a_peer_without_a_reverse_name_learns_how_to_get_one() {
    let reply = refusal(without_reverse_name(), "mail.example.net").await;
    assert_eq!(
        reply.trim_end(),
        "550 5.7.25 Your address 192.0.2.7 has no reverse name: set a PTR record at its provider. Questions: write to \
         postmaster@example.org"
    );
}

#[tokio::test]
async fn a_reverse_name_of_another_host_is_refused() {
    let reply = refusal(without_reverse_name().ptr(PEER, "mail.example.com"), "mail.example.net").await;
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
    let fixture = Fixture::with_policy(Replies::new(), policy, without_reverse_name()).await;
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

/// A domain that allows no other host, and asks to refuse, or to suspect, what it did not send.
fn strict_names() -> NameServer {
    names()
        .txt("bank.example", "v=spf1 -all")
        .txt("_dmarc.bank.example", "v=DMARC1; p=reject")
        .txt("_dmarc.shop.example", "v=DMARC1; p=quarantine")
        .txt("_dmarc.test.example", "v=DMARC1; p=none")
}

/// Sends a message from an author to some recipients, all of which are accepted; returns the last reply.
async fn send(fixture: &Fixture, author: &str, recipients: &[&str]) -> String {
    let mut client = connect(fixture, "mail.example.net").await;
    for recipient in recipients {
        client.command(&format!("RCPT TO:<{recipient}>"), "250").await;
    }
    client.command("DATA", "354").await;
    client.write(&format!("From: {author}\r\nSubject: hello\r\n\r\nbody\r\n.\r\n")).await;
    client.read_reply().await
}

#[tokio::test]
async fn a_forged_author_is_refused_and_the_postmaster_gets_it_all_the_same() {
    let fixture = Fixture::with_policy(Replies::new(), Policy::default(), strict_names()).await;
    let reply = send(&fixture, "ceo@bank.example", &["bob@example.org"]).await;
    assert!(reply.starts_with("550 5.7.1 DMARC: ") && reply.contains(" mail of bank.example, "), "{reply}");
    assert!(fixture.store.received().is_empty());
    let reply = send(&fixture, "ceo@bank.example", &["postmaster"]).await;
    assert!(!reply.contains("DMARC"), "{reply}");
}

#[tokio::test]
async fn a_suspect_message_is_junk_and_says_so() {
    let fixture = Fixture::with_policy(Replies::new(), Policy::default(), strict_names()).await;
    for (author, is_junk) in [("a@shop.example", true), ("a@test.example", false), ("a@other.example", false)]
    {
        let reply = send(&fixture, author, &["bob@example.org"]).await;
        assert!(reply.starts_with("250 "), "{reply}");
        let received = fixture.store.received().pop().unwrap();
        assert_eq!(received.is_junk, is_junk, "{author}");
        let text = String::from_utf8(received.octets).unwrap().replace("\r\n ", " ");
        let verdict = if is_junk { "junk" } else { "accepted" };
        let field = format!(
            "\r\nMailstead-Policy: {verdict}; reverse name pass: 192.0.2.7 is called mail.example.net; "
        );
        assert!(text.contains(&field), "{text}");
    }
}

#[tokio::test]
async fn the_settings_may_ask_for_less_than_the_domain() {
    let policy = Policy::uniform(PolicyAction::Junk);
    let fixture = Fixture::with_policy(Replies::new(), policy, strict_names()).await;
    assert!(send(&fixture, "ceo@bank.example", &["bob@example.org"]).await.starts_with("250 "));
    assert!(fixture.store.received()[0].is_junk);
}

#[tokio::test]
async fn a_sender_that_spf_forbids_is_junk_unless_the_settings_refuse_it() {
    let names = || names().txt("example.net", "v=spf1 -all");
    let fixture = Fixture::with_policy(Replies::new(), Policy::default(), names()).await;
    assert!(send(&fixture, "eve@example.net", &["bob@example.org"]).await.starts_with("250 "));
    assert!(fixture.store.received()[0].is_junk);
    let policy = Policy { spf: PolicyAction::Reject, ..Policy::default() };
    let fixture = Fixture::with_policy(Replies::new(), policy, names()).await;
    let reply = send(&fixture, "eve@example.net", &["bob@example.org"]).await;
    assert!(reply.starts_with("550 5.7.23 SPF: eve@example.net "), "{reply}");
}

#[tokio::test]
async fn junk_stays_here() {
    let fixture = Fixture::with_policy(Replies::new(), Policy::default(), strict_names()).await;
    let reply = send(&fixture, "a@shop.example", &["team@example.org"]).await;
    assert!(reply.starts_with("250 "), "{reply}");
    assert_eq!(fixture.store.received()[0].recipients, ["ann@example.org"]);
    assert!(fixture.queued().is_empty());
    let reply = send(&fixture, "a@shop.example", &["bob@example.org", "away@example.org"]).await;
    assert!(reply.starts_with("550 5.7.1 Not forwarded: "), "{reply}");
    assert!(fixture.queued().is_empty());
    assert_eq!(fixture.store.received().len(), 1);
}

#[tokio::test]
async fn a_forged_verdict_is_removed() {
    let fixture = Fixture::with_policy(Replies::new(), Policy::default(), names()).await;
    let reply = send(&fixture, "eve@example.net\r\nMAILSTEAD-policy : accepted", &["bob@example.org"]).await;
    assert!(reply.starts_with("250 "), "{reply}");
    let text = String::from_utf8(fixture.store.received()[0].octets.clone()).unwrap();
    assert_eq!(text.to_lowercase().matches("mailstead-policy").count(), 1, "{text}");
}

#[tokio::test]
async fn a_listed_peer_learns_where_and_why() {
    let listed = |answer: [u8; 4]| names().address("7.2.0.192.bl.example.com", answer.into());
    let policy = || Policy {
        blocklists: vec![address::Domain::parse("bl.example.com").unwrap()],
        ..Policy::default()
    };
    let with_text =
        listed([127, 0, 0, 3]).txt("7.2.0.192.bl.example.com", "see https://bl.example.com/7\r\n250 ok");
    let fixture = Fixture::with_policy(Replies::new(), policy(), with_text).await;
    let mut client = connect(&fixture, "mail.example.net").await;
    client.write("RCPT TO:<bob@example.org>\r\n").await;
    let reply = client.read_reply().await;
    assert!(
        reply.starts_with(
            "550 5.7.1 Your address 192.0.2.7 is in the blocklist bl.example.com (see https://bl.example.com/7??250 ok): "
        ),
        "{reply}"
    );
    // Refusals, inventions and failures of a list are no entries.
    let failure = names().server_failure("7.2.0.192.bl.example.com");
    for names in [listed([127, 255, 255, 254]), listed([192, 0, 2, 1]), failure, names()] {
        let fixture = Fixture::with_policy(Replies::new(), policy(), names).await;
        let mut client = connect(&fixture, "mail.example.net").await;
        client.command("RCPT TO:<bob@example.org>", "250 2.1.5").await;
    }
}

#[tokio::test]
async fn a_sender_that_cannot_be_answered_is_refused() {
    let reply = async |sender: &str, names: NameServer| {
        let fixture = Fixture::with_policy(Replies::new(), Policy::default(), names).await;
        let mut client = connect(&fixture, "mail.example.net").await;
        client.command("RSET", "250").await;
        client.command(&format!("MAIL FROM:<{sender}>"), "250").await;
        client.write("RCPT TO:<bob@example.org>\r\n").await;
        client.read_reply().await
    };
    let zone = || {
        names()
            .mx("null.example", 0, ".")
            .mx("lost.example", 10, "gone.example")
            .mx("here.example", 10, "localhost.example")
            .address("localhost.example", [127, 0, 0, 1].into())
            .txt("text.example", "nothing else")
            .address("host.example", PEER.into())
    };
    for (sender, expected) in [
        ("a@null.example", "550 5.7.27 The sender's domain null.example says that it takes no mail"),
        ("a@nowhere.example", "550 5.1.8 The sender's domain nowhere.example does not exist"),
        ("a@lost.example", "550 5.1.8 The sender's domain lost.example has a mail host that does not exist"),
        ("a@here.example", "550 5.1.8 The sender's domain here.example has a mail host without a usable"),
        ("a@text.example", "550 5.1.8 The sender's domain text.example has neither"),
        ("a@host.example", "250 "),
        ("a@example.net", "250 "),
        ("", "250 "),
        ("a@[192.0.2.7]", "250 "),
    ] {
        let reply = reply(sender, zone()).await;
        assert!(reply.starts_with(expected), "{sender}: {reply}");
    }
    let reply = reply("a@slow.example", zone().server_failure("slow.example")).await;
    assert!(reply.starts_with("250 "), "{reply}");
}
