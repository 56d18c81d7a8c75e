use std::io::Read;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::*;
use crate::tls::tests::certificate;
use crate::tls::{Connector, Tls};

/// The value of a line of the text.
fn value(metrics: &Metrics, line: &str) -> Option<u64> {
    let text = metrics.text();
    text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn a_services_metrics_are_zero_from_the_start() {
    let metrics = Metrics::new("mda");
    let _service = metrics.service("imap", PeerKind::Users);
    for line in [
        r#"mailstead_sessions{service="imap"}"#,
        r#"mailstead_sessions_begun_total{service="imap"}"#,
        r#"mailstead_sessions_turned_away_total{service="imap"}"#,
        r#"mailstead_tls_handshakes_failed_total{service="imap"}"#,
        r#"mailstead_logins_total{service="imap",outcome="refused"}"#,
    ] {
        assert_eq!(value(&metrics, line), Some(0), "{line} in {}", metrics.text());
    }
}

#[test]
fn memory_is_the_current_value() {
    let metrics = Metrics::new("mda");
    let line = r#"mailstead_process_memory_bytes{process="mda",kind="anonymous"}"#;
    let before = value(&metrics, line).unwrap();
    let allocated = std::hint::black_box(vec![1_u8; 64 << 20]);
    let after = value(&metrics, line).unwrap();
    assert!(after > before + (32 << 20), "{before} and {after} with {} more", allocated.len());
}

#[test]
fn metrics_that_do_not_apply_are_left_out() {
    let metrics = Metrics::new("mda");
    metrics.service("lmtp", PeerKind::Peers).login(LoginOutcome::Refused);
    let outbound = metrics.service("outbound", PeerKind::Servers);
    let _running = outbound.begin();
    outbound.handshake(None);
    let text = metrics.text();
    assert!(text.contains(r#"mailstead_sessions{service="lmtp"} 0"#), "{text}");
    assert!(!text.contains("mailstead_logins_total"), "{text}");
    assert!(text.contains(r#"mailstead_tls_handshakes_failed_total{service="outbound"} 1"#), "{text}");
    assert!(!text.contains(r#"mailstead_sessions{service="outbound"}"#), "{text}");
}

#[test]
fn metrics_count_for_their_service_and_the_default_counts_nothing() {
    let metrics = Metrics::new("mda");
    let (imap, smtp) = (metrics.service("imap", PeerKind::Users), metrics.service("smtp", PeerKind::Users));
    imap.login(LoginOutcome::Accepted);
    imap.login(LoginOutcome::Refused);
    smtp.login(LoginOutcome::Deferred);
    ServiceMetrics::default().login(LoginOutcome::Refused);
    smtp.handshake(Some(("TLSv1_2", "ANY")));
    smtp.handshake(None);
    for (line, count) in [
        (r#"mailstead_logins_total{service="imap",outcome="accepted"}"#, 1),
        (r#"mailstead_logins_total{service="imap",outcome="refused"}"#, 1),
        (r#"mailstead_logins_total{service="smtp",outcome="put_off"}"#, 1),
        (r#"mailstead_logins_total{service="smtp",outcome="refused"}"#, 0),
        (r#"mailstead_tls_handshakes_total{service="smtp",version="1.2",cipher="ANY"}"#, 1),
        (r#"mailstead_tls_handshakes_failed_total{service="smtp"}"#, 1),
    ] {
        assert_eq!(value(&metrics, line), Some(count), "{line}");
    }
}

#[tokio::test]
async fn running_sessions_handshakes_and_refused_connections_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::load(&certificate(folder.path(), "mail.example.org")).unwrap();
    let metrics = Metrics::new("mda");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let drain = Drain::new();
    Service::new("imaps", Limits::new(1, 0), b"")
        .with_metrics(metrics.service("imaps", PeerKind::Users))
        .start(vec![listener], &drain, move |connection: Connection| {
            let tls = tls.clone();
            async move {
                let Ok(mut stream) = connection.stream.secure(&tls, b"").await else { return };
                let _ = stream.receive(&mut Vec::new()).await;
            }
        })
        .unwrap();

    let stream = crate::Stream::from(TcpStream::connect(address).await.unwrap());
    let name = rustls_pki_types::ServerName::try_from("mail.example.org").unwrap();
    let session = stream.secure_to(&Connector::opportunistic().unwrap(), name, b"").await.unwrap();
    let line = |name| format!(r#"mailstead_{name}{{service="imaps"}}"#);
    assert_eq!(value(&metrics, &line("sessions")), Some(1));
    let mut second = TcpStream::connect(address).await.unwrap();
    assert_eq!(second.read(&mut [0]).await.unwrap_or(0), 0);
    assert_eq!(value(&metrics, &line("sessions_turned_away_total")), Some(1));

    drop(session);
    while drain.running() > 1 {
        tokio::task::yield_now().await;
    }
    // In clear, where TLS is expected.
    let mut third = TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut third, b"a001 CAPABILITY\r\n").await.unwrap();
    third.read_to_end(&mut Vec::new()).await.unwrap_or(0);
    while drain.running() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(value(&metrics, &line("sessions")), Some(0));
    assert_eq!(value(&metrics, &line("sessions_begun_total")), Some(2));
    assert_eq!(value(&metrics, &line("tls_handshakes_failed_total")), Some(1));
    let text = metrics.text();
    assert!(text.contains(r#"{service="imaps",version="1.3",cipher="TLS13_AES"#), "{text}");
}

#[tokio::test]
async fn a_client_gets_all_metrics_and_the_connection_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.sock");
    let metrics = Metrics::new("mda");
    metrics.service("imap", PeerKind::Users).login(LoginOutcome::Refused);
    let drain = Drain::new();
    metrics.serve(Some(UnixListener::bind(&path).unwrap()), &drain).unwrap();
    let client = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        UnixStream::connect(path).unwrap().read_to_string(&mut text).map(|_| text)
    });
    let text = client.await.unwrap().unwrap();
    assert!(text.contains("# TYPE mailstead_logins counter\n"), "{text}");
    assert!(text.contains("mailstead_logins_total{service=\"imap\",outcome=\"refused\"} 1\n"), "{text}");
    assert!(!text.contains("EOF"), "{text}");
    Metrics::new("mda").serve(None, &drain).unwrap();
}
