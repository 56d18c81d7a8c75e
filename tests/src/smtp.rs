//! An SMTP client that sends the commands of the test, valid or not.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ClientConfig;

use crate::wire::Wire;

/// A server's reply: one code, one or more lines of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits.
    pub code: u16,
    /// The text of each line, without code and separator.
    pub lines: Vec<String>,
}

impl Reply {
    /// The enhanced status code at the beginning of the first line, if any (RFC 2034 §4).
    pub fn enhanced(&self) -> Option<&str> {
        let word = self.lines.first()?.split(' ').next()?;
        (word.split('.').count() == 3 && word.split('.').all(|part| part.parse::<u16>().is_ok()))
            .then_some(word)
    }

    /// Panics unless it has this code.
    #[track_caller]
    pub fn expect(self, code: u16) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Panics unless it has this code and this enhanced status code.
    #[track_caller]
    pub fn expect_status(self, code: u16, enhanced: &str) -> Self {
        assert_eq!((self.code, self.enhanced()), (code, Some(enhanced)), "{self:?}");
        self
    }
}

/// One session.
pub struct Smtp {
    wire: Wire,
}

impl Smtp {
    /// Connects, and reads the greeting.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::over(Wire::connect(address)?)
    }

    /// Connects with TLS from the first octet, and reads the greeting.
    pub fn connect_secure(address: SocketAddr, config: Arc<ClientConfig>, name: &str) -> io::Result<Self> {
        let mut wire = Wire::connect(address)?;
        wire.secure(config, name)?;
        Self::over(wire)
    }

    /// The same from one of this machine's own addresses.
    pub fn connect_from(
        own: IpAddr,
        address: SocketAddr,
        config: Arc<ClientConfig>,
        name: &str,
    ) -> io::Result<Self> {
        let mut wire = Wire::connect_from(own, address)?;
        wire.secure(config, name)?;
        Self::over(wire)
    }

    /// Connects to an LMTP socket in the file system, and reads the greeting.
    pub fn connect_unix(path: &Path) -> io::Result<Self> {
        Self::over(Wire::connect_unix(path)?)
    }

    /// Reads the greeting on a connection.
    pub fn over(wire: Wire) -> io::Result<Self> {
        let mut session = Self { wire };
        match session.reply()? {
            Reply { code: 220, .. } => Ok(session),
            other => Err(io::Error::other(format!("greeted with {other:?}"))),
        }
    }

    /// Sends octets unchanged.
    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.wire.send(octets)
    }

    /// The next reply.
    pub fn reply(&mut self) -> io::Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let line = self.wire.line()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let line = String::from_utf8(line).map_err(io::Error::other)?;
            let code = line.get(..3).and_then(|digits| digits.parse().ok());
            let code = code.ok_or_else(|| io::Error::other(format!("malformed reply: {line:?}")))?;
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, lines });
            }
        }
    }

    /// Sends one command and reads its reply.
    pub fn command(&mut self, command: &str) -> io::Result<Reply> {
        self.wire.send(format!("{command}\r\n").as_bytes())?;
        self.reply()
    }

    /// Sends EHLO.
    pub fn hello(&mut self) -> io::Result<Reply> {
        self.command("EHLO client.example.com")
    }

    /// STARTTLS, the handshake, and EHLO again.
    pub fn start_tls(&mut self, config: Arc<ClientConfig>, name: &str) -> io::Result<Reply> {
        self.hello()?;
        let reply = self.command("STARTTLS")?;
        if reply.code != 220 {
            return Ok(reply);
        }
        self.wire.secure(config, name)?;
        self.hello()
    }

    /// AUTH PLAIN (RFC 4616).
    pub fn log_in(&mut self, user: &str, password: &str) -> io::Result<Reply> {
        let word = STANDARD.encode(format!("\0{user}\0{password}"));
        self.command(&format!("AUTH PLAIN {word}"))
    }

    /// Sends envelope and message; returns the reply to the message, or the first refusal before it.
    pub fn mail(&mut self, from: &str, to: &[&str], message: &str) -> io::Result<Reply> {
        for command in std::iter::once(format!("MAIL FROM:<{from}>"))
            .chain(to.iter().map(|to| format!("RCPT TO:<{to}>")))
            .chain(std::iter::once("DATA".to_owned()))
        {
            let reply = self.command(&command)?;
            if reply.code >= 400 {
                return Ok(reply);
            }
        }
        self.data(message)
    }

    /// Sends the message after DATA was accepted: dots are stuffed (RFC 5321 §4.5.2) and the end is added.
    pub fn data(&mut self, message: &str) -> io::Result<Reply> {
        let mut octets = Vec::with_capacity(message.len() + 64);
        for line in message.lines() {
            if line.starts_with('.') {
                octets.push(b'.');
            }
            octets.extend_from_slice(line.as_bytes());
            octets.extend_from_slice(b"\r\n");
        }
        octets.extend_from_slice(b".\r\n");
        self.wire.send(&octets)?;
        self.reply()
    }
}

/// A small message with a subject by which it is found.
pub fn message(from: &str, to: &str, subject: &str) -> String {
    format!(
        "From: <{from}>\nTo: <{to}>\nSubject: {subject}\nDate: Sun, 22 Nov 2026 12:00:00 +0000\n\
         Message-ID: <{subject}@client.example.com>\n\nA letter about {subject}.\n"
    )
}
