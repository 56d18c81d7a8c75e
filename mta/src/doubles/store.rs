//! A mail store that speaks LMTP (RFC 2033) and answers for each recipient from a table.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use address::Domain;
use smtp_proto::server::{Event, Security, Session, Settings};
use smtp_proto::{Dialect, Reply, replies};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// The store, started. It ends with the test's runtime.
pub(crate) struct Store {
    pub(crate) socket: PathBuf,
    received: Arc<Mutex<Vec<StoredMessage>>>,
}

/// A message that was received completely, whatever the answers were.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoredMessage {
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) octets: Vec<u8>,
    pub(crate) is_junk: bool,
}

/// The answers after a message, for recipients that do not simply get it.
pub(crate) type Replies = HashMap<&'static str, Reply>;

impl Store {
    pub(crate) fn start(folder: &Path, replies: Replies) -> Self {
        let socket = folder.join("lmtp.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let received = Arc::new(Mutex::default());
        let (replies, notes) = (Arc::new(replies), Arc::clone(&received));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve_session(stream, replies.clone(), notes.clone()));
            }
        });
        Self { socket, received }
    }

    /// The messages received so far.
    pub(crate) fn received(&self) -> Vec<StoredMessage> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve_session(
    mut stream: UnixStream,
    replies: Arc<Replies>,
    received: Arc<Mutex<Vec<StoredMessage>>>,
) {
    let settings = Settings {
        dialect: Dialect::Lmtp,
        hostname: Domain::parse("store.example.org").unwrap(),
        message_size: 100 << 20,
        recipients: 1_000,
        starttls: false,
    };
    let mut session = Session::new(Arc::new(settings), Security::Clear);
    let mut message = StoredMessage::default();
    loop {
        match session.next() {
            Event::Output => {
                if stream.write_all(session.output()).await.is_err() {
                    return;
                }
                session.sent();
            }
            Event::Input => match stream.read(session.space()).await {
                Ok(0) | Err(_) => return,
                Ok(count) => session.filled(count),
            },
            Event::Hello(request) => request.accept(),
            Event::Mail(request) => {
                message = StoredMessage {
                    sender: request.command.sender.to_string(),
                    is_junk: request.command.is_junk,
                    ..StoredMessage::default()
                };
                request.accept();
            }
            Event::Rcpt(request) => {
                let recipient = request.command.recipient.address().unwrap().to_string();
                message.recipients.push(recipient);
                request.accept();
            }
            Event::Data(request) => request.accept(),
            Event::Body(octets) => message.octets.extend_from_slice(octets),
            Event::Delivery(request) => {
                let reply = |recipient: &String| {
                    replies.get(recipient.as_str()).cloned().unwrap_or(replies::DELIVERED)
                };
                let each: Vec<Reply> = message.recipients.iter().map(reply).collect();
                received.lock().unwrap().push(std::mem::take(&mut message));
                request.answer(each);
            }
            Event::Closed => return,
            Event::Reset | Event::BodyRefused(_) => message = StoredMessage::default(),
            Event::Message(_) | Event::Login(_) | Event::StartTls(_) => unreachable!("this is LMTP"),
        }
    }
}
