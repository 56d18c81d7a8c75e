//! One connection's octets, plain or encrypted.
//!
//! A stream keeps no octets back: what has been read is with the session, what has not is with the kernel. So
//! what a peer sends in clear behind its STARTTLS can only be in the session's hands or in the handshake's
//! way, and [`Stream::secure`] asks for the session's hands to be shown.

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

pub use receive::Arrival;
pub use upgrade::UpgradeError;

use crate::metrics::Meter;
use transport::Transport;

/// A connection to a peer.
///
/// It is also [`AsyncRead`] and [`AsyncWrite`], without the time limits that its own methods have.
#[derive(Debug)]
pub struct Stream {
    kind: Kind,
    meter: Meter,
}

#[derive(Debug)]
enum Kind {
    Plain(Transport),
    // Boxed: the state of a TLS session is over a kilobyte, and most sessions on port 25 begin without.
    Tls(Box<TlsStream<Transport>>),
}

/// A peer that takes nothing for so long is gone. RFC 5321 §4.5.3.2 gives 3 minutes to a block of data and 5 to
/// most replies.
const STALL: Duration = Duration::from_secs(5 * 60);
/// For the last octets and the peer's own goodbye.
const FAREWELL: Duration = Duration::from_secs(3);
/// What a peer may still have under way when we close.
const LEFTOVERS: u64 = 256 * 1024;

impl Stream {
    /// Whether it is encrypted.
    pub fn is_encrypted(&self) -> bool {
        matches!(self.kind, Kind::Tls(_))
    }

    /// The same, with its TLS handshakes counted.
    #[must_use]
    pub fn counted(self, meter: Meter) -> Self {
        Self { meter, ..self }
    }

    /// The numbers of the service to which it belongs.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The TLS version and cipher suite, for trace fields and the log: `TLSv1_3`, `TLS13_AES_256_GCM_SHA384`.
    pub fn encryption(&self) -> Option<(String, String)> {
        let Kind::Tls(tls) = &self.kind else { return None };
        let (version, suite) = agreed(tls)?;
        Some((version.to_owned(), suite.to_owned()))
    }

    /// Sends all of it. Fails when the peer takes nothing for minutes; a slow one may take its time.
    pub async fn send(&mut self, mut octets: &[u8]) -> io::Result<()> {
        let stalled = |_| io::Error::new(io::ErrorKind::TimedOut, "the peer takes nothing any more");
        while !octets.is_empty() {
            let taken = timeout(STALL, self.write(octets)).await.map_err(stalled)??;
            if taken == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            octets = &octets[taken..];
        }
        timeout(STALL, self.flush()).await.map_err(stalled)?
    }

    /// Says goodbye and closes: TLS's close_notify, the end of our side, then a moment for the peer's, so that
    /// what was sent last is not lost to a reset because the peer was still sending.
    pub async fn close(mut self) {
        let goodbye = async {
            self.shutdown().await?;
            tokio::io::copy(&mut (&mut self).take(LEFTOVERS), &mut tokio::io::sink()).await
        };
        // Whatever goes wrong now, the connection is over, which is what was wanted.
        let _ = timeout(FAREWELL, goodbye).await;
    }
}

/// The TLS version and cipher suite that the peers have agreed on.
fn agreed(tls: &TlsStream<Transport>) -> Option<(&'static str, &'static str)> {
    let (_, session) = tls.get_ref();
    let version = session.protocol_version()?.as_str()?;
    Some((version, session.negotiated_cipher_suite()?.suite().as_str()?))
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        // Small replies must not wait for more of them. That it cannot be set means that the peer is gone.
        let _ = stream.set_nodelay(true);
        Self { kind: Kind::Plain(Transport::Tcp(stream)), meter: Meter::default() }
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Self { kind: Kind::Plain(Transport::Unix(stream)), meter: Meter::default() }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Kind::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().kind {
            Kind::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Kind::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Kind::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
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
