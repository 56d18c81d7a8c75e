//! One connection, plain or under TLS, read by lines, for the clients, the player and the test servers.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

use crate::wait::READ_TIMEOUT;

/// The longest line before the peer counts as broken.
const MAX_LINE: usize = 1 << 20;

/// One connection.
pub struct Wire {
    stream: Stream,
    /// The octets that were read and not yet returned.
    ahead: Vec<u8>,
}

enum Stream {
    Plain(TcpStream),
    Unix(UnixStream),
    Client(Box<StreamOwned<ClientConnection, TcpStream>>),
    Server(Box<StreamOwned<ServerConnection, TcpStream>>),
    /// Between two of the others, while TLS is being started.
    Changing,
}

impl Wire {
    /// Connects by TCP.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, READ_TIMEOUT)?;
        Self::over(stream)
    }

    /// Connects by TCP from one of this machine's own addresses, which include all of 127.0.0.0/8.
    pub fn connect_from(own: IpAddr, address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(own, 0).into())?;
        socket.connect_timeout(&address.into(), READ_TIMEOUT)?;
        Self::over(socket.into())
    }

    /// Connects to a socket in the file system.
    pub fn connect_unix(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        stream.set_write_timeout(Some(READ_TIMEOUT))?;
        Ok(Self { stream: Stream::Unix(stream), ahead: Vec::new() })
    }

    /// Uses an existing connection.
    pub fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        stream.set_write_timeout(Some(READ_TIMEOUT))?;
        Ok(Self { stream: Stream::Plain(stream), ahead: Vec::new() })
    }

    /// Starts TLS as the client, and finishes the handshake.
    pub fn secure(&mut self, config: Arc<ClientConfig>, name: &str) -> io::Result<()> {
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let mut session = ClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut socket = self.take_plain()?;
        while session.is_handshaking() {
            session.complete_io(&mut socket)?;
        }
        self.stream = Stream::Client(Box::new(StreamOwned::new(session, socket)));
        Ok(())
    }

    /// Starts TLS as the server, and finishes the handshake.
    pub fn accept_secure(&mut self, config: Arc<ServerConfig>) -> io::Result<()> {
        let mut session = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut socket = self.take_plain()?;
        while session.is_handshaking() {
            session.complete_io(&mut socket)?;
        }
        self.stream = Stream::Server(Box::new(StreamOwned::new(session, socket)));
        Ok(())
    }

    fn take_plain(&mut self) -> io::Result<TcpStream> {
        // Octets from before the handshake were not protected and must not be used as if they came after it.
        if !self.ahead.is_empty() {
            return Err(io::Error::other("octets arrived before TLS was started"));
        }
        match std::mem::replace(&mut self.stream, Stream::Changing) {
            Stream::Plain(socket) => Ok(socket),
            _ => Err(io::Error::other("TLS can be started once, on TCP")),
        }
    }

    /// Sends octets unchanged.
    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        let stream = self.stream.both();
        stream.write_all(octets)?;
        stream.flush()
    }

    /// The next line, without its end; `None` if the peer has closed the connection between two lines.
    pub fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut seen = 0;
        loop {
            if let Some(at) = self.ahead[seen..].iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.ahead.drain(..=seen + at).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(line));
            }
            seen = self.ahead.len();
            if seen > MAX_LINE {
                return Err(io::Error::other("a line is too long"));
            }
            if self.read_more()? == 0 {
                return if seen == 0 { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// The next `length` octets, unchanged.
    pub fn octets(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.ahead.len() < length {
            if self.read_more()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.ahead.drain(..length).collect())
    }

    fn read_more(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 16 * 1024];
        let length = match self.stream.both().read(&mut chunk) {
            Ok(length) => length,
            // A peer that closes without TLS's close_notify has closed all the same.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(error),
        };
        self.ahead.extend_from_slice(&chunk[..length]);
        Ok(length)
    }
}

trait Both: Read + Write {}
impl<T: Read + Write> Both for T {}

impl Stream {
    fn both(&mut self) -> &mut dyn Both {
        match self {
            Self::Plain(stream) => stream,
            Self::Unix(stream) => stream,
            Self::Client(stream) => stream,
            Self::Server(stream) => stream,
            Self::Changing => unreachable!("a connection whose TLS failed is not used again"),
        }
    }
}
