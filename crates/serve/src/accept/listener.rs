use std::io::{self, Write};
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::accept::Connection;
use crate::metrics::Meter;
use crate::{Pace, Peer, Stop, Stream};

/// A listening socket, TCP or Unix, bound by somebody else.
#[derive(Debug)]
pub enum Listener {
    /// For hosts.
    Tcp(TcpListener),
    /// For processes on this machine.
    Unix(UnixListener),
}

/// A connection that has not been admitted yet.
pub(super) enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

impl TryFrom<std::net::TcpListener> for Listener {
    type Error = io::Error;

    fn try_from(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self::Tcp(TcpListener::from_std(listener)?))
    }
}

impl TryFrom<std::os::unix::net::UnixListener> for Listener {
    type Error = io::Error;

    fn try_from(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self::Unix(UnixListener::from_std(listener)?))
    }
}

impl Listener {
    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => listener.accept().await.map(|(stream, peer)| Accepted::Tcp(stream, peer)),
            Self::Unix(listener) => listener.accept().await.map(|(stream, _)| Accepted::Unix(stream)),
        }
    }
}

impl Accepted {
    pub(super) fn peer(&self) -> Peer {
        match self {
            Self::Tcp(_, peer) => Peer::from(*peer),
            Self::Unix(_) => Peer::Unix,
        }
    }

    /// Says that there are too many, and closes. Never waits: the send buffer of a new connection has room for
    /// a line, and a peer for which that is not so is not told.
    pub(super) fn refuse(self, busy: &[u8]) {
        // The runtime does not know yet that it can be written to, so it is written to without the runtime.
        // Whether that succeeds or not, the connection is over.
        let _ = match self {
            Self::Tcp(stream, _) => stream.into_std().and_then(|mut stream| stream.write(busy)),
            Self::Unix(stream) => stream.into_std().and_then(|mut stream| stream.write(busy)),
        };
    }

    pub(super) fn into_connection(self, stop: Stop, meter: Meter, pace: Pace) -> Connection {
        let peer = self.peer();
        match self {
            Self::Tcp(stream, _) => {
                let local =
                    stream.local_addr().ok().map(|a| SocketAddr::new(a.ip().to_canonical(), a.port()));
                Connection { stream: Stream::from(stream).counted(meter).paced(pace), peer, local, stop }
            }
            Self::Unix(stream) => Connection {
                stream: Stream::from(stream).counted(meter).paced(pace),
                peer,
                local: None,
                stop,
            },
        }
    }
}
