//! Playing a transcript.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use accounts::{Accounts, Directory, Password, Secret, User, UserAccount};
use address::{Address, Domain};
use handover::config;
use rustls_pki_types::ServerName;
use serve::tls::{Connector, Tls};
use serve::{Connection, Drain, Peer, ReceiveOutcome, Stream};
use tempfile::TempDir;
use tokio::net::UnixStream;
use transcript::{Captures, Expectations, Pattern, Script, Step};

use crate::imap::session::{MAX_COMMAND_BEFORE_LOGIN, Session};
use crate::imap::wire::{Privacy, Wire};
use crate::imap::{Server, Service, serve};
use crate::mailbox::Store;

/// The longest wait for a response, after which a test fails.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The users that every transcript can use.
pub(super) fn accounts() -> Accounts {
    let user = |address: &str, password: &str| {
        UserAccount::new(
            User::new(&Address::parse(address).unwrap()).unwrap(),
            Secret::hash(&Password::new(password).unwrap()),
        )
    };
    Accounts {
        domains: vec![Domain::parse("example.org").unwrap()],
        users: vec![user("ann@example.org", "correct horse"), user("bob@example.org", "battery staple")],
        aliases: Vec::new(),
    }
}

/// A server in a scratch folder, and the connections to it.
pub(super) struct Player<'s> {
    script: &'s Script,
    server: Arc<Server>,
    drain: Drain,
    connections: BTreeMap<u8, TestConnection>,
    memory: Captures,
    before: BTreeSet<PathBuf>,
    folder: TempDir,
}

struct TestConnection {
    stream: Stream,
    received: Vec<u8>,
    unsent: Vec<u8>,
    watch: Expectations,
}

impl<'s> Player<'s> {
    pub(super) fn new(script: &'s Script, accounts: &Accounts) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = config::Tls {
            certificate: folder.path().join("certificate.pem"),
            key: folder.path().join("key.pem"),
        };
        let made = rcgen::generate_simple_self_signed(["mail.example.org".to_owned()]).unwrap();
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        let store = Store::new(folder.path().join("mail"), folder.path().join("index"), "mail.example.org");
        store.set_quotas(config::Quotas { default: script.requirements.quota, users: Vec::new() });
        let server = Server {
            hostname: Domain::parse("mail.example.org").unwrap(),
            store,
            directory: Arc::new(Directory::new(accounts)),
            tls: Arc::new(Tls::load(&files).unwrap()),
            message_size: script.requirements.message_size.unwrap_or(50 << 20),
        };
        Self {
            script,
            server: Arc::new(server),
            drain: Drain::new(),
            connections: BTreeMap::new(),
            memory: Captures::new(),
            before: BTreeSet::new(),
            folder,
        }
    }

    pub(super) async fn play(mut self) -> Result<(), String> {
        self.play_on().await
    }

    /// Plays the script, and leaves the connections open.
    pub(super) async fn play_on(&mut self) -> Result<(), String> {
        let script = self.script;
        self.connection(1);
        for (number, step) in &script.steps {
            self.act(step).await.map_err(|fault| format!("line {number}: {fault}"))?;
        }
        Ok(())
    }

    /// Stops the daemon.
    pub(super) fn stop(&self) {
        self.drain.begin();
    }

    /// The connection with this number, opened when it is used for the first time.
    fn connection(&mut self, connection: u8) -> &mut TestConnection {
        let Self { script, server, drain, connections, .. } = self;
        connections.entry(connection).or_insert_with(|| {
            let (client, end) = UnixStream::pair().unwrap();
            let (stream, stop, server) = (Stream::from(end), drain.stop(), Arc::clone(server));
            if script.requirements.over_tls {
                let wire = Wire::new(stream, Privacy::Encrypted, stop, MAX_COMMAND_BEFORE_LOGIN);
                tokio::spawn(Session::new(wire, server, Peer::Unix).run());
            } else {
                let connection = Connection { stream, peer: Peer::Unix, local: None, stop };
                tokio::spawn(serve(connection, server, Service::Imap));
            }
            TestConnection {
                stream: client.into(),
                received: Vec::new(),
                unsent: Vec::new(),
                watch: Expectations::default(),
            }
        })
    }

    async fn act(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Send(connection, texts) => {
                for text in texts {
                    let octets = text.octets(&self.memory)?;
                    self.connection(*connection).unsent.extend(octets);
                }
                Ok(())
            }
            Step::Next(connection, pattern) => {
                let line = self.line(*connection).await?;
                let shown = line.escape_ascii();
                if pattern.matches(&line, &mut self.memory) { Ok(()) } else { Err(format!("got {shown}")) }
            }
            Step::Among(connection, pattern) => {
                self.connection(*connection).watch.expect(pattern);
                Ok(())
            }
            Step::Never(connection, pattern) => {
                self.connection(*connection).watch.forbid(pattern);
                Ok(())
            }
            Step::Until(connection, pattern) => self.until(*connection, pattern).await,
            Step::Secure(connection) => self.secure(*connection).await,
            Step::Closed(connection) => {
                let connection = self.connection(*connection);
                connection.send().await?;
                match connection.stream.receive_within(TIMEOUT, &mut connection.received).await {
                    ReceiveOutcome::End if connection.received.is_empty() => Ok(()),
                    _ => Err(format!(
                        "got {} instead of the end of the connection",
                        connection.received.escape_ascii()
                    )),
                }
            }
            Step::HangUp(connection) => {
                self.connection(*connection).send().await?;
                self.connections.remove(connection);
                Ok(())
            }
            Step::Delivered { user, count } => {
                let found = self.messages(user).difference(&self.before).count();
                if found == *count { Ok(()) } else { Err(format!("{found} messages were delivered")) }
            }
            Step::Holds { user, text, expected } => self.holds(user, text, *expected),
        }
    }

    /// Queues a line on the first connection, sent when the next line is awaited.
    pub(super) fn queue_line(&mut self, line: &str) {
        self.connection(1).unsent.extend(format!("{line}\r\n").into_bytes());
    }

    /// The folder of Ann's mailboxes on disk.
    pub(super) fn maildir(&self) -> PathBuf {
        self.folder.path().join("mail/example.org/ann/Maildir")
    }

    pub(super) async fn line(&mut self, connection: u8) -> Result<Vec<u8>, String> {
        let connection = self.connection(connection);
        connection.send().await?;
        connection.line().await
    }

    async fn until(&mut self, connection: u8, pattern: &Pattern) -> Result<(), String> {
        let mut lines = Vec::new();
        loop {
            let line =
                self.line(connection).await.map_err(|fault| format!("{fault}, after{}", shown(&lines)))?;
            lines.push(line);
            if pattern.matches(&lines[lines.len() - 1], &mut self.memory) {
                break;
            }
        }
        let watch = std::mem::take(&mut self.connection(connection).watch);
        watch.check(&lines, &mut self.memory)
    }

    async fn secure(&mut self, number: u8) -> Result<(), String> {
        let connection = self.connections.remove(&number).ok_or("connection not open")?;
        let connector = Connector::opportunistic().unwrap();
        let name = ServerName::try_from("mail.example.org").unwrap();
        let stream = connection.stream.secure_to(&connector, name, &connection.received).await;
        let stream = stream.map_err(|error| error.to_string())?;
        self.connections.insert(number, TestConnection { stream, ..connection });
        Ok(())
    }

    /// The files in the user's INBOX.
    fn messages(&self, user: &str) -> BTreeSet<PathBuf> {
        let (name, domain) = user.split_once('@').unwrap_or((user, ""));
        let inbox = self.folder.path().join("mail").join(domain).join(name).join("Maildir");
        ["new", "cur"]
            .iter()
            .flat_map(|folder| std::fs::read_dir(inbox.join(folder)).into_iter().flatten().flatten())
            .map(|entry| entry.path())
            .collect()
    }

    fn holds(&self, user: &str, text: &Pattern, wanted: bool) -> Result<(), String> {
        let text = text.octets(&self.memory)?;
        let newest = self.messages(user).pop_last().ok_or("no message was delivered")?;
        let octets = std::fs::read(newest).map_err(|error| error.to_string())?;
        let found = octets.windows(text.len()).any(|window| window == text);
        if found == wanted { Ok(()) } else { Err(format!("the message is: {}", octets.escape_ascii())) }
    }
}

impl TestConnection {
    /// Sends the queued octets in one piece.
    async fn send(&mut self) -> Result<(), String> {
        let unsent = std::mem::take(&mut self.unsent);
        self.stream.send(&unsent).await.map_err(|error| error.to_string())
    }

    async fn line(&mut self) -> Result<Vec<u8>, String> {
        loop {
            if let Some(end) = self.received.windows(2).position(|two| two == b"\r\n") {
                let rest = self.received.split_off(end + 2);
                let mut line = std::mem::replace(&mut self.received, rest);
                line.truncate(end);
                return Ok(line);
            }
            match self.stream.receive_within(TIMEOUT, &mut self.received).await {
                ReceiveOutcome::Octets(_) => {}
                ReceiveOutcome::End => return Err("the server closed the connection".to_owned()),
                ReceiveOutcome::Idle | ReceiveOutcome::Expired(_) => {
                    return Err("the server sent nothing".to_owned());
                }
            }
        }
    }
}

fn shown(lines: &[Vec<u8>]) -> String {
    lines.iter().map(|line| format!("\n  {}", line.escape_ascii())).collect()
}
