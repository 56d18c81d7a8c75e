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
    taken: Arc<Mutex<Vec<Taken>>>,
}

/// A message that was received completely, whatever the answers were.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) octets: Vec<u8>,
}

/// The answers after a message, for recipients that do not simply get it.
pub(crate) type Answers = HashMap<&'static str, Reply>;

impl Store {
    pub(crate) fn start(folder: &Path, answers: Answers) -> Self {
        let socket = folder.join("lmtp.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let taken = Arc::new(Mutex::default());
        let (answers, notes) = (Arc::new(answers), Arc::clone(&taken));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, answers.clone(), notes.clone()));
            }
        });
        Self { socket, taken }
    }

    /// The messages received so far.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }
}

async fn talk(mut stream: UnixStream, answers: Arc<Answers>, taken: Arc<Mutex<Vec<Taken>>>) {
    let settings = Settings {
        dialect: Dialect::Lmtp,
        hostname: Domain::parse("store.example.org").unwrap(),
        message_size: 100 << 20,
        starttls: false,
    };
    let mut session = Session::new(Arc::new(settings), Security::Clear);
    let mut message = Taken::default();
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
            Event::Hello(asked) => asked.accept(),
            Event::Mail(asked) => {
                message = Taken { sender: asked.command.sender.to_string(), ..Taken::default() };
                asked.accept();
            }
            Event::Rcpt(asked) => {
                let recipient = asked.command.recipient.address().unwrap().to_string();
                message.recipients.push(recipient);
                asked.accept();
            }
            Event::Data(asked) => asked.accept(),
            Event::Body(octets) => message.octets.extend_from_slice(octets),
            Event::Delivery(asked) => {
                let answer = |recipient: &String| {
                    answers.get(recipient.as_str()).cloned().unwrap_or(replies::DELIVERED)
                };
                let each: Vec<Reply> = message.recipients.iter().map(answer).collect();
                taken.lock().unwrap().push(std::mem::take(&mut message));
                asked.answer(each);
            }
            Event::Closed => return,
            Event::Reset | Event::BodyRefused(_) => message = Taken::default(),
            Event::Message(_) | Event::Login(_) | Event::StartTls(_) => unreachable!("this is LMTP"),
        }
    }
}
