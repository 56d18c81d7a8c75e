//! An IMAP client: commands with tags, responses with their literals.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::ClientConfig;

use crate::wire::Wire;

/// The responses to one command.
#[derive(Debug)]
pub struct Responses {
    /// The untagged responses, without `* `; literals are included as received, after their `{n}` and a line end.
    pub untagged: Vec<String>,
    /// `OK`, `NO` or `BAD`, and the text after it.
    pub tagged: String,
}

impl Responses {
    /// Panics unless it is OK.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.tagged.starts_with("OK"), "{self:?}");
        self
    }

    /// The untagged response that contains `words`.
    #[track_caller]
    pub fn containing(&self, words: &str) -> &str {
        self.untagged
            .iter()
            .find(|line| line.contains(words))
            .unwrap_or_else(|| panic!("no response with {words:?}: {self:?}"))
    }
}

/// One session.
pub struct Imap {
    wire: Wire,
    last_tag: u32,
}

impl Imap {
    /// Connects with TLS from the first octet, and reads the greeting.
    pub fn connect_secure(address: SocketAddr, config: Arc<ClientConfig>, name: &str) -> io::Result<Self> {
        Self::begin(Wire::connect(address)?, config, name)
    }

    /// The same from one of this machine's own addresses.
    pub fn connect_from(
        own: IpAddr,
        address: SocketAddr,
        config: Arc<ClientConfig>,
        name: &str,
    ) -> io::Result<Self> {
        Self::begin(Wire::connect_from(own, address)?, config, name)
    }

    fn begin(mut wire: Wire, config: Arc<ClientConfig>, name: &str) -> io::Result<Self> {
        wire.secure(config, name)?;
        let mut session = Self { wire, last_tag: 0 };
        let greeting = session.response()?;
        if greeting.starts_with("* OK") { Ok(session) } else { Err(io::Error::other(greeting)) }
    }

    /// Sends one command and reads until its tagged response.
    pub fn command(&mut self, command: &str) -> io::Result<Responses> {
        let tag = self.send_tagged(command)?;
        self.responses(&tag)
    }

    /// APPEND with a synchronising literal.
    pub fn append(&mut self, mailbox: &str, message: &str) -> io::Result<Responses> {
        let message = message.replace('\n', "\r\n");
        let tag = self.send_tagged(&format!("APPEND {mailbox} {{{}}}", message.len()))?;
        let response = self.response()?;
        if !response.starts_with('+') {
            let tagged = response.strip_prefix(&format!("{tag} ")).unwrap_or(&response).to_owned();
            return Ok(Responses { untagged: Vec::new(), tagged });
        }
        self.wire.send(message.as_bytes())?;
        self.wire.send(b"\r\n")?;
        self.responses(&tag)
    }

    /// LOGIN, with both words quoted.
    pub fn log_in(&mut self, user: &str, password: &str) -> io::Result<Responses> {
        self.command(&format!("LOGIN \"{user}\" \"{password}\""))
    }

    /// Sends IDLE and waits until a response contains `words`; `ready` is called after the continuation request.
    pub fn idle_until(&mut self, words: &str, ready: impl FnOnce()) -> io::Result<Responses> {
        let tag = self.send_tagged("IDLE")?;
        let mut untagged = Vec::new();
        let mut ready = Some(ready);
        loop {
            let line = self.response()?;
            if line.starts_with('+') {
                if let Some(ready) = ready.take() {
                    ready();
                }
                continue;
            }
            let found = line.contains(words);
            untagged.push(line.trim_start_matches("* ").to_owned());
            if found {
                break;
            }
        }
        self.wire.send(b"DONE\r\n")?;
        let mut answer = self.responses(&tag)?;
        untagged.append(&mut answer.untagged);
        Ok(Responses { untagged, tagged: answer.tagged })
    }

    fn send_tagged(&mut self, command: &str) -> io::Result<String> {
        self.last_tag += 1;
        let tag = format!("t{}", self.last_tag);
        self.wire.send(format!("{tag} {command}\r\n").as_bytes())?;
        Ok(tag)
    }

    fn responses(&mut self, tag: &str) -> io::Result<Responses> {
        let mut untagged = Vec::new();
        loop {
            let line = self.response()?;
            if let Some(line) = line.strip_prefix("* ") {
                untagged.push(line.to_owned());
            } else if let Some(tagged) = line.strip_prefix(tag) {
                return Ok(Responses { untagged, tagged: tagged.trim_start().to_owned() });
            } else {
                return Err(io::Error::other(format!("unexpected response while waiting for {tag}: {line}")));
            }
        }
    }

    /// One complete response: a line, and for each literal that it ends with, the literal and the line after it.
    fn response(&mut self) -> io::Result<String> {
        let mut whole = Vec::new();
        loop {
            let line = self.wire.line()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            whole.extend_from_slice(&line);
            let Some(length) = literal(&line) else {
                return Ok(String::from_utf8_lossy(&whole).into_owned());
            };
            whole.extend_from_slice(b"\r\n");
            whole.extend(self.wire.octets(length)?);
        }
    }
}

/// The length of the literal that is announced at a line's end (RFC 3501 §4.3).
fn literal(line: &[u8]) -> Option<usize> {
    let line = std::str::from_utf8(line.strip_suffix(b"}")?).ok()?;
    line[line.rfind('{')? + 1..].parse().ok()
}
