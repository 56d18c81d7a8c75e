//! Clients that disconnect while work is done for them.

use std::future::{pending, ready};

use serve::{Drain, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::imap::session::MAX_COMMAND_BEFORE_LOGIN;
use crate::imap::wire::{Privacy, Wire};

fn wire(stream: Stream, drain: &Drain) -> Wire {
    Wire::new(stream, Privacy::Encrypted, drain.stop(), MAX_COMMAND_BEFORE_LOGIN)
}

async fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

#[tokio::test]
async fn work_is_abandoned_when_its_client_disconnects() {
    let drain = Drain::new();
    let (mut client, end) = tcp().await;
    let mut tcp = wire(end.into(), &drain);
    // More octets from the client, which stay unread.
    client.write_all(b"b NOOP\r\n").await.unwrap();
    drop(client);
    assert!(tcp.unless_gone(pending::<()>()).await.is_err());

    let (client, end) = UnixStream::pair().unwrap();
    let mut unix = wire(end.into(), &drain);
    drop(client);
    assert!(unix.unless_gone(pending::<()>()).await.is_err());
}

#[tokio::test]
async fn a_client_that_closed_only_its_sending_side_gets_its_responses() {
    let drain = Drain::new();
    let (mut client, end) = tcp().await;
    let mut wire = wire(end.into(), &drain);
    client.shutdown().await.unwrap();
    let mut line = [0; 20];
    let work = async { client.read_exact(&mut line).await.unwrap() };
    assert_eq!(wire.unless_gone(work).await.unwrap(), line.len());
    assert_eq!(&line, b"* OK Still working\r\n");
    assert_eq!(wire.unless_broken(ready(1)).await.unwrap(), 1);
}
