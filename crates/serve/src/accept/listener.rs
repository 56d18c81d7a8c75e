use std::io::{self, Write};
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::accept::Connection;
use crate::metrics::ServiceMetrics;
use crate::{Pace, Peer, StopSignal, Stream};

/// A listening socket, TCP or Unix, bound by the caller.
#[derive(Debug)]
pub enum Listener {
    /// A listener for hosts.
    Tcp(TcpListener),
    /// A listener for processes on this machine.
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

    /// The stream of a host.
    pub(super) fn tcp(&mut self) -> Option<(&mut TcpStream, &mut SocketAddr)> {
        match self {
            Self::Tcp(stream, peer) => Some((stream, peer)),
            Self::Unix(_) => None,
        }
    }

    /// Our own address that the peer has reached, for a host.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        let Self::Tcp(stream, _) = self else { return None };
        stream.local_addr().ok().map(|local| SocketAddr::new(local.ip().to_canonical(), local.port()))
    }

    /// Replies that there are too many connections, and closes. Never waits: the send buffer of a new connection has
    /// room for a line, and if it does not, the peer gets no reply.
    pub(super) fn refuse(self, busy: &[u8]) {
        // The runtime does not know yet that the socket is writable, so the write bypasses it. The connection ends
        // whether it succeeds or not.
        let _ = match self {
            Self::Tcp(stream, _) => stream.into_std().and_then(|mut stream| stream.write(busy)),
            Self::Unix(stream) => stream.into_std().and_then(|mut stream| stream.write(busy)),
        };
    }

    pub(super) fn into_connection(self, stop: StopSignal, metrics: ServiceMetrics, pace: Pace) -> Connection {
        let (peer, local) = (self.peer(), self.local());
        match self {
            Self::Tcp(stream, _) => Connection {
                stream: Stream::from(stream).with_metrics(metrics).with_pace(pace),
                peer,
                local,
                stop,
            },
            Self::Unix(stream) => Connection {
                stream: Stream::from(stream).with_metrics(metrics).with_pace(pace),
                peer,
                local: None,
                stop,
            },
        }
    }
}
