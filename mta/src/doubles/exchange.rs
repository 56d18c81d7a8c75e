//! A mail exchange, or a mail store, that follows a script: it refuses, stalls, drops, and records what it receives.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serve::Stream;
use serve::tls::Tls;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

use super::certificates;

/// A scripted reaction of the exchange, in place of accepting.
#[derive(Clone, Debug)]
pub(crate) enum Reaction {
    /// Sends this reply.
    Reply(&'static str),
    /// Closes the connection.
    Drop,
    /// Never answers.
    Stall,
    /// Answers 220 to STARTTLS, and then sends octets that are not TLS.
    BreakTls,
}

/// The answer to lines with this beginning. The first rule that matches counts; `times` limits how often.
#[derive(Clone, Debug)]
struct Rule {
    beginning: &'static str,
    reaction: Reaction,
    times: usize,
}

/// The input that the exchange has received, over all connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) connections: usize,
    /// The lines, without the message.
    pub(crate) lines: Vec<String>,
    /// The messages, without dot-stuffing, that were accepted.
    pub(crate) messages: Vec<String>,
    /// The number of connections that were encrypted.
    pub(crate) encrypted: usize,
}

/// The script, to be started as an exchange or a store.
#[derive(Clone)]
pub(crate) struct Script {
    rules: Arc<Mutex<Vec<Rule>>>,
    lmtp: bool,
    capabilities: Vec<&'static str>,
    tls: Option<Tls>,
    is_under_tls: bool,
    received: watch::Sender<Received>,
}

/// A running exchange.
pub(crate) struct Exchange {
    pub(crate) address: SocketAddr,
    pub(crate) received: watch::Receiver<Received>,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self {
            rules: Arc::default(),
            lmtp: false,
            capabilities: vec!["PIPELINING", "8BITMIME", "SIZE 0"],
            tls: None,
            is_under_tls: false,
            received: watch::Sender::default(),
        }
    }

    /// Gives this answer to every line with this beginning. An empty line means the greeting, and `.` for the
    /// reply to a message.
    pub(crate) fn on(self, beginning: &'static str, reaction: Reaction) -> Self {
        self.times(usize::MAX, beginning, reaction)
    }

    /// Gives this answer the first time only.
    pub(crate) fn once(self, beginning: &'static str, reaction: Reaction) -> Self {
        self.times(1, beginning, reaction)
    }

    /// Gives this answer this many times.
    pub(crate) fn times(self, times: usize, beginning: &'static str, reaction: Reaction) -> Self {
        self.rules.lock().unwrap().push(Rule { beginning, reaction, times });
        self
    }

    /// Offers STARTTLS with a self-signed certificate.
    pub(crate) fn with_tls(mut self, folder: &Path) -> Self {
        self.tls = Some(certificates::self_signed(folder));
        self.capabilities.push("STARTTLS");
        self
    }

    /// Offers STARTTLS, as the host of that name, and a login; also returns the file of the authority that issued the
    /// certificate.
    pub(crate) fn with_trusted_tls(mut self, folder: &Path, name: &str) -> (Self, PathBuf) {
        let (tls, authority) = certificates::with_trusted_tls(folder, name);
        self.tls = Some(tls);
        self.capabilities.push("STARTTLS");
        (self.offering("AUTH PLAIN LOGIN"), authority)
    }

    /// Speaks TLS from the first octet.
    pub(crate) fn under_tls(mut self) -> Self {
        self.is_under_tls = true;
        self
    }

    /// Offers this capability too.
    pub(crate) fn offering(mut self, capability: &'static str) -> Self {
        self.capabilities.push(capability);
        self
    }

    /// Starts as a mail exchange.
    pub(crate) async fn serve(self) -> Exchange {
        self.serve_at((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Starts as a mail exchange at an address.
    pub(crate) async fn serve_at(self, address: SocketAddr) -> Exchange {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, received) = (listener.local_addr().unwrap(), self.received.subscribe());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Session::new(self.clone(), stream.into()).run());
            }
        });
        Exchange { address, received }
    }

    /// Starts as a mail store on a socket.
    pub(crate) fn serve_store(mut self, socket: &Path) -> watch::Receiver<Received> {
        self.lmtp = true;
        let listener = UnixListener::bind(socket).unwrap();
        let received = self.received.subscribe();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Session::new(self.clone(), stream.into()).run());
            }
        });
        received
    }

    fn reaction(&self, line: &str) -> Option<Reaction> {
        let mut rules = self.rules.lock().unwrap();
        let fits = |rule: &&mut Rule| match rule.beginning {
            "" => line.is_empty(),
            beginning => line.starts_with(beginning),
        };
        let rule = rules.iter_mut().filter(|rule| rule.times > 0).find(fits)?;
        rule.times -= 1;
        Some(rule.reaction.clone())
    }
}

struct Session {
    script: Script,
    stream: Option<Stream>,
    unread: Vec<u8>,
    accepted: usize,
}

impl Session {
    fn new(script: Script, stream: Stream) -> Self {
        script.received.send_modify(|received| received.connections += 1);
        Self { script, stream: Some(stream), unread: Vec::new(), accepted: 0 }
    }

    /// Runs the session; `None` when the connection is over.
    async fn run(mut self) -> Option<()> {
        if self.script.is_under_tls {
            self.secure().await?;
        }
        self.reply("", "220 exchange.example ESMTP").await?;
        loop {
            let line = self.line().await?;
            self.script.received.send_modify(|received| received.lines.push(line.clone()));
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" | "LHLO" => {
                    let mut lines = vec!["exchange.example"];
                    lines.extend(self.script.capabilities.iter().filter(|name| self.may_offer(name)));
                    let last = lines.len() - 1;
                    let reply: Vec<_> = lines
                        .iter()
                        .enumerate()
                        .map(|(at, text)| format!("250{}{text}", if at == last { " " } else { "-" }))
                        .collect();
                    self.reply(&line, &reply.join("\r\n")).await?;
                }
                "STARTTLS" => self.start_tls(&line).await?,
                "MAIL" | "RSET" => {
                    self.accepted = 0;
                    self.reply(&line, "250 ok").await?;
                }
                "RCPT" => {
                    if self.reply(&line, "250 ok").await? {
                        self.accepted += 1;
                    }
                }
                "DATA" if self.accepted == 0 => {
                    self.reply(&line, "503 no recipients").await?;
                }
                "DATA" => {
                    if self.reply(&line, "354 send the message").await? {
                        self.message().await?;
                    }
                }
                "AUTH" => {
                    self.reply(&line, "235 authenticated").await?;
                }
                "QUIT" => {
                    self.reply(&line, "221 bye").await?;
                    return None;
                }
                _ => {
                    self.reply(&line, "250 ok").await?;
                }
            }
        }
    }

    fn may_offer(&self, name: &str) -> bool {
        name != "STARTTLS" || !self.stream.as_ref().is_some_and(Stream::is_encrypted)
    }

    /// Sends the scripted answer for this line, or else accepts; returns whether it accepted.
    async fn reply(&mut self, line: &str, default_reply: &str) -> Option<bool> {
        let reaction = self.script.reaction(line);
        let text = match &reaction {
            None => default_reply,
            Some(Reaction::Reply(text)) => text,
            Some(Reaction::Drop) => return None,
            Some(Reaction::Stall) => std::future::pending().await,
            Some(Reaction::BreakTls) => default_reply,
        };
        self.stream.as_mut()?.send(format!("{text}\r\n").as_bytes()).await.ok()?;
        Some(reaction.is_none())
    }

    async fn start_tls(&mut self, line: &str) -> Option<()> {
        match self.script.reaction(line) {
            Some(Reaction::BreakTls) => {
                let stream = self.stream.as_mut()?;
                stream.send(b"220 begin TLS\r\n").await.ok()?;
                // Octets sent before the handshake begins would count as a part of the reply.
                stream.read_exact(&mut [0; 16]).await.ok()?;
                stream.send(b"this is not TLS\r\n").await.ok()
            }
            Some(Reaction::Reply(text)) => {
                self.stream.as_mut()?.send(format!("{text}\r\n").as_bytes()).await.ok()
            }
            Some(Reaction::Drop) => None,
            Some(Reaction::Stall) => std::future::pending().await,
            None => {
                self.stream.as_mut()?.send(b"220 begin TLS\r\n").await.ok()?;
                self.secure().await
            }
        }
    }

    async fn secure(&mut self) -> Option<()> {
        let tls = self.script.tls.clone()?;
        self.stream = Some(self.stream.take()?.secure(&tls, &self.unread).await.ok()?);
        self.script.received.send_modify(|received| received.encrypted += 1);
        Some(())
    }

    async fn message(&mut self) -> Option<()> {
        let mut message = String::new();
        loop {
            let line = self.line().await?;
            if line == "." {
                break;
            }
            message.push_str(line.strip_prefix('.').unwrap_or(&line));
            message.push_str("\r\n");
        }
        // Recorded before the answer: a test that has seen the answer finds the message there.
        self.script.received.send_modify(|received| received.messages.push(message));
        let replies = if self.script.lmtp { self.accepted } else { 1 };
        let mut kept = false;
        for _ in 0..replies {
            kept |= self.reply(".", "250 accepted").await?;
        }
        if !kept {
            self.script.received.send_modify(|received| _ = received.messages.pop());
        }
        Some(())
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.unread, b"\r\n") {
                let line = self.unread.drain(..end + 2).take(end).collect();
                return String::from_utf8(line).ok();
            }
            let mut buffer = [0; 4096];
            let count = self.stream.as_mut()?.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
            self.unread.extend_from_slice(&buffer[..count]);
        }
    }
}
