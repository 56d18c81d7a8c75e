//! The session with the directory that every transcript may rely on, without a socket.

use std::collections::VecDeque;
use std::sync::Arc;

use address::{Domain, ForwardPath};
use smtp_proto::server::{Event, Security, Session, Settings};
use smtp_proto::{Dialect, replies};

/// A message and the users for which it was accepted.
#[derive(Debug, Clone, Default)]
pub(super) struct Delivered {
    pub(super) users: Vec<String>,
    pub(super) octets: Vec<u8>,
}

pub(super) struct Server {
    session: Session,
    logged_in: bool,
    transaction: Delivered,
    pub(super) lines: VecDeque<Vec<u8>>,
    pub(super) closed: bool,
    awaits_tls: bool,
}

const USERS: [(&str, &str); 2] =
    [("ann@example.org", "correct horse"), ("bob@example.org", "battery staple")];

impl Server {
    pub(super) fn new(dialect: Dialect, message_size: Option<u64>, over_tls: bool) -> Self {
        let settings = Settings {
            dialect,
            hostname: Domain::parse("mail.example.org").expect("a domain"),
            message_size: message_size.unwrap_or(50 << 20),
            recipients: 200,
            starttls: dialect != Dialect::Lmtp,
        };
        let security = if over_tls { Security::Tls } else { Security::Clear };
        Self {
            session: Session::new(Arc::new(settings), security),
            logged_in: false,
            transaction: Delivered::default(),
            lines: VecDeque::new(),
            closed: false,
            awaits_tls: false,
        }
    }

    /// Feeds octets in pieces of this size: no rule may depend on how they arrive.
    pub(super) fn receive(&mut self, octets: &[u8], step: usize, mailboxes: &mut Vec<Delivered>) {
        self.run(mailboxes);
        for piece in octets.chunks(step) {
            let mut rest = piece;
            // Clear text before the handshake is left to the handshake, which refuses it.
            while !rest.is_empty() && !self.closed && !self.awaits_tls {
                let space = self.session.space();
                let count = rest.len().min(space.len());
                space[..count].copy_from_slice(&rest[..count]);
                self.session.filled(count);
                rest = &rest[count..];
                self.run(mailboxes);
            }
        }
    }

    /// Performs the TLS handshake that the session waits for. Returns false if it waits for none.
    pub(super) fn handshake(&mut self) -> bool {
        std::mem::take(&mut self.awaits_tls)
    }

    fn run(&mut self, mailboxes: &mut Vec<Delivered>) {
        loop {
            match self.session.next() {
                Event::Output => {
                    let lines = self.session.output().strip_suffix(b"\r\n").expect("replies end in CRLF");
                    let lines = String::from_utf8(lines.to_vec()).expect("replies are text");
                    self.lines.extend(lines.split("\r\n").map(|line| line.as_bytes().to_vec()));
                    self.session.sent();
                }
                Event::Input => return,
                Event::Closed => {
                    self.closed = true;
                    return;
                }
                Event::StartTls(request) => {
                    request.done();
                    self.awaits_tls = true;
                }
                Event::Hello(request) => {
                    self.transaction = Delivered::default();
                    request.accept();
                }
                Event::Reset | Event::BodyRefused(_) => self.transaction = Delivered::default(),
                Event::Login(request) => {
                    let credentials = &request.credentials;
                    self.logged_in = USERS.iter().any(|(login, password)| {
                        *login == credentials.login && password.as_bytes() == credentials.password.octets()
                    });
                    if self.logged_in { request.accept() } else { request.refuse(&replies::BAD_CREDENTIALS) }
                }
                Event::Mail(request) => {
                    let foreign = request
                        .command
                        .sender
                        .address()
                        .is_some_and(|sender| sender.to_string() != USERS[0].0);
                    if self.logged_in && foreign {
                        request.refuse(&replies::SENDER_NOT_OWNED)
                    } else {
                        request.accept()
                    }
                }
                Event::Rcpt(request) => {
                    let (local, user) = resolve(&request.command.recipient);
                    match user {
                        Some(user) => {
                            self.transaction.users.push(user);
                            request.accept();
                        }
                        None if local => request.refuse(&replies::UNKNOWN_RECIPIENT),
                        None if self.logged_in => request.accept(),
                        None => request.refuse(&replies::RELAY_REFUSED),
                    }
                }
                Event::Data(request) => request.accept(),
                Event::Body(octets) => self.transaction.octets.extend_from_slice(octets),
                Event::Message(request) => {
                    mailboxes.push(std::mem::take(&mut self.transaction));
                    request.answer(&replies::MESSAGE_ACCEPTED);
                }
                Event::Delivery(request) => {
                    mailboxes.push(std::mem::take(&mut self.transaction));
                    let recipients = request.recipients;
                    request.answer(vec![replies::DELIVERED; recipients]);
                }
            }
        }
    }
}

/// Resolves a recipient: true if its domain is served, and the user of the mailbox.
fn resolve(recipient: &ForwardPath) -> (bool, Option<String>) {
    let ForwardPath::Address(address) = recipient else { return (true, Some(USERS[0].0.to_owned())) };
    let is_at = |name: &str| address.domain().is_some_and(|domain| domain.as_str() == name);
    let local = is_at("example.org");
    let (name, _) = address.local.split_detail('+');
    let is_role = ["postmaster", "abuse"].iter().any(|role| name.eq_ignore_ascii_case(role));
    if is_at("mail.example.org") {
        return (true, is_role.then(|| USERS[0].0.to_owned()));
    }
    let mailbox = format!("{}@example.org", name.to_lowercase());
    let known = USERS.iter().any(|(user, _)| *user == mailbox);
    (local, (local && known).then_some(mailbox))
}
