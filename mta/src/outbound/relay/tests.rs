use std::net::Ipv4Addr;

use address::ReversePath;
use handover::Confidential;
use handover::config::RelayCredentials;
use smtp_proto::command::BodyKind;

use super::*;
use crate::content::Content;
use crate::doubles::exchange::{Exchange, Reaction, Script};
use crate::doubles::name_server::NameServer;
use crate::outbound::Declared;
use crate::outbound::OwnAddresses;

/// The name in the certificate of the exchange in these tests, and one more name with its address.
const TRUSTED_NAME: &str = "relay.example";
const ANOTHER_NAME: &str = "other.example";

fn config(host: &str, exchange: &Exchange, security: RelaySecurity) -> config::Relay {
    config::Relay {
        host: Host::parse(host).unwrap(),
        port: exchange.address.port(),
        security,
        credentials: Some(RelayCredentials {
            user: "ann".into(),
            password: Confidential::new("correct horse"),
        }),
        authorities: None,
    }
}

async fn outbound(relay: Relay) -> OutboundSettings {
    let here = Ipv4Addr::LOCALHOST.into();
    // The same machine at a second address.
    let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped().into();
    let names = NameServer::new()
        .address(TRUSTED_NAME, here)
        .address(TRUSTED_NAME, mapped)
        .address(ANOTHER_NAME, here);
    OutboundSettings {
        hostname: "mail.example.org".parse().unwrap(),
        resolver: names.resolver(5_000).await,
        port: 1,
        own: OwnAddresses::default(),
        connector: Connector::opportunistic().unwrap(),
        meter: serve::metrics::ServiceMetrics::default(),
        relay: Some(relay),
        source_names: crate::outbound::SourceNames::default(),
    }
}

async fn deliver(config: &config::Relay) -> Outcome {
    let outbound = outbound(Relay::new(config).unwrap()).await;
    let destination = Destination::Relay(config.to_string());
    let mut connection = match outbound.connect(MailId::new(), &destination).await {
        Ok(connection) => connection,
        Err(outcome) => return outcome,
    };
    let content = Content::from_octets(b"From: ann@example.org\r\n\r\nhello\r\n".to_vec());
    let bob = [address::Address::parse("bob@anywhere.example").unwrap()];
    let declared = Declared { body: BodyKind::SevenBit, smtputf8: false, requires_tls: false };
    let sent = connection.send(MailId::new(), &ReversePath::Null, &bob, declared, &content).await;
    sent.into_iter().next().unwrap()
}

fn deferral(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Deferred(reason) => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn all_mail_is_sent_to_the_relay_by_name_or_address() {
    let exchange = Script::new().serve().await;
    for host in [TRUSTED_NAME, "[127.0.0.1]"] {
        let open =
            config::Relay { credentials: None, ..config(host, &exchange, RelaySecurity::Opportunistic) };
        assert_eq!(deliver(&open).await, Outcome::Delivered);
    }
    let gone = config::Relay {
        credentials: None,
        ..config("gone.example", &exchange, RelaySecurity::Opportunistic)
    };
    deferral(&deliver(&gone).await);
}

#[tokio::test]
async fn a_password_is_sent_under_tls_to_a_verified_host_only() {
    let folder = tempfile::tempdir().unwrap();
    for security in [RelaySecurity::StartTls, RelaySecurity::ImplicitTls] {
        let (mut script, authority) = Script::new().with_trusted_tls(folder.path(), TRUSTED_NAME);
        if security == RelaySecurity::ImplicitTls {
            script = script.under_tls();
        }
        let exchange = script.serve().await;
        let trusting = |host| config::Relay {
            authorities: Some(authority.clone()),
            ..config(host, &exchange, security)
        };
        assert_eq!(deliver(&trusting(TRUSTED_NAME)).await, Outcome::Delivered, "{security:?}");
        let received = exchange.received.borrow().clone();
        let login =
            received.lines.iter().position(|line| line == "AUTH PLAIN AGFubgBjb3JyZWN0IGhvcnNl").unwrap();
        assert!(login < received.lines.iter().position(|line| line.starts_with("MAIL")).unwrap());

        // The same host under a name that is not in its certificate, and the host without the authority.
        for untrusted in [trusting(ANOTHER_NAME), config(TRUSTED_NAME, &exchange, security)] {
            let reason = deferral(&deliver(&untrusted).await);
            assert!(reason.contains("certificate"), "{reason}");
        }
        let logins = |lines: &[String]| lines.iter().filter(|line| line.starts_with("AUTH")).count();
        assert_eq!(
            logins(&exchange.received.borrow().lines),
            1,
            "only the trusted connection got the password"
        );
    }
}

#[tokio::test]
async fn without_tls_no_password_is_sent() {
    let exchange = Script::new().offering("AUTH PLAIN LOGIN").serve().await;
    let reason = deferral(&deliver(&config(TRUSTED_NAME, &exchange, RelaySecurity::StartTls)).await);
    assert!(reason.contains("TLS"), "{reason}");
    assert!(!exchange.received.borrow().lines.iter().any(|line| line.starts_with("AUTH")));
    let unprotected = config(TRUSTED_NAME, &exchange, RelaySecurity::Opportunistic);
    assert!(matches!(Relay::new(&unprotected), Err(RelayError::Unprotected)));
}

#[tokio::test]
async fn a_refused_login_defers_mail() {
    let folder = tempfile::tempdir().unwrap();
    for (line, answer) in [
        ("AUTH", "535 5.7.8 who are you"),
        ("AUTH", "534 5.7.9 too weak"),
        ("", "554 5.7.1 go away"),
        ("MAIL", "530 5.7.0 log in first"),
    ] {
        let (script, authority) = Script::new().with_trusted_tls(folder.path(), TRUSTED_NAME);
        let exchange = script.on(line, Reaction::Reply(answer)).serve().await;
        let relay = config(TRUSTED_NAME, &exchange, RelaySecurity::StartTls);
        let reason = deferral(&deliver(&config::Relay { authorities: Some(authority), ..relay }).await);
        assert!(reason.contains(answer), "{reason}");
        let received = exchange.received.borrow().clone();
        let logins = received.lines.iter().filter(|line| line.starts_with("AUTH")).count();
        assert!(
            logins <= 1,
            "a login that was refused is not tried at the host's other address: {:?}",
            received.lines
        );
    }
}

#[tokio::test]
async fn relaying_denied_defers_and_a_refused_recipient_fails() {
    for (reply, is_deferred) in [
        ("554 5.7.1 <bob@anywhere.example>: Relay access denied", true),
        ("550 5.7.1 Relaying denied. Proper authentication required.", true),
        ("550 not permitted to relay through this server", true),
        ("550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", true),
        ("550 5.7.1 Client was not authenticated", true),
        ("550 5.1.1 <relay@anywhere.example>: relaying user unknown", false),
        ("550 relay.anywhere.example has no such user", false),
        ("554 5.7.1 message looks like spam", false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (script, authorities) = Script::new().with_trusted_tls(folder.path(), TRUSTED_NAME);
        let exchange = script.on("RCPT", Reaction::Reply(reply)).serve().await;
        let config = config::Relay {
            authorities: Some(authorities),
            ..config(TRUSTED_NAME, &exchange, RelaySecurity::StartTls)
        };
        let outcome = deliver(&config).await;
        assert_eq!(matches!(outcome, Outcome::Deferred(_)), is_deferred, "{reply}: {outcome:?}");
    }
}
