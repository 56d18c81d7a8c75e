use tokio::net::TcpListener;

use super::*;
use crate::tls::{Connector, Tls};
use rustls_pki_types::ServerName;

async fn pair() -> (Stream, Stream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (one, other) = tokio::join!(TcpStream::connect(address), listener.accept());
    (one.unwrap().into(), other.unwrap().0.into())
}

fn tls() -> Tls {
    let folder = tempfile::tempdir().unwrap();
    let files = crate::tls::tests::certificate(folder.path(), "mail.example.org");
    Tls::load(&files).unwrap()
}

fn name() -> ServerName<'static> {
    ServerName::try_from("mail.example.org").unwrap()
}

#[tokio::test]
async fn received_octets_are_appended() {
    let (mut client, mut server) = pair().await;
    client.send(b"one").await.unwrap();
    let mut octets = b"zero ".to_vec();
    assert_eq!(server.receive(&mut octets).await.unwrap(), 3);
    assert_eq!(octets, b"zero one");
    drop(client);
    assert_eq!(server.receive_within(Duration::MAX, &mut octets).await, ReceiveOutcome::End);
}

#[tokio::test]
async fn a_silent_peer_is_idle_and_loses_nothing_by_it() {
    let (mut client, mut server) = pair().await;
    let mut octets = Vec::new();
    assert_eq!(server.receive_within(Duration::ZERO, &mut octets).await, ReceiveOutcome::Idle);
    client.send(b"late").await.unwrap();
    assert_eq!(server.receive_within(Duration::MAX, &mut octets).await, ReceiveOutcome::Octets(4));
    assert_eq!(octets, b"late");
}

#[tokio::test]
async fn a_buffer_with_a_bound_is_never_read_past_it() {
    let (mut client, mut server) = pair().await;
    client.send(b"abcdef").await.unwrap();
    let mut four = [0u8; 4];
    assert_eq!(server.receive(&mut &mut four[..]).await.unwrap(), 4);
    assert_eq!(&four, b"abcd");
    let mut others = Vec::new();
    server.receive(&mut others).await.unwrap();
    assert_eq!(others, b"ef");
}

#[tokio::test]
async fn unencrypted_data_after_starttls_ends_the_connection() {
    let (_client, server) = pair().await;
    let outcome = server.secure(&tls(), b"MAIL FROM:<>\r\n").await;
    assert!(matches!(outcome, Err(UpgradeError::Injected)));
}

#[tokio::test]
async fn unread_unencrypted_data_is_never_treated_as_encrypted() {
    let (mut client, server) = pair().await;
    client.send(b"MAIL FROM:<>\r\n").await.unwrap();
    let tls = tls();
    let connector = Connector::opportunistic().unwrap();
    let (secured, _) = tokio::join!(server.secure(&tls, b""), client.secure_to(&connector, name(), b""));
    assert!(matches!(secured, Err(UpgradeError::Handshake(_))));
}

#[tokio::test]
async fn an_encrypted_stream_reports_its_cipher_and_closes_cleanly() {
    let (client, server) = pair().await;
    assert_eq!(server.encryption(), None);
    let tls = tls();
    let connector = Connector::opportunistic().unwrap();
    let (server, client) = tokio::join!(server.secure(&tls, b""), client.secure_to(&connector, name(), b""));
    let (mut server, mut client) = (server.unwrap(), client.unwrap());
    assert!(server.is_encrypted());
    assert_eq!(server.encryption().unwrap().0, "TLSv1_3");

    server.send(b"221 bye\r\n").await.unwrap();
    let closing = async {
        let mut goodbye = Vec::new();
        client.receive(&mut goodbye).await.unwrap();
        assert_eq!(goodbye, b"221 bye\r\n");
        // 0 and not an error: close_notify came before the end.
        assert_eq!(client.receive(&mut goodbye).await.unwrap(), 0);
        client.close().await;
    };
    tokio::join!(server.close(), closing);
}

#[tokio::test]
async fn a_stream_is_encrypted_once() {
    let (client, server) = pair().await;
    let tls = tls();
    let connector = Connector::opportunistic().unwrap();
    let (server, _client) = tokio::join!(server.secure(&tls, b""), client.secure_to(&connector, name(), b""));
    assert!(matches!(server.unwrap().secure(&tls, b"").await, Err(UpgradeError::Twice)));
}

#[tokio::test]
async fn the_last_reply_arrives_although_the_peer_was_still_sending() {
    let (mut client, mut server) = pair().await;
    client.send(&[b'x'; 10_000]).await.unwrap();
    server.send(b"421 too many errors\r\n").await.unwrap();
    let reading = async {
        let mut reply = Vec::new();
        while client.receive(&mut reply).await.unwrap() > 0 {}
        client.close().await;
        reply
    };
    let ((), reply) = tokio::join!(server.close(), reading);
    assert_eq!(reply, b"421 too many errors\r\n");
}
