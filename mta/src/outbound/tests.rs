use std::net::{IpAddr, Ipv4Addr};

use serve::MailId;

use super::*;
use crate::doubles::exchange::{Exchange, Reaction, Script};
use crate::doubles::name_server::NameServer;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

async fn outbound(names: NameServer, port: u16) -> OutboundSettings {
    OutboundSettings {
        hostname: Domain::parse("mail.example.org").unwrap(),
        resolver: names.resolver(5_000).await,
        port,
        own: OwnAddresses::default(),
        connector: serve::tls::Connector::opportunistic().unwrap(),
        meter: ServiceMetrics::default(),
        relay: None,
        source_names: SourceNames::default(),
    }
}

fn to(domain: &str) -> Destination {
    Destination::Host(Host::parse(domain).unwrap())
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn message() -> Content {
    Content::from_octets(b"From: ann@example.org\r\n\r\n.hidden\r\nhello\r\n".to_vec())
}

async fn send(connection: &mut Connection, recipients: &[&str]) -> Vec<Outcome> {
    let recipients: Vec<_> = recipients.iter().map(|text| address(text)).collect();
    let sender = ReversePath::Address(address("ann@example.org"));
    let declared = Declared { body: BodyKind::EightBitMime, smtputf8: false, requires_tls: false };
    connection.send(MailId::new(), &sender, &recipients, declared, &message()).await
}

/// Sends one message to bob@example.net over a new connection.
async fn deliver(outbound: &OutboundSettings) -> Result<Vec<Outcome>, Outcome> {
    let mut connection = outbound.connect(MailId::new(), &to("example.net")).await?;
    Ok(send(&mut connection, &["bob@example.net"]).await)
}

fn failure(result: Result<Connection, Outcome>) -> String {
    match result.unwrap_err() {
        Outcome::Failed(reason) => reason.status.to_string(),
        other => panic!("{other:?}"),
    }
}

fn deferral(result: Result<Connection, Outcome>) -> String {
    match result.unwrap_err() {
        Outcome::Deferred(reason) => reason.status.to_string(),
        other => panic!("{other:?}"),
    }
}

fn one_exchange(names: NameServer) -> NameServer {
    names.mx("example.net", 10, "mx.example.net").address("mx.example.net", HERE)
}

async fn delivered_to(exchange: &Exchange) -> Result<Vec<Outcome>, Outcome> {
    deliver(&outbound(one_exchange(NameServer::new()), exchange.address.port()).await).await
}

#[tokio::test]
async fn a_message_goes_to_the_exchange_of_its_domain() {
    let exchange = Script::new().serve().await;
    assert_eq!(delivered_to(&exchange).await, Ok(vec![Outcome::Delivered]));
    let received = exchange.received.borrow();
    assert_eq!(received.messages, ["From: ann@example.org\r\n\r\n.hidden\r\nhello\r\n"]);
    assert_eq!(received.lines[0], "EHLO mail.example.org");
    assert!(
        received.lines[1].starts_with("MAIL FROM:<ann@example.org> SIZE=41 BODY=8BITMIME"),
        "{:?}",
        received.lines
    );
}

#[tokio::test]
async fn a_domain_without_mx_is_its_own_exchange() {
    let exchange = Script::new().serve().await;
    let names = NameServer::new().address("example.net", HERE);
    let outbound = outbound(names, exchange.address.port()).await;
    assert_eq!(deliver(&outbound).await, Ok(vec![Outcome::Delivered]));
}

#[tokio::test]
async fn a_negative_dns_answer_is_a_failure_and_a_missing_one_is_a_deferral() {
    let failing = [
        (NameServer::new(), "5.1.2"),
        (NameServer::new().mx("example.net", 0, "."), "5.1.10"),
        (NameServer::new().txt("example.net", "v=spf1 -all"), "5.1.2"),
        (NameServer::new().mx("example.net", 10, "mx.example.net"), "5.4.4"),
        (NameServer::new().mx("example.net", 10, "mail.example.org"), "5.4.6"),
    ];
    for (names, status) in failing {
        let result = outbound(names, 25).await.connect(MailId::new(), &to("example.net")).await;
        assert_eq!(failure(result), status);
    }
    let deferring = [
        NameServer::new().server_failure("example.net"),
        NameServer::new().mx("example.net", 10, "mx.example.net").server_failure("mx.example.net"),
    ];
    for names in deferring {
        assert_eq!(
            deferral(outbound(names, 25).await.connect(MailId::new(), &to("example.net")).await),
            "4.4.3"
        );
    }
}

#[tokio::test]
async fn mail_is_never_sent_to_an_address_of_this_process() {
    let exchange = Script::new().serve().await;
    let mut outbound = outbound(one_exchange(NameServer::new()), exchange.address.port()).await;
    outbound.own = OwnAddresses::new([exchange.address]);
    assert_eq!(failure(outbound.connect(MailId::new(), &to("example.net")).await), "5.4.6");
    assert_eq!(failure(outbound.connect(MailId::new(), &to("[127.0.0.1]")).await), "5.4.6");
    assert_eq!(exchange.received.borrow().connections, 0);
}

#[tokio::test]
async fn two_ipv4_addresses_do_not_hide_an_ipv6_address() {
    // The port is free over IPv4, so that a connection to those addresses is refused.
    let exchange = Script::new().serve_at("[::1]:0".parse().unwrap()).await;
    let names = NameServer::new()
        .mx("example.net", 10, "mx.example.net")
        .address("mx.example.net", [127, 0, 0, 2].into())
        .address("mx.example.net", [127, 0, 0, 3].into())
        .address("mx.example.net", "::1".parse().unwrap());
    let outbound = outbound(names, exchange.address.port()).await;
    assert_eq!(deliver(&outbound).await, Ok(vec![Outcome::Delivered]));
}

#[tokio::test]
async fn after_an_exchange_that_refuses_or_drops_the_connection_the_next_is_tried() {
    for answer in [Reaction::Reply("554 no service"), Reaction::Reply("421 busy"), Reaction::Drop] {
        // Both exchanges have one address, so the second connection is the second exchange's.
        let exchange = Script::new().once("", answer).serve().await;
        let names = one_exchange(NameServer::new())
            .mx("example.net", 20, "mx2.example.net")
            .address("mx2.example.net", HERE);
        let outbound = outbound(names, exchange.address.port()).await;
        assert_eq!(deliver(&outbound).await, Ok(vec![Outcome::Delivered]));
        assert_eq!(exchange.received.borrow().connections, 2);
    }
}

#[tokio::test]
async fn a_message_waits_while_no_exchange_answers() {
    let exchange = Script::new().on("", Reaction::Reply("554 go away")).serve().await;
    let outbound = outbound(one_exchange(NameServer::new()), exchange.address.port()).await;
    let outcome = outbound.connect(MailId::new(), &to("example.net")).await.unwrap_err();
    let Outcome::Deferred(reason) = outcome else { panic!("{outcome:?}") };
    assert_eq!(reason.remote.as_deref(), Some("mx.example.net"));
    assert_eq!(reason.text, "554 go away");
}

#[tokio::test]
async fn a_connection_is_encrypted_with_a_self_signed_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let exchange = Script::new().with_tls(folder.path()).serve().await;
    assert_eq!(delivered_to(&exchange).await, Ok(vec![Outcome::Delivered]));
    assert_eq!(exchange.received.borrow().encrypted, 1);
    assert_eq!(exchange.received.borrow().lines.iter().filter(|line| line.starts_with("EHLO")).count(), 2);
}

#[tokio::test]
async fn after_a_failed_handshake_mail_is_sent_in_clear_text_over_a_new_connection() {
    let folder = tempfile::tempdir().unwrap();
    let exchange = Script::new().with_tls(folder.path()).on("STARTTLS", Reaction::BreakTls).serve().await;
    assert_eq!(delivered_to(&exchange).await, Ok(vec![Outcome::Delivered]));
    assert_eq!((exchange.received.borrow().connections, exchange.received.borrow().encrypted), (2, 0));
}

#[tokio::test]
async fn after_a_refused_starttls_mail_is_sent_in_clear_text_over_the_same_connection() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = Reaction::Reply("454 not now");
    let exchange = Script::new().with_tls(folder.path()).on("STARTTLS", refusal).serve().await;
    assert_eq!(delivered_to(&exchange).await, Ok(vec![Outcome::Delivered]));
    assert_eq!(exchange.received.borrow().connections, 1);
}

#[tokio::test]
async fn each_recipient_of_a_message_has_its_own_outcome() {
    let exchange = Script::new()
        .on("RCPT TO:<later", Reaction::Reply("450 4.2.1 not now"))
        .on("RCPT TO:<never", Reaction::Reply("550 5.1.1 unknown"))
        .serve()
        .await;
    let outbound = outbound(one_exchange(NameServer::new()), exchange.address.port()).await;
    let mut connection = outbound.connect(MailId::new(), &to("example.net")).await.unwrap();
    let outcomes =
        send(&mut connection, &["later@example.net", "bob@example.net", "never@example.net"]).await;
    let kinds: Vec<_> =
        outcomes.iter().map(|outcome| outcome.reason().map(|reason| reason.status.to_string())).collect();
    assert_eq!(kinds, [Some("4.2.1".to_owned()), None, Some("5.1.1".to_owned())]);
    assert_eq!(exchange.received.borrow().messages.len(), 1);
}

#[tokio::test]
async fn one_connection_carries_several_messages() {
    let exchange = Script::new().serve().await;
    let outbound = outbound(one_exchange(NameServer::new()), exchange.address.port()).await;
    let mut connection = outbound.connect(MailId::new(), &to("example.net")).await.unwrap();
    for _ in 0..3 {
        assert_eq!(send(&mut connection, &["bob@example.net"]).await, [Outcome::Delivered]);
        assert!(connection.is_ready());
    }
    connection.quit().await;
    let received = exchange.received.borrow();
    assert_eq!((received.connections, received.messages.len()), (1, 3));
    assert_eq!(received.lines.last().map(String::as_str), Some("QUIT"));
}

#[tokio::test]
async fn a_broken_connection_defers_the_message() {
    for line in ["MAIL", "RCPT", "DATA", "."] {
        let exchange = Script::new().on(line, Reaction::Drop).serve().await;
        let outcomes = delivered_to(&exchange).await.unwrap();
        let [Outcome::Deferred(reason)] = &outcomes[..] else { panic!("{outcomes:?}") };
        assert_eq!((reason.status.to_string().as_str(), &reason.remote), ("4.4.2", &None), "{line}");
        assert!(reason.text.contains("mx.example.net"), "{reason:?}");
    }
}

#[tokio::test]
async fn an_exchange_that_stops_answering_times_out() {
    let exchange = Script::new().on(".", Reaction::Stall).serve().await;
    let outbound = outbound(one_exchange(NameServer::new()), exchange.address.port()).await;
    let mut connection = outbound.connect(MailId::new(), &to("example.net")).await.unwrap();
    let mut received = exchange.received.clone();
    let sending = tokio::spawn(async move { send(&mut connection, &["bob@example.net"]).await });
    received.wait_for(|received| !received.messages.is_empty()).await.unwrap();
    // From here on every task waits, and the clock advances by itself.
    tokio::time::pause();
    let outcomes = sending.await.unwrap();
    let [Outcome::Deferred(reason)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert!(reason.text.starts_with("Peer did not answer in time"), "{reason:?}");
}
