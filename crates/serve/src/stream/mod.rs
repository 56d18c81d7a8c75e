//! One connection's octets, plain or encrypted.
//!
//! A stream buffers nothing: octets that were read are with the session, the others are in the kernel. So octets that a
//! peer sends in clear after its STARTTLS are either with the session or fail the handshake, and [`Stream::secure`]
//! requires the session to pass what it has.

mod receive;
mod transport;
mod upgrade;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsStream;

pub use receive::ReceiveOutcome;
pub use upgrade::UpgradeError;

use crate::metrics::ServiceMetrics;
use crate::pace::{Direction, Pace, TimeLimits};
use transport::Transport;

/// A connection to a peer.
///
/// It is also [`AsyncRead`] and [`AsyncWrite`], without the time limits that its own methods have.
#[derive(Debug)]
pub struct Stream {
    kind: Kind,
    metrics: ServiceMetrics,
    pace: Pace,
}

#[derive(Debug)]
enum Kind {
    Plain(Transport),
    // Boxed: the state of a TLS session is over a kilobyte, and most sessions on port 25 begin without.
    Tls(Box<TlsStream<Transport>>),
}

/// A peer that reads nothing for this long is gone. RFC 5321 §4.5.3.2 gives 3 minutes to a block of data and 5 to
/// most replies.
const SEND_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// For the last octets and the peer's close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// For the last octets to a peer whose session the server has ended.
const ENDED_SEND_TIMEOUT: Duration = Duration::from_secs(1);
/// The octets that a peer may still have in flight when we close.
const MAX_UNREAD: u64 = 256 * 1024;

impl Stream {
    fn plain(transport: Transport) -> Self {
        let (metrics, pace) = (ServiceMetrics::default(), Pace::new(&TimeLimits::for_outgoing()));
        Self { kind: Kind::Plain(transport), metrics, pace }
    }

    /// True if it is encrypted.
    pub fn is_encrypted(&self) -> bool {
        matches!(self.kind, Kind::Tls(_))
    }

    /// Counts the TLS handshakes in these metrics.
    #[must_use]
    pub fn with_metrics(self, metrics: ServiceMetrics) -> Self {
        Self { metrics, ..self }
    }

    /// Sets the pace of an admitted session.
    #[must_use]
    pub fn with_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// The pace of the session, to which its loop adds what it alone knows.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// The metrics of its service.
    pub fn metrics(&self) -> &ServiceMetrics {
        &self.metrics
    }

    /// The TLS version and cipher suite, for trace fields and the log: `TLSv1_3`, `TLS13_AES_256_GCM_SHA384`.
    pub fn encryption(&self) -> Option<(String, String)> {
        let Kind::Tls(tls) = &self.kind else { return None };
        let (version, suite) = agreed(tls)?;
        Some((version.to_owned(), suite.to_owned()))
    }

    /// Sends all octets. Fails when the peer reads nothing for minutes, reads more slowly than the least rate of a
    /// transfer, or when the session has been ended and its last octets are not read at once.
    pub async fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        let pace = self.pace.clone();
        let ended = async {
            pace.ended().await;
            tokio::time::sleep(ENDED_SEND_TIMEOUT).await;
        };
        tokio::select! {
            biased;
            sent = self.send_all(octets) => sent,
            () = ended => Err(slow_reader()),
        }
    }

    async fn send_all(&mut self, mut octets: &[u8]) -> io::Result<()> {
        while !octets.is_empty() {
            let limit = SEND_TIMEOUT.min(self.pace.send_time_left());
            let sent = timeout(limit, self.write(octets)).await.map_err(|_| slow_reader())??;
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            octets = &octets[sent..];
        }
        let limit = SEND_TIMEOUT.min(self.pace.send_time_left());
        timeout(limit, self.flush()).await.map_err(|_| slow_reader())?
    }

    /// Completes when the peer has closed its side of the connection, though earlier octets may be unread. The peer
    /// may still read.
    pub async fn peer_closed(&self) {
        self.transport().peer_closed().await;
    }

    /// Completes with an error when the peer has reset the connection, as it does when it receives something after it
    /// has closed.
    pub async fn broken(&self) -> io::Error {
        self.transport().broken().await;
        io::ErrorKind::ConnectionReset.into()
    }

    fn transport(&self) -> &Transport {
        match &self.kind {
            Kind::Plain(transport) => transport,
            Kind::Tls(tls) => tls.get_ref().0,
        }
    }

    /// Closes the connection: TLS's close_notify, the end of our side, then a moment for the peer's, so that
    /// the last octets are not lost to a reset because the peer was still sending.
    pub async fn close(mut self) {
        let has_ended = self.pace.has_ended();
        let goodbye = async {
            self.shutdown().await?;
            tokio::io::copy(&mut (&mut self).take(MAX_UNREAD), &mut tokio::io::sink()).await
        };
        let farewell = if has_ended { ENDED_SEND_TIMEOUT } else { CLOSE_TIMEOUT };
        // An error here is ignored, since the connection is over in any case.
        let _ = timeout(farewell, goodbye).await;
    }
}

fn slow_reader() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the peer reads too slowly")
}

/// The TLS version and cipher suite that the peers have agreed on.
fn agreed(tls: &TlsStream<Transport>) -> Option<(&'static str, &'static str)> {
    let (_, session) = tls.get_ref();
    let version = session.protocol_version()?.as_str()?;
    Some((version, session.negotiated_cipher_suite()?.suite().as_str()?))
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        // Small replies must not wait for more of them. An error means that the peer has disconnected.
        let _ = stream.set_nodelay(true);
        Self::plain(Transport::Tcp(stream))
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Self::plain(Transport::Unix(stream))
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        let before = buf.filled().len();
        let polled = match &mut stream.kind {
            Kind::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Kind::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        stream.pace.record(Direction::Reading, polled.is_ready().then(|| buf.filled().len() - before));
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        let polled = match &mut stream.kind {
            Kind::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Kind::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        };
        let written = match &polled {
            Poll::Ready(result) => Some(result.as_ref().map_or(0, |count| *count)),
            Poll::Pending => None,
        };
        stream.pace.record(Direction::Writing, written);
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        let polled = match &mut stream.kind {
            Kind::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Kind::Tls(stream) => Pin::new(stream).poll_flush(cx),
        };
        stream.pace.record(Direction::Writing, polled.is_ready().then_some(0));
        polled
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Kind::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests;
