use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use super::*;
use crate::DrainOutcome;

const GREETING: &[u8] = b"220 hello\r\n";
const BUSY: &[u8] = b"421 4.7.0 too many connections\r\n";

/// Greets, then waits for a line from the peer or for the daemon to stop.
async fn greet(mut connection: Connection) {
    connection.stream.send(GREETING).await.unwrap();
    let mut line = Vec::new();
    tokio::select! {
        received = connection.stream.receive(&mut line) => {
            assert!(received.unwrap() < 2 || !line.starts_with(b"panic"), "as requested");
        }
        () = connection.stop.requested() => {
            connection.stream.send(b"421 stopping\r\n").await.unwrap();
        }
    }
    connection.stream.close().await;
}

fn started(limits: &Arc<Limits>, drain: &Drain) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    Service::new("test", Arc::clone(limits), BUSY).start(vec![listener], drain, greet).unwrap();
    address
}

async fn greeted(address: SocketAddr) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut line = vec![0; 100];
    let length = stream.read(&mut line).await.unwrap();
    line.truncate(length);
    (stream, line)
}

async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    rest
}

#[tokio::test]
async fn a_connection_over_the_limit_is_refused_until_a_session_ends() {
    for limits in [Limits::new(2, 0), Limits::new(0, 2)] {
        let drain = Drain::new();
        let address = started(&limits, &drain);
        let (first, line) = greeted(address).await;
        assert_eq!(line, GREETING);
        let (_second, line) = greeted(address).await;
        assert_eq!(line, GREETING);
        let (third, line) = greeted(address).await;
        assert_eq!(line, BUSY);
        assert_eq!(rest(third).await, b"");

        drop(first);
        // The end of the first has been noticed when only the loop and the second are left.
        while drain.running() > 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(greeted(address).await.1, GREETING);
    }
}

#[tokio::test]
async fn a_stopping_daemon_accepts_no_connection_and_lets_sessions_finish() {
    let drain = Drain::new();
    let address = started(&Limits::new(0, 0), &drain);
    let (stream, _) = greeted(address).await;
    let (drained, goodbye) = tokio::join!(drain.finish(Duration::MAX), rest(stream));
    assert_eq!(drained, DrainOutcome::Complete);
    assert_eq!(goodbye, b"421 stopping\r\n");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_panicking_session_ends_alone_and_is_no_longer_counted() {
    let drain = Drain::new();
    let address = started(&Limits::new(1, 0), &drain);
    let (mut stream, _) = greeted(address).await;
    stream.write_all(b"panic\r\n").await.unwrap();
    assert_eq!(rest(stream).await, b"");
    while drain.running() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(greeted(address).await.1, GREETING);
}

#[tokio::test]
async fn a_unix_socket_is_served_and_its_peers_have_no_address() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lmtp.sock");
    let drain = Drain::new();
    Service::new("lmtp", Limits::new(0, 1), BUSY)
        .start(vec![UnixListener::bind(&path).unwrap()], &drain, |mut connection: Connection| async move {
            assert_eq!((connection.peer, connection.local), (Peer::Unix, None));
            connection.stream.send(GREETING).await.unwrap();
        })
        .unwrap();
    for _ in 0..3 {
        let mut greeting = Vec::new();
        UnixStream::connect(&path).await.unwrap().read_to_end(&mut greeting).await.unwrap();
        assert_eq!(greeting, GREETING);
    }
}

#[test]
fn only_errors_of_one_connection_are_ignored_without_a_wait() {
    for (errno, passed) in
        [(103, true), (104, true), (4, true), (24, false), (23, false), (12, false), (105, false)]
    {
        assert_eq!(is_of_one_connection(&io::Error::from_raw_os_error(errno)), passed, "{errno}");
    }
}
