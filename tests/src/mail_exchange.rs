//! Another site's mail exchange: a real small SMTP server that accepts mail, or refuses it as scripted.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::certificate::{self, Shown};
use crate::test_server::{TestServer, locked, on_loopback};
use crate::wait;
use crate::wire::Wire;

/// A message that the exchange accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The path of MAIL FROM, without brackets.
    pub from: String,
    /// True if MAIL had the parameter SMTPUTF8.
    pub smtputf8: bool,
    /// True if MAIL had the parameter REQUIRETLS.
    pub requires_tls: bool,
    /// The path of each accepted RCPT TO, without brackets.
    pub to: Vec<String>,
    /// The message as received, without stuffed dots.
    pub message: Vec<u8>,
    /// True if it was received under TLS.
    pub secure: bool,
    /// The client's name in its last EHLO.
    pub hello: String,
    /// The number of chunks in which it was received: 0 after DATA.
    pub chunks: usize,
    /// The user that the client had authenticated as.
    pub login: Option<String>,
}

impl Accepted {
    /// The message as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.message).into_owned()
    }
}

/// The exchange's behaviour other than plain acceptance. A reply is its whole line, for example `550 5.1.1 no such`.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// True if TLS starts before the greeting.
    pub under_tls: bool,
    /// The only login that may send: a name and a password.
    pub login: Option<(String, String)>,
    /// True if STARTTLS is neither offered nor accepted.
    pub without_tls: bool,
    /// More lines of the reply to EHLO. With `CHUNKING`, BDAT is accepted.
    pub extensions: Vec<&'static str>,
    /// True if clients are accepted and never greeted.
    pub silent: bool,
    /// The reply sent to every client instead of the greeting; then the connection is closed.
    pub greeting_refusal: Option<String>,
    /// The reply to RCPT of these addresses.
    pub recipients: HashMap<String, String>,
    /// The replies at the end of the next messages, one each; later messages are accepted.
    pub messages: Vec<String>,
    /// The number of next messages at whose end the connection is closed without a reply.
    pub drops: u32,
}

/// A running exchange; it ends when this value is dropped.
pub struct Exchange {
    reception: TestServer,
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    tls: Shown,
    script: Mutex<Script>,
    accepted: Mutex<Vec<Accepted>>,
}

impl Exchange {
    /// Starts an exchange called `name`, on a free port of loopback.
    pub fn start(name: &str) -> Self {
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            tls: certificate::showing(name),
            script: Mutex::default(),
            accepted: Mutex::default(),
        });
        let reception = TestServer::open(on_loopback(), {
            let shared = Arc::clone(&shared);
            move |connection| Session::serve(connection, &shared)
        });
        Self { reception, shared }
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.reception.address()
    }

    /// Its certificate, in PEM.
    pub fn certificate(&self) -> &str {
        &self.shared.tls.pem
    }

    /// Changes its behaviour from now on.
    pub fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut locked(&self.shared.script));
    }

    /// All messages accepted so far.
    pub fn accepted(&self) -> Vec<Accepted> {
        locked(&self.shared.accepted).clone()
    }

    /// The message that contains `words`, once it has arrived.
    #[track_caller]
    pub fn await_message(&self, words: &str) -> Accepted {
        wait::until(&format!("{} has a message with {words:?}", self.shared.name), || {
            self.accepted().into_iter().find(|accepted| accepted.text().contains(words))
        })
    }
}

struct Session<'s> {
    wire: Wire,
    shared: &'s Shared,
    hello: String,
    from: Option<String>,
    smtputf8: bool,
    requires_tls: bool,
    to: Vec<String>,
    /// The message so far, and the number of its chunks.
    message: Vec<u8>,
    chunks: usize,
    secure: bool,
    login: Option<String>,
}

impl<'s> Session<'s> {
    fn serve(connection: TcpStream, shared: &'s Shared) -> io::Result<()> {
        let mut wire = Wire::over(connection)?;
        if locked(&shared.script).silent {
            return wire.line().map(drop);
        }
        let under_tls = locked(&shared.script).under_tls;
        if under_tls {
            wire.accept_secure(Arc::clone(&shared.tls.config))?;
        }
        if let Some(reply) = locked(&shared.script).greeting_refusal.clone() {
            return wire.send(format!("{reply}\r\n").as_bytes());
        }
        wire.send(format!("220 {} ESMTP\r\n", shared.name).as_bytes())?;
        let mut session = Self {
            wire,
            shared,
            hello: String::new(),
            from: None,
            smtputf8: false,
            requires_tls: false,
            to: Vec::new(),
            message: Vec::new(),
            chunks: 0,
            secure: under_tls,
            login: None,
        };
        while let Some(line) = session.wire.line()? {
            let line = String::from_utf8_lossy(&line).into_owned();
            if !session.execute(&line)? {
                break;
            }
        }
        Ok(())
    }

    fn reply(&mut self, reply: &str) -> io::Result<()> {
        self.wire.send(format!("{reply}\r\n").as_bytes())
    }

    /// Executes one command; returns false when the session ends.
    fn execute(&mut self, line: &str) -> io::Result<bool> {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" | "HELO" => {
                self.hello = line.get(5..).unwrap_or_default().to_owned();
                self.greet(&verb)?;
            }
            "STARTTLS" if !self.secure && !locked(&self.shared.script).without_tls => {
                self.reply("220 2.0.0 ready to start TLS")?;
                self.wire.accept_secure(Arc::clone(&self.shared.tls.config))?;
                self.secure = true;
            }
            "AUTH" => self.log_in(line)?,
            "MAIL" if self.login.is_none() && locked(&self.shared.script).login.is_some() => {
                self.reply("530 5.7.0 authentication required")?;
            }
            "MAIL" => {
                (self.from, self.to) = (Some(path(line)), Vec::new());
                self.smtputf8 = line.split(' ').any(|word| word == "SMTPUTF8");
                self.requires_tls = line.split(' ').any(|word| word == "REQUIRETLS");
                self.reply("250 2.1.0 ok")?;
            }
            "RCPT" => self.recipient(&path(line))?,
            "DATA" => return self.message(),
            "BDAT" if locked(&self.shared.script).extensions.contains(&"CHUNKING") => {
                return self.chunk(line);
            }
            "RSET" => {
                self.from = None;
                self.reply("250 2.0.0 ok")?;
            }
            "NOOP" => self.reply("250 2.0.0 ok")?,
            "QUIT" => {
                self.reply("221 2.0.0 bye")?;
                return Ok(false);
            }
            _ => self.reply("502 5.5.1 command not implemented")?,
        }
        Ok(true)
    }

    fn greet(&mut self, verb: &str) -> io::Result<()> {
        let name = self.shared.name.clone();
        if verb == "HELO" {
            return self.reply(&format!("250 {name}"));
        }
        let offers_tls = !self.secure && !locked(&self.shared.script).without_tls;
        let mut lines = vec![name.as_str(), "PIPELINING", "SIZE 50000000", "8BITMIME", "ENHANCEDSTATUSCODES"];
        if offers_tls {
            lines.push("STARTTLS");
        }
        if self.secure && locked(&self.shared.script).login.is_some() {
            lines.push("AUTH LOGIN PLAIN");
        }
        let extensions = locked(&self.shared.script).extensions.clone();
        lines.extend(extensions);
        let last = lines.pop().unwrap_or_default();
        let mut reply: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
        reply.push_str("250 ");
        reply.push_str(last);
        self.reply(&reply)
    }

    /// Handles AUTH PLAIN with an initial response, which is all that Mailstead uses if it has the choice.
    fn log_in(&mut self, line: &str) -> io::Result<()> {
        let wanted = locked(&self.shared.script).login.clone();
        let response = line.strip_prefix("AUTH PLAIN ").and_then(|response| STANDARD.decode(response).ok());
        let right =
            wanted.filter(|(name, password)| response == Some(format!("\0{name}\0{password}").into_bytes()));
        match right {
            Some((name, _)) if self.secure => {
                self.login = Some(name);
                self.reply("235 2.7.0 authenticated")
            }
            _ => self.reply("535 5.7.8 invalid credentials"),
        }
    }

    fn recipient(&mut self, address: &str) -> io::Result<()> {
        if self.from.is_none() {
            return self.reply("503 5.5.1 MAIL first");
        }
        let scripted = locked(&self.shared.script).recipients.get(address).cloned();
        if let Some(reply) = scripted {
            return self.reply(&reply);
        }
        self.to.push(address.to_owned());
        self.reply("250 2.1.5 ok")
    }

    fn message(&mut self) -> io::Result<bool> {
        if self.from.is_none() || self.to.is_empty() {
            self.reply("503 5.5.1 RCPT first")?;
            return Ok(true);
        }
        self.reply("354 send the message")?;
        let mut message = Vec::new();
        loop {
            let line = self.wire.line()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if line == b"." {
                break;
            }
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            message.extend_from_slice(b"\r\n");
        }
        self.answer(message, 0)
    }

    /// Receives a chunk: after the last one, the message is complete.
    fn chunk(&mut self, line: &str) -> io::Result<bool> {
        let mut words = line.split(' ').skip(1);
        let size = words.next().and_then(|size| size.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        let octets = self.wire.octets(size)?;
        if self.from.is_none() || self.to.is_empty() {
            self.reply("503 5.5.1 RCPT first")?;
            return Ok(true);
        }
        self.message.extend(octets);
        self.chunks += 1;
        if words.next() != Some("LAST") {
            self.reply("250 2.0.0 go on")?;
            return Ok(true);
        }
        let message = std::mem::take(&mut self.message);
        let chunks = std::mem::take(&mut self.chunks);
        self.answer(message, chunks)
    }

    /// Answers a complete message.
    fn answer(&mut self, message: Vec<u8>, chunks: usize) -> io::Result<bool> {
        let from = self.from.take().unwrap_or_default();
        {
            let mut script = locked(&self.shared.script);
            if script.drops > 0 {
                script.drops -= 1;
                return Ok(false);
            }
            if !script.messages.is_empty() {
                let reply = script.messages.remove(0);
                drop(script);
                self.reply(&reply)?;
                return Ok(true);
            }
        }
        let to = std::mem::take(&mut self.to);
        let accepted = Accepted {
            from,
            smtputf8: self.smtputf8,
            requires_tls: self.requires_tls,
            to,
            message,
            secure: self.secure,
            hello: self.hello.clone(),
            chunks,
            login: self.login.clone(),
        };
        locked(&self.shared.accepted).push(accepted);
        self.reply("250 2.0.0 accepted")?;
        Ok(true)
    }
}

/// The text between the brackets.
fn path(line: &str) -> String {
    let begin = line.find('<').map_or(line.len(), |at| at + 1);
    let end = line.rfind('>').unwrap_or(line.len()).max(begin);
    line[begin..end].to_owned()
}
