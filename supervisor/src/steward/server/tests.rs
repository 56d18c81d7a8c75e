use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use address::Domain;
use handover::config::{Log, Tls, Web, WebListen};
use handover::status::{DaemonState, DaemonStatus, Status};
use serve::{Drain, Limits, Service};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

fn write_status(folder: &Path, state: DaemonState, age: u64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mta = DaemonStatus {
        name: "mta".into(),
        state,
        since: now,
        pid: None,
        silent_since: None,
        restarts: 0,
        last_end: None,
        queue: None,
        queue_since: None,
        gateway_clients: 0,
        sandbox: None,
        accounts: None,
    };
    let status =
        Status { written: now - age, started: now, memory: None, processes: vec![mta], concerns: Vec::new() };
    fs::write(folder.join("status.json"), status.to_json()).unwrap();
}

fn started(folder: &Path, drain: &Drain) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let steward = Arc::new(Steward {
        health: address,
        status: folder.join("status.json"),
        tls: Tls { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") },
        volume: folder.to_owned(),
        metrics: [("mta".to_owned(), folder.join("mta-metrics.sock"))].into(),
        log: Log::default(),
        heartbeat: None,
        web: Web {
            hostname: Domain::parse("mail.example.org").unwrap(),
            domains: Vec::new(),
            operator: Vec::new(),
            listen: WebListen::default(),
        },
        dns_servers: Vec::new(),
        renewal: None,
    });
    Service::new("health", Limits::new(0, 0), BUSY)
        .start(vec![listener], drain, move |connection| {
            serve_connection(connection, Arc::clone(&steward), SharedState::default())
        })
        .unwrap();
    address
}

async fn get_response(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn health_is_current_at_each_request() {
    let folder = tempfile::tempdir().unwrap();
    let drain = Drain::new();
    let address = started(folder.path(), &drain);
    let ready = "GET /health/ready HTTP/1.0\r\n\r\n";
    let live = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";

    assert!(get_response(address, live).await.starts_with("HTTP/1.1 503 "));
    write_status(folder.path(), DaemonState::Ready, 0);
    let answer = get_response(address, ready).await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-type: application/json\r\n"), "{answer}");
    assert!(answer.contains("\"free_bytes\": "), "{answer}");
    assert!(get_response(address, live).await.starts_with("HTTP/1.1 200 "));

    write_status(folder.path(), DaemonState::BackingOff, 0);
    assert!(get_response(address, ready).await.starts_with("HTTP/1.0 503 "));
    assert!(get_response(address, live).await.starts_with("HTTP/1.1 200 "));
    write_status(folder.path(), DaemonState::Ready, 60);
    assert!(get_response(address, live).await.starts_with("HTTP/1.1 503 "));
}

#[tokio::test]
async fn other_requests_get_an_error_and_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let drain = Drain::new();
    let address = started(folder.path(), &drain);
    for (request, answer) in [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 "),
        ("POST /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 405 "),
        ("HEAD /health/ready HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 503 "),
        ("EHLO x\r\n\r\n", "HTTP/1.1 400 "),
    ] {
        let answered = get_response(address, request).await;
        assert!(answered.starts_with(answer), "{request:?}: {answered}");
    }
    let mut endless = "GET /health/live HTTP/1.1\r\nX: ".to_owned();
    endless.extend(std::iter::repeat_n('x', MAX_REQUEST - endless.len()));
    assert!(get_response(address, &endless).await.starts_with("HTTP/1.1 431 "));
    let many = format!("GET /health/live HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(MAX_FIELDS + 1));
    assert!(get_response(address, &many).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn metrics_are_sent_in_the_requested_format_with_those_of_the_daemons() {
    let folder = tempfile::tempdir().unwrap();
    let drain = Drain::new();
    let address = started(folder.path(), &drain);
    let plain = "GET /metrics HTTP/1.0\r\n\r\n";
    let answer = get_response(address, plain).await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert!(answer.contains("mailstead_process_metrics_reported{process=\"mta\"} 0\n"), "{answer}");

    let numbers = serve::metrics::Metrics::new("mta");
    numbers.service("smtp", serve::metrics::PeerKind::Peers);
    let socket = std::os::unix::net::UnixListener::bind(folder.path().join("mta-metrics.sock")).unwrap();
    numbers.serve(Some(socket), &drain).unwrap();
    let open = "GET /metrics HTTP/1.0\r\nAccept: application/openmetrics-text\r\n\r\n";
    for (request, kind) in
        [(plain, "text/plain; version=0.0.4"), (open, "application/openmetrics-text; version=1.0.0")]
    {
        let answer = get_response(address, request).await;
        assert!(answer.contains(&format!("content-type: {kind}; charset=utf-8\r\n")), "{answer}");
        assert!(answer.contains("mailstead_sessions{service=\"smtp\"} 0\n"), "{answer}");
        assert!(answer.contains("mailstead_process_metrics_reported{process=\"mta\"} 1\n"), "{answer}");
    }
}
